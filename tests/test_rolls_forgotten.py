"""The end of a roll: its key goes with the roll key of the poll, and then its entries."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from jobs import keeper_round
from mvote.ballotbox.destroying import Ends, Terms
from mvote.ballotbox.poll_keys import key_name
from tests.support.rolls import ROLL, csv_of, number, opened, send_roll
from tests.support.world import World


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    officer = world.officer()
    draft = world.draft(officer, eligibility=ROLL)
    assert send_roll(world, draft, officer, csv_of([number(1), number(2)])).status_code == 201
    return draft | {"officer": officer}


def has_key(world: World, poll: dict[str, Any]) -> bool:
    return world.wiring.keystore.has(key_name(uuid.UUID(poll["id"]), "E"))


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
    path = f"/v1/polls/{poll['id']}/cancel"
    assert world.client.post(path, headers=poll["officer"].headers).status_code == 200
    keep_house(world, retention=365)
    assert (has_key(world, poll), world.count("roll_entry")) == (False, 0)
