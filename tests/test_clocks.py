"""Clocks that jump an hour: the database's clock decides, whatever that of the application says."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
import time_machine
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from geo.places import CityPlaces
from jobs import keeper_round, shuffler_round
from mvote.ballotbox.clocks import ClockWatch, machine_time
from mvote.base import instant, utc_now
from mvote.housekeeping import keep_lists
from mvote.people.citizens import Tombstone
from mvote.people.registering import register_many
from mvote.people.voters import anchors_of
from tests.support.governing import call
from tests.support.world import CITY_HALL, Person, World

HOUR = dt.timedelta(hours=1)
CIRCLE = {"rule": "area", "area": {"center": CITY_HALL, "radius_m": 900}}
JUMPS = pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "behind"])


def again(world: World, person: Person) -> Person:
    """The same person with a token of this moment: tokens live for minutes."""
    return world.person(person.id)


def wrong(jump: dt.timedelta) -> Any:
    """The application's clock, off by *jump*; the database has its own."""
    return time_machine.travel(utc_now() + jump, tick=True)


def status(world: World, poll: dict[str, Any]) -> str:
    return str(world.client.get(f"/v1/polls/{poll['id']}").get_json()["status"])


def in_(**ahead: float) -> str:
    return instant(utc_now() + dt.timedelta(**ahead))


def one_round_of_each_worker(world: World) -> None:
    shuffler_round(world.engines["shuffler"], open_keystore(world.settings, "shuffler"))
    keeper_round(world.engines["api"], open_keystore(world.settings, "api"))


@JUMPS
def test_a_poll_is_open_and_takes_ballots_whatever_the_applications_clock_says(
    world: World, jump: dt.timedelta
) -> None:
    poll, voter = world.open_poll(closes_at=in_(minutes=30)), world.citizen()
    with wrong(jump):
        one_round_of_each_worker(world)
        assert status(world, poll) == "open"
        assert world.cast(poll, again(world, voter)).status_code == 201
    assert status(world, poll) == "open"


@JUMPS
def test_a_poll_whose_time_is_over_is_closed_whatever_the_applications_clock_says(
    world: World, jump: dt.timedelta
) -> None:
    poll, voter = world.open_poll(), world.citizen()
    world.end_voting(poll)
    with wrong(jump):
        late = world.cast(poll, again(world, voter))
        assert (late.status_code, late.get_json()["code"]) == (409, "poll-not-open")
        one_round_of_each_worker(world)
        assert status(world, poll) == "closed"
    assert world.count("participation") == 0


@JUMPS
def test_a_scheduled_poll_does_not_open_before_its_time(world: World, jump: dt.timedelta) -> None:
    poll = world.open_poll(opens_at=in_(minutes=30), closes_at=in_(minutes=90))
    voter = world.citizen()
    with wrong(jump):
        assert status(world, poll) == "scheduled"
        early = world.cast(poll, again(world, voter))
        assert (early.status_code, early.get_json()["code"]) == (409, "poll-not-open")
    assert world.count("participation") == 0


@JUMPS
def test_a_poll_that_opens_at_once_opens_by_the_databases_clock(
    world: World, jump: dt.timedelta
) -> None:
    author, true_time = world.officer(), utc_now()
    draft = world.draft(author, closes_at=instant(true_time + HOUR / 2))
    with wrong(jump):
        path = f"/v1/polls/{draft['id']}/open"
        opened = world.client.post(path, headers=again(world, author).headers).get_json()
    assert opened["status"] == "open"
    assert abs(dt.datetime.fromisoformat(opened["opens_at"]) - true_time) < dt.timedelta(minutes=1)


@JUMPS
def test_officers_extend_and_close_by_the_databases_clock(world: World, jump: dt.timedelta) -> None:
    one, other = world.open_poll(closes_at=in_(minutes=30)), world.open_poll()
    officers, true_end = [world.officer(), world.officer()], in_(minutes=40)
    with wrong(jump):
        for officer in officers:
            by = again(world, officer)
            extended = call(world, one, "extend", by, closes_at=true_end)
            closed = call(world, other, "close", by)
    assert (extended.status_code, extended.get_json()["closes_at"]) == (200, true_end)
    assert closed.get_json()["status"] == "closing"
    for poll in (one, other):
        [notice] = world.client.get(f"/v1/polls/{poll['id']}/notices").get_json()["items"]
        told = dt.datetime.fromisoformat(notice["at"])
        assert abs(told - utc_now()) < dt.timedelta(minutes=1)


