"""A draft that nobody touches for a season loses its roll; whoever made it is told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.db import transaction, transaction_on
from jobs import keeper_round
from mvote.approvals import one_at_a_time
from mvote.budget.telling.telling import tell
from mvote.polls.rolls.abandoning import UNTOUCHED_DAYS
from tests.support.integrity import CIRCLE
from tests.support.racing import Beside
from tests.support.rolls import ROLL, csv_of, number, opened, send_roll
from tests.support.waiting import wait_until_blocked
from tests.support.world import Person, World

NUMBERS = csv_of([number(1), number(2)])


class Desk:
    """A draft with a roll whose numbers wait for invitations, and the officer who made it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.officer = world.officer()
        self.poll = world.draft(self.officer, eligibility=ROLL)
        assert self.send().status_code == 201

    def send(self) -> Any:
        return send_roll(self.world, self.poll, self.officer, NUMBERS, query="?invite=true")

    def let_days_pass(self, days: float) -> None:
        """Let everything have been done so many days earlier."""
        with self.past_the_guards() as connection:
            for column in (
                "roll SET imported_at = imported_at",
                "poll SET revised_at = revised_at",
            ):
                later = f"UPDATE {column} - make_interval(secs => %s)"
                connection.execute(later.encode(), [days * 86_400])

    @contextmanager
    def past_the_guards(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("SET session_replication_role = replica")
            yield connection

    def keep_house(self) -> None:
        keeper_round(self.world.engines["api"], self.world.wiring.keystore)

    def left(self) -> tuple[int, int, int]:
        """How many rolls, entries and invitations there are."""
        roll, entries, invited = map(self.world.count, ("roll", "roll_entry", "invitation"))
        return roll, entries, invited

    def told(self, who: Person) -> list[dict[str, Any]]:
        with Session(self.world.engines["api"]) as session, transaction(session):
            tell(session)
        headers = who.headers | {"Accept-Language": "en"}
        return list(self.world.client.get("/v1/me/inbox", headers=headers).get_json()["items"])

    def shown(self) -> Any:
        path = f"/v1/polls/{self.poll['id']}"
        return self.world.client.get(path, headers=self.officer.headers)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_a_draft_that_nobody_touched_loses_its_roll_and_stays(desk: Desk) -> None:
    desk.let_days_pass(UNTOUCHED_DAYS)
    desk.keep_house()
    assert desk.left() == (0, 0, 0)
    assert (desk.shown().status_code, desk.shown().get_json()["status"]) == (200, "draft")
    [item] = desk.told(desk.officer)
    assert (item["kind"], item["poll_id"]) == ("poll_roll_given_up", desk.poll["id"])
    assert f"{UNTOUCHED_DAYS} days" in item["message"]
    facts = desk.world.rows("SELECT facts FROM journal WHERE kind = 'poll:roll_given_up'")
    assert facts == [({"size": 2},)]


def test_a_roll_is_kept_until_the_term_is_over(desk: Desk) -> None:
    desk.let_days_pass(UNTOUCHED_DAYS - 1)
    desk.keep_house()
    assert desk.left() == (1, 2, 2)
    assert desk.told(desk.officer) == []


def test_whoever_changes_a_draft_keeps_its_roll(desk: Desk) -> None:
    desk.let_days_pass(UNTOUCHED_DAYS)
    headers = desk.officer.headers | {"If-Match": desk.shown().headers["ETag"]}
    path = f"/v1/polls/{desk.poll['id']}"
    changed = desk.world.client.patch(path, json={"title": "다시"}, headers=headers)
    assert changed.status_code == 200
    desk.keep_house()
    assert desk.left() == (1, 2, 2)
    desk.let_days_pass(UNTOUCHED_DAYS)
    desk.keep_house()
    assert desk.left() == (0, 0, 0)


def test_nobody_waits_for_a_roll_that_is_being_given_up(desk: Desk) -> None:
    """Of a million entries it takes seconds; what is noted of places is noted before."""
    desk.let_days_pass(UNTOUCHED_DAYS)
    desk.world.open_poll(presence=CIRCLE)
    with psycopg.connect(desk.world.admin_url) as connection:
        connection.execute("UPDATE poll_place SET live_until = now()")
    keeping = Beside(desk.keep_house)
    with transaction_on(desk.world.engines["api"]) as holding:
        one_at_a_time(holding, uuid.UUID(desk.poll["id"]))
        keeping.__enter__()
        wait_until_blocked(desk.world.admin_url, "pg_advisory_xact_lock")
        found = desk.world.rows("SELECT live FROM poll_place")
    keeping.__exit__()
    assert found == [(False,)]
    assert desk.left() == (0, 0, 0)


def test_rolls_are_given_up_one_in_a_round(desk: Desk) -> None:
    other = Desk(desk.world)
    desk.let_days_pass(UNTOUCHED_DAYS)
    desk.keep_house()
    assert desk.left() == (1, 2, 2)
    other.keep_house()
    assert desk.left() == (0, 0, 0)


def test_the_roll_of_a_poll_that_was_opened_is_never_given_up(desk: Desk) -> None:
    opened(desk.world, desk.poll, desk.officer)
    desk.let_days_pass(UNTOUCHED_DAYS)
    desk.keep_house()
    assert desk.left()[:2] == (1, 2)


def test_the_draft_can_be_given_a_roll_again_by_one_officer(desk: Desk) -> None:
    desk.let_days_pass(UNTOUCHED_DAYS)
    desk.keep_house()
    assert desk.send().status_code == 201
    desk.keep_house()
    assert desk.left() == (1, 2, 2)


@pytest.mark.parametrize("days", [0, UNTOUCHED_DAYS - 1])
def test_the_database_itself_gives_up_no_roll_before_its_time(desk: Desk, days: int) -> None:
    desk.let_days_pass(days)
    giving_up = text("SELECT give_up_roll(:id)")
    with Session(desk.world.engines["api"]) as session, transaction(session):
        assert session.execute(giving_up, {"id": desk.poll["id"]}).scalar_one() is False
    assert desk.left() == (1, 2, 2)
