"""Invitations that cannot be sent yet, or not at all, hold up nobody else's."""

from __future__ import annotations

import uuid

import psycopg
import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox.poll_keys import key_name
from mvote.polls.inviting.links import LETTER
from mvote.polls.inviting.sending import Letter, claim, settle
from tests.support.inviting import PEOPLE, Campaign, campaign_in, numbers_kept, states
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


@pytest.mark.parametrize("taken", [True, False, None])
def test_what_was_on_its_way_when_sending_was_stopped_is_settled(
    campaign: Campaign, taken: bool | None
) -> None:
    campaign.call()
    letter = claimed(campaign)
    assert campaign.call("/stop").status_code == 200
    with Session(campaign.world.engines["api"]) as session, transaction(session):
        settle(session, letter, taken=taken)
    expected = {True: "sent", False: "failed", None: "uncertain"}[taken]
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
