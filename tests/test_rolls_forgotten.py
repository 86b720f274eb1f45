"""The end of a roll: its key goes with the roll key of the poll, and then its entries."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from jobs import keeper_round
from mvote.ballotbox.destroying import Ends, Terms
from mvote.ballotbox.poll_keys import key_name
from mvote.polls.inviting.links import key_of
from mvote.polls.rolls.entries import RollKeys
from tests.support.inviting import PEOPLE, campaign_in, numbers_kept
from tests.support.rolls import ROLL, csv_of, number, opened, send_roll
from tests.support.world import Person, World


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    officer = world.officer()
    draft = world.draft(officer, eligibility=ROLL)
    assert send_roll(world, draft, officer, csv_of([number(1), number(2)])).status_code == 201
    return draft | {"officer": officer}


def has_key(world: World, poll: dict[str, Any], letter: str = "E") -> bool:
    return world.wiring.keystore.has(key_name(uuid.UUID(poll["id"]), letter))


def cancel(world: World, poll: dict[str, Any], by: Person) -> None:
    answer = world.client.post(f"/v1/polls/{poll['id']}/cancel", headers=by.headers)
    assert answer.status_code == 200


def keep_house(world: World, *, retention: int) -> None:
    ends = Ends(terms=Terms.of_days(appeal=30, retention=retention))
    keeper_round(world.engines["api"], world.wiring.keystore, ends)


def test_a_roll_is_forgotten_when_the_term_of_retention_is_over(
    world: World, poll: dict[str, Any]
) -> None:
    opened(world, poll, poll["officer"])
    world.finish(poll)
    keep_house(world, retention=365)
    assert (has_key(world, poll), world.count("roll_entry")) == (True, 2)
    keep_house(world, retention=0)
    assert (has_key(world, poll), world.count("roll_entry")) == (False, 0)
    [(size, forgotten_at)] = world.rows("SELECT size, forgotten_at FROM roll")
    assert (size, forgotten_at is None) == (2, False)
    kinds = [kind for (kind,) in world.rows("SELECT kind FROM journal")]
    assert kinds.count("poll:roll_forgotten") == 1


def test_a_roll_of_a_draft_that_is_cancelled_goes_at_once(
    world: World, poll: dict[str, Any]
) -> None:
    keep_house(world, retention=365)
    assert (has_key(world, poll), world.count("roll_entry")) == (True, 2)
    cancel(world, poll, poll["officer"])
    keep_house(world, retention=365)
    assert (has_key(world, poll), world.count("roll_entry")) == (False, 0)


def test_the_key_of_an_import_that_was_refused_at_its_end_goes_with_its_draft(
    world: World,
) -> None:
    """The poll was cancelled by somebody else while its file was read."""
    draft = world.draft(officer := world.officer(), eligibility=ROLL)
    RollKeys(world.wiring.keystore).made(uuid.UUID(draft["id"]))
    keep_house(world, retention=365)
    assert has_key(world, draft)  # the import may still go on
    cancel(world, draft, officer)
    keep_house(world, retention=365)
    assert not has_key(world, draft)


@pytest.mark.parametrize("end", ["closes", "is cancelled"])
def test_the_key_of_invitations_that_nobody_started_goes_when_voting_is_over(
    world: World, end: str
) -> None:
    opens_at = {"opens_at": in_an_hour(world)} if end == "is cancelled" else {}
    campaign = campaign_in(world, **opens_at)
    keep_house(world, retention=365)
    assert (has_key(world, campaign.poll, "N"), numbers_kept(campaign)) == (True, PEOPLE)
    if end == "closes":
        world.finish(campaign.poll)
    else:
        cancel(world, campaign.poll, campaign.officer)
    campaign.messenger.do_round()
    keep_house(world, retention=365)
    assert (has_key(world, campaign.poll, "N"), numbers_kept(campaign)) == (False, 0)
    assert campaign.progress()["state"] == "not_started"


def test_a_key_that_sealed_no_number_in_the_end_goes_when_the_poll_is_opened(
    world: World, poll: dict[str, Any]
) -> None:
    """Its roll was replaced by one without invitations."""
    key_of(world.wiring.keystore, uuid.UUID(poll["id"]))
    keep_house(world, retention=365)
    assert has_key(world, poll, "N")
    opened(world, poll, poll["officer"])
    keep_house(world, retention=365)
    assert not has_key(world, poll, "N")


def test_no_key_goes_whose_numbers_are_still_to_be_sent(world: World) -> None:
    campaign = campaign_in(world)
    campaign.call()
    campaign.messenger.send_one()
    keep_house(world, retention=0)
    campaign.messenger.do_round()
    assert campaign.progress()["sent"] == PEOPLE


def in_an_hour(world: World) -> str:
    [(at,)] = world.rows("SELECT now() + interval '30 minutes'")
    return str(at.isoformat())
