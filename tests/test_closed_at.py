"""When voting ended is shown as it was, beside the plan, wherever a poll is shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from mvote.base import instant, utc_now
from tests.support.governing import REASON, both
from tests.support.world import World

Ending = Callable[[World, dict[str, Any]], None]
Shown = dict[str, Any]


def _early(world: World, poll: Shown) -> None:
    assert both(world, poll, "close").status_code == 200


def _early_and_counted(world: World, poll: Shown) -> None:
    _early(world, poll)
    world.run_shuffler()
    world.run_counter()


def _voided(world: World, poll: Shown) -> None:
    assert both(world, poll, "void", **REASON).status_code == 200


def _shown(world: World, poll: Shown) -> Shown:
    return dict(world.client.get(f"/v1/polls/{poll['id']}").get_json())


def _listed(world: World, query: str = "") -> list[Shown]:
    return list(world.client.get(f"/v1/polls{query}").get_json()["items"])


@pytest.mark.parametrize("end", [_early, _early_and_counted, _voided])
def test_a_poll_that_ended_before_its_time_shows_when_it_ended_and_still_the_plan(
    world: World, end: Ending
) -> None:
    poll = world.open_poll()
    frozen = world.client.get(f"/v1/polls/{poll['id']}/definition").get_data()
    assert _shown(world, poll)["closed_at"] is None
    before = instant(utc_now())
    end(world, poll)
    shown = _shown(world, poll)
    assert before <= shown["closed_at"] <= instant(utc_now()) < shown["closes_at"]
    assert shown["closes_at"] == poll["closes_at"]
    assert _listed(world) == [shown]
    assert world.client.get(f"/v1/polls/{poll['id']}/definition").get_data() == frozen


def test_a_poll_that_ran_its_time_ended_when_it_said_however_late_the_shuffler_came(
    world: World,
) -> None:
    poll = world.open_poll()
    world.end_voting(poll)
    ended = _shown(world, poll)
    assert (ended["status"], ended["closed_at"]) == ("closing", ended["closes_at"])
    world.run_shuffler()
    closed = _shown(world, poll)
    assert (closed["status"], closed["closed_at"]) == ("closed", ended["closes_at"])


def test_a_poll_that_nobody_voted_in_yet_or_that_was_cancelled_has_not_closed(
    world: World,
) -> None:
    author = world.officer()
    soon = instant(utc_now() + dt.timedelta(minutes=30))
    poll = world.open_poll(author, opens_at=soon)
    assert poll["closed_at"] is None
    answer = world.client.post(f"/v1/polls/{poll['id']}/cancel", headers=author.headers)
    assert (answer.get_json()["status"], answer.get_json()["closed_at"]) == ("cancelled", None)


def test_only_polls_that_have_not_ended_are_listed_as_open(world: World) -> None:
    early, still_open, over = (world.open_poll() for _ in range(3))
    _early(world, early)
    world.end_voting(over)
    listed = {status: _listed(world, f"?status={status}") for status in ("open", "closing")}
    assert [poll["id"] for poll in listed["open"]] == [still_open["id"]]
    assert {poll["id"] for poll in listed["closing"]} == {early["id"], over["id"]}
    assert all(poll["closed_at"] is None for poll in listed["open"])
    assert all(poll["closed_at"] is not None for poll in listed["closing"])


def test_who_took_part_sees_when_it_ended(world: World) -> None:
    poll, voter = world.open_poll(), world.citizen()
    world.cast(poll, voter)
    _early(world, poll)
    [mine] = world.client.get("/v1/me/participations", headers=voter.headers).get_json()["items"]
    assert mine["closed_at"] == _shown(world, poll)["closed_at"]
