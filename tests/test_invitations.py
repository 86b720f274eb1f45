"""Invitations: one message to each number on a roll, none twice, and no number kept after it."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.people.errors import MessageNotSent
from mvote.polls.inviting.sending import claim
from tests.support.hostile import check_problem, no_trace
from tests.support.inviting import (
    PEOPLE,
    Campaign,
    Killed,
    campaign_in,
    lose,
    numbers_kept,
    states,
    wait_over,
)
from tests.support.rolls import ROLL, csv_of, e164, number, send_roll
from tests.support.world import World


@pytest.fixture
def campaign(world: World) -> Campaign:
    return campaign_in(world)


def test_each_number_on_the_roll_gets_one_message_at_the_set_rate(campaign: Campaign) -> None:
    assert campaign.progress()["state"] == "not_started"
    campaign.messenger.do_round()
    assert campaign.letters.taken == []
    assert campaign.call(language="en").status_code == 201
    campaign.messenger.do_round()
    assert sorted(campaign.letters.numbers) == [e164(n) for n in range(PEOPLE)]
    assert campaign.pauses == [0.1] * PEOPLE
    assert "Plant trees on the square?" in campaign.letters.taken[0][1]
    assert (states(campaign), numbers_kept(campaign)) == ({"sent": PEOPLE}, 0)
    campaign.messenger.do_round()
    assert (campaign.progress()["state"], len(campaign.letters.taken)) == ("done", PEOPLE)


def test_the_key_that_sealed_the_numbers_is_destroyed_when_all_are_sent(campaign: Campaign) -> None:
    name = f"poll/{uuid.UUID(campaign.poll['id']).hex}/N"
    assert campaign.world.wiring.keystore.has(name)
    campaign.call()
    campaign.messenger.do_round()
    campaign.messenger.do_round()
    assert not campaign.world.wiring.keystore.has(name)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(PEOPLE))
def test_a_worker_killed_anywhere_sends_nobody_a_second_message(
    campaign: Campaign, when: str, at: int
) -> None:
    campaign.call()
    getattr(campaign.letters, when)[at] = Killed()
    with pytest.raises(Killed):
        campaign.messenger.do_round()
    assert states(campaign)["sending"] == 1
    campaign.messenger.do_round()
    lose(campaign)
    campaign.messenger.do_round()
    assert states(campaign) == {"sent": PEOPLE - 1, "uncertain": 1}
    assert len(set(campaign.letters.numbers)) == len(campaign.letters.numbers)
    assert len(campaign.letters.numbers) == PEOPLE - (when == "before")
    assert numbers_kept(campaign) == 0


def test_if_lost_ones_waited_again_somebody_would_get_two(campaign: Campaign) -> None:
    """The sabotaged twin: whoever resumes takes what was claimed for what was not sent."""
    campaign.call()
    campaign.letters.after[0] = Killed()
    with pytest.raises(Killed):
        campaign.messenger.do_round()
    with psycopg.connect(campaign.world.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE invitation SET state = 'waiting' WHERE state = 'sending'")
    campaign.messenger.do_round()
    assert len(campaign.letters.numbers) == PEOPLE + 1


def test_two_workers_at_once_send_each_message_once(campaign: Campaign) -> None:
    campaign.call()
    workers = [threading.Thread(target=campaign.messenger.do_round) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(campaign.letters.numbers) == [e164(n) for n in range(PEOPLE)]


def test_what_the_gateway_certainly_refused_is_tried_again_and_given_up_at_last(
    campaign: Campaign,
) -> None:
    campaign.call()
    campaign.letters.before = {n: MessageNotSent(is_certain=True) for n in range(3)}
    for _ in range(3):
        campaign.messenger.do_round()
        wait_over(campaign)
    assert states(campaign) == {"failed": 1, "waiting": PEOPLE - 1}
    campaign.messenger.do_round()
    assert states(campaign) == {"failed": 1, "sent": PEOPLE - 1}


def test_what_the_gateway_may_have_taken_is_not_sent_again(campaign: Campaign) -> None:
    campaign.call()
    campaign.letters.before = {0: MessageNotSent()}
    campaign.messenger.do_round()
    assert states(campaign) == {"uncertain": 1, "sent": PEOPLE - 1}


def test_sending_is_paused_resumed_and_stopped(campaign: Campaign) -> None:
    campaign.call()
    campaign.messenger.send_one()
    assert campaign.call("/pause").get_json()["state"] == "paused"
    campaign.messenger.do_round()
    assert states(campaign) == {"sent": 1, "waiting": PEOPLE - 1}
    assert campaign.call("/resume").status_code == 200
    campaign.messenger.send_one()
    stopped = campaign.call("/stop").get_json()
    assert (stopped["state"], stopped["sent"], stopped["stopped"]) == ("stopped", 2, PEOPLE - 2)
    assert numbers_kept(campaign) == 0
    campaign.messenger.do_round()
    assert len(campaign.letters.taken) == 2
    for verb in ("", "/pause", "/resume", "/stop"):
        check_problem(campaign.call(verb), 409, "impossible-transition", "ko")


def test_nobody_is_invited_once_voting_is_over_and_the_numbers_go(campaign: Campaign) -> None:
    campaign.call()
    campaign.world.end_voting(campaign.poll)
    campaign.messenger.do_round()
    assert (campaign.letters.taken, numbers_kept(campaign)) == ([], 0)
    assert states(campaign) == {"stopped": PEOPLE}


def test_the_database_lets_nothing_that_was_sent_be_sent_again(campaign: Campaign) -> None:
    campaign.call()
    campaign.messenger.do_round()
    for change in ("state = 'waiting'", "state = 'sending'", "sealed = 'x'", "token_hash = entry"):
        with (
            psycopg.connect(campaign.world.admin_url) as connection,
            pytest.raises(psycopg.errors.RestrictViolation),
        ):
            connection.execute(f"UPDATE invitation SET {change}")  # noqa: S608


# who may invite


def test_only_officers_of_its_department_invite_and_only_to_a_frozen_poll(
    world: World, campaign: Campaign
) -> None:
    path = f"/v1/polls/{campaign.poll['id']}/invitations"
    for person in (world.citizen(), world.officer()):
        with no_trace(world):
            answer = world.client.post(path, json={}, headers=person.headers)
            check_problem(answer, 403, "not-allowed", "ko")
            check_problem(world.client.get(path, headers=person.headers), 403, "not-allowed", "ko")
    draft = world.draft(campaign.officer, eligibility=ROLL)
    send_roll(world, draft, campaign.officer, csv_of([number(1)]), query="?invite=true")
    early = f"/v1/polls/{draft['id']}/invitations"
    refused = world.client.post(early, json={}, headers=campaign.officer.headers)
    check_problem(refused, 409, "impossible-transition", "ko")


def test_a_citizen_invites_nobody_by_text_message(world: World) -> None:
    author = world.citizen()
    poll = world.draft(author, eligibility=ROLL)
    with no_trace(world, but="allowance"):
        refused = send_roll(world, poll, author, csv_of([number(1)]), query="?invite=true")
        check_problem(refused, 403, "not-allowed", "ko")


def test_a_roll_that_is_replaced_takes_its_invitations_along(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer, eligibility=ROLL)
    send_roll(world, poll, officer, csv_of([number(1)]), query="?invite=true")
    assert world.count("invitation") == 1
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("DELETE FROM roll")
        connection.execute("DELETE FROM roll_entry")
    assert world.count("invitation") == 0


def test_a_claim_that_is_not_committed_is_none(campaign: Campaign) -> None:
    campaign.call()
    around: dict[str, Any] = {"keystore": campaign.world.wiring.keystore, "url": "x"}
    around["time_zone"] = "Asia/Seoul"
    with Session(campaign.world.engines["api"]) as session:
        assert claim(session, **around) is not None
        session.rollback()
    with Session(campaign.world.engines["api"]) as session, transaction(session):
        assert claim(session, **around) is not None
    assert states(campaign) == {"sending": 1, "waiting": PEOPLE - 1}
