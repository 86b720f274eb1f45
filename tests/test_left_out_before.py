"""Whoever comes back under the same words is seen by officers, and refused by nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.reporting import citizens_poll, decided, held_back, is_listed, reported
from tests.support.world import Person, World

CHEAP = "지금 가입하면 커피 한 잔을 드립니다!"


@pytest.fixture
def officer(world: World) -> Person:
    return world.officer()


def seen(world: World, officer: Person, poll: dict[str, Any]) -> list[dict[str, Any]]:
    """What the queue shows beside the poll's case."""
    page = world.client.get("/v1/moderation", headers=officer.headers).get_json()
    [case] = [each for each in page["items"] if each["poll"]["id"] == poll["id"]]
    return list(case["left_out_before"])


def back_again(world: World, title: str = CHEAP) -> dict[str, Any]:
    """Somebody else's poll under the same words, reported once."""
    poll = citizens_poll(world, title=title)
    reported(world, poll, 1)
    return poll


def test_a_poll_that_was_kept_out_is_seen_beside_one_that_comes_back_under_its_words(
    world: World, officer: Person
) -> None:
    kept = held_back(world, title=CHEAP)
    assert decided(world, kept, "keep", officer).status_code == 200
    again = back_again(world, title="지금 가입하면 커피 한 잔을 드립니다")
    assert is_listed(world, again)
    assert seen(world, officer, again) == [
        {"id": kept["id"], "title": kept["title"], "score": 1, "state": "kept"}
    ]


def test_polls_that_are_held_back_or_were_released_from_it_are_seen_too(
    world: World, officer: Person
) -> None:
    released, held = held_back(world, title=CHEAP), held_back(world, title=CHEAP)
    assert decided(world, released, "release", officer).status_code == 200
    again = back_again(world)
    states = {(each["id"], each["state"]) for each in seen(world, officer, again)}
    assert states == {(released["id"], "released"), (held["id"], "held")}
    assert [each["id"] for each in seen(world, officer, held)] == [released["id"]]


def test_what_reads_otherwise_or_was_always_in_the_lists_is_not_seen(
    world: World, officer: Person
) -> None:
    held_back(world, title="도서관을 밤에도 열까요?")
    listed = back_again(world)
    assert decided(world, listed, "release", officer).status_code == 200
    assert seen(world, officer, back_again(world)) == []


def test_beside_a_case_that_is_decided_nothing_is_seen(world: World, officer: Person) -> None:
    held_back(world, title=CHEAP)
    again = back_again(world)
    answer = decided(world, again, "release", officer)
    assert answer.get_json()["left_out_before"] == []
