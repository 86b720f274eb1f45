"""Reported, held, released, kept: the database and a model of a few lines go the same ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from mvote.errors import ImpossibleTransition
from mvote.moderation.case import STATES, TRANSITIONS, after
from tests.support.reporting import citizens_poll, decided, is_listed, reported, shown
from tests.support.world import World

ACTS = ("report", "release", "keep")


class Model:
    """The rules in plain words: nothing is held before enough have reported since the last
    decision, twice as many after each time that it was left out and released."""

    def __init__(self, to_hold: int) -> None:
        self.needed, self.state, self.waiting = to_hold, "", 0

    def report(self) -> None:
        if self.state == "kept":
            return
        self.waiting += 1
        self.state = "held" if self.waiting >= self.needed else "reported"

    def decide(self, decision: str) -> int:
        """The status of the answer."""
        if not self.state:
            return 404
        if not self.waiting and (self.state, decision) != ("kept", "release"):
            return 409
        comes_back = decision == "release" and self.state in ("held", "kept")
        self.state = "released" if decision == "release" else "kept"
        self.waiting, self.needed = 0, self.needed * (2 if comes_back else 1)
        return 200


@pytest.fixture
def fresh(world: World) -> Callable[[], dict[str, Any]]:
    def make() -> dict[str, Any]:
        world.stock_keys()
        return citizens_poll(world)

    return make


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(st.sampled_from([*ACTS, "report", "report", "report"]), max_size=14))
def test_every_way_through_a_case_is_the_models(
    world: World, fresh: Callable[[], dict[str, Any]], acts: list[str]
) -> None:
    poll, officer = fresh(), world.officer()
    model = Model(world.settings.reports_to_hold)
    for act in acts:
        if act == "report":
            reported(world, poll, 1)
            model.report()
        else:
            assert decided(world, poll, act, officer).status_code == model.decide(act)
        is_out = model.state in ("held", "kept")
        assert (shown(world, poll)["held_back"] is not None) == is_out
        assert is_listed(world, poll) is not is_out
    found = world.rows("SELECT state, waiting FROM moderation_case WHERE poll_id = %s", poll["id"])
    assert found == ([(model.state, model.waiting)] if model.state else [])


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", ["report", "hold", "release", "keep"])
def test_a_case_goes_only_where_the_table_says(state: Any, verb: str) -> None:
    if (state, verb) in TRANSITIONS:
        assert after(state, verb) in STATES
    else:
        with pytest.raises(ImpossibleTransition):
            after(state, verb)


@pytest.mark.parametrize(
    "forged",
    [
        (
            "UPDATE moderation_case SET state = 'released', waiting = 0, waiting_since = NULL,"
            " decided = 5"
        ),
        (
            "UPDATE moderation_case SET state = 'held', waiting = 1, held_at = now(),"
            " poll_id = gen_random_uuid()"
        ),
        "UPDATE moderation_case SET state = 'kept'",
        "UPDATE report SET text = 'other words'",
        "DELETE FROM report",
    ],
)
def test_the_database_lets_no_report_vanish_and_no_case_jump(world: World, forged: str) -> None:
    reported(world, citizens_poll(world), 1, text="전화번호")
    refused = (IntegrityError, ProgrammingError)
    with Session(world.engines["api"]) as session, pytest.raises(refused):
        session.execute(text(forged))


def test_the_database_holds_no_poll_of_the_city_back(world: World) -> None:
    reported(world, world.open_poll(), 1)
    forged = text("UPDATE moderation_case SET state = 'held', held_at = now()")
    with Session(world.engines["api"]) as session, pytest.raises(IntegrityError):
        session.execute(forged)
