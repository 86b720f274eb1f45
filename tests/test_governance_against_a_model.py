"""A poll's life against a model: officers act, voters cast, workers work, in whatever order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mvote.base import instant, utc_now
from tests.support.governing import call, spoil
from tests.support.poll_model import VERBS, Model, Step
from tests.support.world import Person, World

OFFICERS, VOTERS = 2, 3
acts = st.tuples(st.sampled_from(VERBS), st.integers(0, OFFICERS - 1), st.integers(0, 1))
COURSE: tuple[Step, ...] = (
    ("cast", 0, 0), ("cast", 1, 0), ("cast", 0, 0), ("lose an envelope", 0, 0),
    ("time is over", 0, 0), ("cast", 2, 0), ("shuffle", 0, 0), ("count", 0, 0),
)  # fmt: skip


@st.composite
def lives(draw: st.DrawFn) -> list[Step]:
    """The common course of a poll, parts of it left out, acts of officers in between."""
    steps: list[Step] = []
    for step in COURSE:
        steps += draw(st.lists(acts, max_size=2))
        steps += [step] if draw(st.integers(0, 4)) else []
    return steps + draw(st.lists(acts, min_size=2, max_size=6))


@dataclass
class City:
    """The same, for real."""

    world: World
    poll: dict[str, Any]
    officers: list[Person]
    voters: list[Person]
    ends: list[str]

    def step(self, what: str, who: int, which: int) -> int | None:
        match what:
            case "cast":
                return self.world.cast(self.poll, self.voters[who]).status_code
            case "time is over" if self._state() == "open":
                self.world.end_voting(self.poll)
            case "lose an envelope":
                one = f"SELECT id FROM envelope WHERE poll_id = '{self.poll['id']}' LIMIT 1"  # noqa: S608
                spoil(self.world, f"DELETE FROM envelope WHERE id = ({one})")  # noqa: S608
            case "shuffle":
                self.world.run_shuffler()
            case "count":
                self.world.run_counter()
            case _ if what in VERBS:
                body = self._arguments(what, which)
                return call(self.world, self.poll, what, self.officers[who], **body).status_code
        return None

    def _state(self) -> str:
        return str(self.world.rows("SELECT state FROM poll WHERE id = %s", self.poll["id"])[0][0])

    def _arguments(self, verb: str, which: int) -> dict[str, Any]:
        texts = [{"text": "하나"}, {"text": "둘"}]
        return {
            "extend": {"closes_at": self.ends[which]},
            "void": texts[which],
            "notices": texts[which],
        }.get(verb, {})


@given(life=lives())
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_poll_lives_as_the_model_does(world: World, life: list[Step]) -> None:
    world.stock_keys()
    city = City(
        world=world,
        poll=world.open_poll(publish_from=2),
        officers=[world.officer() for _ in range(OFFICERS)],
        voters=world.citizens(VOTERS),
        ends=[instant(utc_now() + dt.timedelta(hours=hours)) for hours in (3, 5)],
    )
    model = Model()
    path = f"/v1/polls/{city.poll['id']}"
    for step in life:
        assert (step, city.step(*step)) == (step, model.step(*step))
        assert world.client.get(path).get_json()["status"] == model.status
    told = world.client.get(f"{path}/notices").get_json()["items"]
    assert [notice["kind"] for notice in told] == model.notices
    result = world.client.get(f"{path}/results")
    assert result.status_code == (200 if model.status == "published" else 409)
    if model.status == "published":
        assert result.get_json()["turnout"]["ballots"] == len(model.voted) - model.lost
        assert result.get_json()["accounting"]["accounting_holds"] is (model.lost == 0)
