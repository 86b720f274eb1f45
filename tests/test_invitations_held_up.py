"""Invitations that cannot be sent yet, or not at all, hold up nobody else's."""

from __future__ import annotations

import uuid

import psycopg
import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox.poll_keys import key_name
from mvote.people.errors import MessageNotSent
from mvote.polls.inviting.links import LETTER
from mvote.polls.inviting.sending import Letter, Outcome, claim, settle
from tests.support.inviting import (
    PEOPLE,
    Campaign,
    campaign_in,
    numbers_kept,
    states,
    wait_over,
)
from tests.support.world import World


@pytest.fixture
def campaign(world: World) -> Campaign:
    return campaign_in(world)


def test_nobody_is_invited_before_voting_begins(campaign: Campaign) -> None:
    campaign.call()
    change(campaign, "UPDATE poll SET opens_at = now() + interval '9 minutes'")
    campaign.messenger.do_round()
    assert (campaign.letters.taken, states(campaign)) == ([], {"waiting": PEOPLE})
    change(campaign, "UPDATE poll SET opens_at = now() - interval '1 second'")
    campaign.messenger.do_round()
    assert states(campaign) == {"sent": PEOPLE}


@pytest.mark.parametrize("became", ["sent", "not taken", "unknown", "refused"])
def test_what_was_on_its_way_when_sending_was_stopped_is_settled(
    campaign: Campaign, became: Outcome
) -> None:
    campaign.call()
    letter = claimed(campaign)
    assert campaign.call("/stop").status_code == 200
    with Session(campaign.world.engines["api"]) as session, transaction(session):
        settle(session, letter, became)
    expected = {"not taken": "failed", "unknown": "uncertain"}.get(became, became)
    assert states(campaign) == {expected: 1, "stopped": PEOPLE - 1}
    assert numbers_kept(campaign) == 0


def test_a_poll_whose_key_is_gone_does_not_hold_up_the_others(world: World) -> None:
    first, second = sorted((campaign_in(world) for _ in range(2)), key=lambda each: each.poll["id"])
    for each in (first, second):
        assert each.call().status_code == 201
    world.wiring.keystore.destroy(key_name(uuid.UUID(first.poll["id"]), LETTER))
    second.messenger.do_round()
    assert (states(first), states(second)) == ({"stopped": PEOPLE}, {"sent": PEOPLE})
    assert numbers_kept(first) == 0


def test_an_invitation_that_does_not_open_does_not_hold_up_the_others(campaign: Campaign) -> None:
    campaign.call()
    change(
        campaign,
        "UPDATE invitation SET sealed = sealed || 'x'"
        " WHERE entry = (SELECT entry FROM invitation ORDER BY entry LIMIT 1)",
    )
    campaign.messenger.do_round()
    assert states(campaign) == {"stopped": 1, "sent": PEOPLE - 1}


def test_a_number_that_is_refused_for_good_is_counted_and_holds_up_no_other(
    campaign: Campaign,
) -> None:
    campaign.call()
    campaign.letters.before = {1: MessageNotSent(is_for_good=True)}
    campaign.messenger.do_round()
    assert states(campaign) == {"sent": PEOPLE - 1, "refused": 1}
    assert numbers_kept(campaign) == 0
    assert campaign.progress()["paused_until"] is None
    campaign.messenger.do_round()
    assert campaign.letters.tries == PEOPLE


def test_a_gateway_that_is_ill_is_left_alone_for_a_while_and_the_officer_sees_it(
    campaign: Campaign,
) -> None:
    """So would a number that is refused hold up all others, if it were not told apart."""
    campaign.call()
    assert campaign.progress()["paused_until"] is None
    campaign.letters.before = {1: MessageNotSent(is_certain=True)}
    for _ in range(2):
        campaign.messenger.do_round()
    assert states(campaign) == {"sent": 1, "waiting": PEOPLE - 1}
    assert campaign.progress()["paused_until"] > campaign.progress()["started_at"]
    wait_over(campaign)
    assert campaign.progress()["paused_until"] is None


def claimed(campaign: Campaign) -> Letter:
    """One message that is on its way."""
    keystore = campaign.world.wiring.keystore
    with Session(campaign.world.engines["api"]) as session, transaction(session):
        letter = claim(session, keystore=keystore, url="x", time_zone="Asia/Seoul")
    assert letter is not None
    return letter


def change(campaign: Campaign, statement: str) -> None:
    """Do what no trigger lets anybody do."""
    with psycopg.connect(campaign.world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)
