"""What is refused of a log: places beyond it, ballots not in it, logs that are not there yet."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from werkzeug.test import TestResponse

from mvote.ballotbox.log import CITY
from tests.support.log_reading import Get, below, logged_poll
from tests.support.world import World


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    return logged_poll(world)


@pytest.fixture
def get(world: World, poll: dict[str, Any]) -> Get:
    return below(world, poll)


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


@pytest.mark.parametrize("tracker", ["0" * 32, "0" * 31, "0" * 33, "G" * 32, "A" * 32, "%00"])
def test_what_is_no_tracker_in_the_log_is_not_found(get: Get, tracker: str) -> None:
    assert refusal(get(f"ballots/{tracker}")) == (404, "not-found")


def test_a_ballot_that_waits_is_not_in_the_log(world: World) -> None:
    poll = world.open_poll()
    tracker = world.cast(poll, world.citizen()).get_json()["tracker"]
    answer = world.client.get(f"/v1/polls/{poll['id']}/ballots/{tracker}")
    assert refusal(answer) == (404, "not-found")


def test_a_ballot_of_another_poll_is_not_found(
    world: World, get: Get, poll: dict[str, Any]
) -> None:
    other = world.open_poll()
    world.close(other)
    world.sign()
    answer = world.client.get(f"/v1/polls/{other['id']}/ballots/{poll['trackers'][0]}")
    assert refusal(answer) == (404, "not-found")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("entries", {"start": 3, "end": 2}),
        ("entries", {"end": 99}),
        ("entries", {"start": 99}),
        ("entries", {"start": -1}),
        ("entries", {"end": 10**30}),
        ("entries", {"start": "x"}),
        ("proof/inclusion", {}),
        ("proof/inclusion", {"index": 6}),
        ("proof/inclusion", {"index": 3, "size": 3}),
        ("proof/inclusion", {"index": 0, "size": 0}),
        ("proof/inclusion", {"index": 0, "size": 7}),
        ("proof/inclusion", {"index": -1}),
        ("proof/inclusion", {"index": 10**17, "size": 10**17}),
        ("proof/consistency", {}),
        ("proof/consistency", {"from": 3, "to": 2}),
        ("proof/consistency", {"from": 0, "to": 7}),
        ("proof/consistency", {"from": 7}),
        ("proof/consistency", {"from": -1, "to": 2}),
        ("proof/consistency", {"from": 10**18 - 1, "to": 10**18 - 1}),
    ],
)
def test_places_outside_the_log_or_in_the_wrong_order_are_refused(
    get: Get, path: str, query: dict[str, Any]
) -> None:
    answer = get(f"log/{path}", **query)
    assert refusal(answer) == (422, "invalid-request")
    assert {fault["in"] for fault in answer.get_json()["errors"]} == {"query"}


def test_before_a_signed_checkpoint_there_is_no_log_to_read(world: World) -> None:
    poll = world.open_poll()
    for log_of in (f"/v1/polls/{poll['id']}/log", "/v1/log"):
        for path in (
            "checkpoint",
            "entries",
            "proof/inclusion?index=0",
            "proof/consistency?from=0",
        ):
            assert refusal(world.client.get(f"{log_of}/{path}")) == (404, "not-found")


def test_the_log_of_a_draft_or_of_no_poll_is_not_found_not_even_by_its_author(
    world: World,
) -> None:
    author = world.officer()
    for poll_id in (world.draft(author)["id"], secrets.token_hex(16), str(CITY)):
        answer = world.client.get(f"/v1/polls/{poll_id}/log/checkpoint", headers=author.headers)
        assert refusal(answer) == (404, "not-found")
