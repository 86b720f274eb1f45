"""Reports of private polls: so few have come in that its author could guess who it was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.people import problem
from tests.support.reporting import REASON, citizens_poll, decided, inbox, shown, try_report
from tests.support.rooms import PASSWORD, looked_up
from tests.support.world import Person, World


@pytest.fixture
def author(world: World) -> Person:
    return world.citizen()


@pytest.fixture
def room(world: World, author: Person) -> dict[str, Any]:
    """A private poll that one of those who have come in reported."""
    poll = citizens_poll(world, author, room_password=PASSWORD)
    report_from_inside(world, poll)
    return poll


def report_from_inside(world: World, poll: dict[str, Any]) -> None:
    guest = world.citizen()
    token = looked_up(world, guest, poll["room_number"]).get_json()["room_pass"]
    assert try_report(world, poll, guest, headers={"Room-Pass": token}).status_code == 201


def seen_by_its_author(world: World, poll: dict[str, Any], author: Person) -> tuple[Any, Any]:
    return shown(world, poll, author), inbox(world, author)


def test_the_author_of_a_private_poll_sees_no_difference_that_a_report_or_its_answer_makes(
    world: World, author: Person
) -> None:
    poll = citizens_poll(world, author, room_password=PASSWORD)
    before = seen_by_its_author(world, poll, author)
    report_from_inside(world, poll)
    assert seen_by_its_author(world, poll, author) == before
    assert decided(world, poll, "release").status_code == 200
    assert seen_by_its_author(world, poll, author) == before
    told = "SELECT facts -> 'reason' FROM journal WHERE kind = 'poll:reports-decided'"
    assert world.rows(told) == [(REASON,)]


def test_what_the_public_counts_says_nothing_of_private_polls(world: World, author: Person) -> None:
    def counted() -> Any:
        return world.client.get("/v1/moderation/summary").get_json()

    poll = citizens_poll(world, author, room_password=PASSWORD)
    before = counted()
    report_from_inside(world, poll)
    assert counted() == before
    assert decided(world, poll, "release").status_code == 200
    assert counted() == before


def test_officers_see_what_was_reported_of_a_private_poll(
    world: World, room: dict[str, Any]
) -> None:
    queue = world.client.get("/v1/moderation", headers=world.officer().headers).get_json()
    [case] = queue["items"]
    assert (case["poll"]["id"], case["waiting"]) == (room["id"], 1)
    assert problem(decided(world, room, "keep")) == (409, "never-held-back")
