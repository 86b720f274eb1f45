"""A hold that no officer has looked at ends by itself; its reports wait on."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from jobs import keeper_round
from tests.support.reporting import (
    citizens_poll,
    decided,
    held_back,
    inbox,
    is_listed,
    reported,
    shown,
)
from tests.support.world import Person, World


@pytest.fixture
def author(world: World) -> Person:
    return world.citizen()


@pytest.fixture
def held(world: World, author: Person) -> dict[str, Any]:
    return held_back(world, author)


def let_pass(world: World, hours: int) -> None:
    """Let the cases be so much older, and the keeper come by."""
    with psycopg.connect(world.admin_url) as connection:
        connection.execute(
            "UPDATE moderation_case SET held_at = held_at - make_interval(hours => %s),"
            " waiting_since = waiting_since - make_interval(hours => %s)",
            [hours, hours],
        )
    keeper_round(world.engines["api"], world.wiring.keystore)


def summary(world: World) -> dict[str, Any]:
    return dict(world.client.get("/v1/moderation/summary").get_json())


def test_a_hold_that_no_officer_looks_at_ends_and_its_author_is_told(
    world: World, held: dict[str, Any], author: Person
) -> None:
    let_pass(world, 71)
    assert not is_listed(world, held)
    let_pass(world, 2)
    assert is_listed(world, held)
    assert shown(world, held)["held_back"] is None
    assert inbox(world, author)[0]["kind"] == "poll_hold_expired"
    [case] = world.client.get("/v1/moderation", headers=world.officer().headers).get_json()["items"]
    assert (case["state"], case["waiting"]) == ("reported", world.settings.reports_to_hold)
    figures = summary(world)
    names = "held", "held_now", "expired", "released", "reported"
    assert [figures[name] for name in names] == [1, 0, 1, 0, 1]
    since = world.rows("SELECT (waiting_since AT TIME ZONE 'UTC')::date FROM moderation_case")
    assert figures["oldest_waiting_since"] == since[0][0].isoformat()


def test_the_same_reports_hold_it_back_no_second_time_and_as_many_new_ones_do(
    world: World, held: dict[str, Any]
) -> None:
    let_pass(world, 73)
    reported(world, held, world.settings.reports_to_hold - 1)
    assert is_listed(world, held)
    reported(world, held, 1)
    assert not is_listed(world, held)


def test_what_an_officer_keeps_out_stays_out(world: World, held: dict[str, Any]) -> None:
    assert decided(world, held, "keep").status_code == 200
    let_pass(world, 1_000)
    assert not is_listed(world, held)


def test_what_was_kept_out_without_a_hold_is_no_hold_in_the_summary(world: World) -> None:
    poll = citizens_poll(world)
    reported(world, poll, 1)
    for decision in ("keep", "release"):
        assert decided(world, poll, decision).status_code == 200
    figures = summary(world)
    assert [figures[name] for name in ("held", "kept", "released", "kept_now")] == [0, 1, 1, 0]
    assert figures["median_hours_held"] is None


def test_the_metrics_say_how_many_are_held_and_how_long_the_oldest_waits(
    world: World, held: dict[str, Any]
) -> None:
    let_pass(world, 10)
    figures = world.client.get("/metrics").get_data(as_text=True)
    assert "mvote_polls_held 1.0" in figures
    assert "mvote_oldest_case_hours 1" in figures
