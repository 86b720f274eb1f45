"""What is reported of a poll that an officer keeps out is answered already, and goes in time."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from jobs import keeper_round
from mvote.moderation.forgetting import REPORT_TERM
from tests.support.people import problem
from tests.support.reporting import decided, held_back, is_listed, reported, try_report
from tests.support.world import Person, World


@pytest.fixture
def kept(world: World) -> dict[str, Any]:
    poll = held_back(world)
    assert decided(world, poll, "keep").status_code == 200
    return poll


@pytest.fixture
def late(world: World, kept: dict[str, Any]) -> Person:
    """Somebody who reports it after the decision."""
    return reported(world, kept, 1, text="아직도 있어요.")[0]


def let_decisions_pass(world: World, days: int) -> None:
    """Let the decisions be so much older, and the keeper come by."""
    with psycopg.connect(world.admin_url) as connection:
        connection.execute("ALTER TABLE moderation_decision DISABLE TRIGGER insert_only")
        connection.execute(
            "UPDATE moderation_decision SET at = at - make_interval(days => %s),"
            " held_at = held_at - make_interval(days => %s)",
            [days, days],
        )
        connection.execute("ALTER TABLE moderation_decision ENABLE TRIGGER insert_only")
    keeper_round(world.engines["api"], world.wiring.keystore)


@pytest.mark.usefixtures("late")
def test_what_is_reported_of_a_kept_poll_goes_when_all_of_that_decision_goes(world: World) -> None:
    let_decisions_pass(world, REPORT_TERM.days - 1)
    assert world.count("report") == world.settings.reports_to_hold + 1
    let_decisions_pass(world, 2)
    assert world.count("report") == 0


@pytest.mark.usefixtures("late")
def test_it_waits_for_nobody(world: World, kept: dict[str, Any]) -> None:
    queue = world.client.get("/v1/moderation", headers=world.officer().headers).get_json()
    [case] = queue["items"]
    assert (case["state"], case["waiting"], case["grounds"], case["texts"]) == ("kept", 0, [], [])
    assert world.client.get("/v1/moderation/summary").get_json()["reported"] == 0
    assert not is_listed(world, kept)


def test_when_the_poll_is_released_it_counts_no_more(
    world: World, kept: dict[str, Any], late: Person
) -> None:
    released = decided(world, kept, "release").get_json()
    assert released["decisions"][1]["grounds"] == []
    assert problem(try_report(world, kept, late)) == (409, "already-reported")
    let_decisions_pass(world, REPORT_TERM.days + 1)
    assert world.count("report") == 0