def test_an_open_poll_stays_findable_nearby_while_the_applications_clock_is_ahead(
    world: World,
) -> None:
    world.open_poll(presence=CIRCLE, closes_at=in_(minutes=30))
    with wrong(HOUR), Session(world.engines["api"]) as session, transaction(session):
        keep_lists(session, CityPlaces(), dt.timedelta(hours=72))
    assert world.rows("SELECT live FROM poll_place") == [(True,)]


def test_who_gave_up_an_account_is_not_forgotten_early_by_a_clock_that_is_ahead(
    world: World,
) -> None:
    poll, voter = world.open_poll(closes_at=in_(minutes=30)), world.citizen()
    world.cast(poll, voter)
    world.client.delete("/v1/me", headers=voter.headers)
    with wrong(HOUR):
        one_round_of_each_worker(world)
    assert world.count("tombstone") == 1


class Boot:
    """Seconds since the machine was started, and how much of them a test hides."""

    hidden = 0.0

    def __call__(self) -> float:
        return machine_time() - self.hidden


def closing_round(world: World, watch: ClockWatch) -> None:
    keystore = open_keystore(world.settings, "shuffler")
    shuffler_round(world.engines["shuffler"], keystore, watch=watch)


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
def test_no_poll_is_closed_after_the_databases_clock_jumped_until_it_is_back(
    world: World, seconds: float
) -> None:
    boot = Boot()
    watch = ClockWatch(passed=boot)
    closing_round(world, watch)  # sees how far apart the two clocks are
    poll = world.open_poll()
    world.end_voting(poll)  # or so the database says
    boot.hidden = seconds
    for _ in range(2):
        closing_round(world, watch)
        assert world.rows("SELECT state FROM poll") == [("open",)]
    boot.hidden = 0.0
    closing_round(world, watch)
    assert status(world, poll) == "closed"


def test_a_worker_that_is_restarted_takes_the_clock_as_it_is(world: World) -> None:
    boot = Boot()
    boot.hidden = 3600.0
    poll = world.open_poll()
    world.end_voting(poll)
    closing_round(world, ClockWatch(passed=boot))
    assert status(world, poll) == "closed"


def test_small_corrections_of_the_clock_are_followed(world: World) -> None:
    boot = Boot()
    watch = ClockWatch(passed=boot)
    with Session(world.engines["shuffler"]) as session:
        for _ in range(5):
            assert watch.is_steady(session)
            boot.hidden += 300.0


def test_without_the_watch_a_poll_would_be_closed_by_a_clock_that_jumped(world: World) -> None:
    """The sabotaged twin: a worker that believes whatever the clock says."""
    poll = world.open_poll()
    world.end_voting(poll)
    shuffler_round(world.engines["shuffler"], open_keystore(world.settings, "shuffler"))
    assert world.rows("SELECT state FROM poll WHERE id = %s", uuid.UUID(poll["id"])) == [
        ("closed",)
    ]


@JUMPS
def test_what_a_number_left_behind_counts_as_long_as_the_databases_clock_says(
    world: World, jump: dt.timedelta
) -> None:
    """Its next holder votes by it while a poll of that time lives, and by their own afterwards."""
    phones, half = world.app.extensions["phones"], HOUR / 2
    living, free = (f"+82109999{n:04d}" for n in (1, 2))
    left = [(phones.hash_of(living), b"g" * 32, half), (b"o" * 32, phones.anchor_of(free), -half)]
    with Session(world.engines["owner"]) as session, transaction(session):
        for bearer, anchor, ahead in left:
            since, until = utc_now() - 2 * HOUR, utc_now() + ahead
            session.add(Tombstone(bearer_hash=bearer, since=since, anchor=anchor, until=until))
    with (
        wrong(jump),
        Session(world.engines["api"]) as session,
        transaction(session),
    ):
        ids = register_many(session, numbers=[living, free], phones=phones)
        begun = [anchors_of(session, each)[0].anchor for each in ids]
    assert begun == [b"g" * 32, phones.anchor_of(free)]
