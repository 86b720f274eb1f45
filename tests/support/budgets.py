"""Cycles to test with: those of seven years, put around now, planned and started over HTTP."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from mvote.base import instant, utc_now
from mvote.budget.cycle import PhaseKind
from mvote.budget.dates import dates_in, put_dates
from tests.support.world import Person, World

FIXTURES = Path(__file__).parent / "cycles"
YEARS = (2012, 2014, 2015, 2016, 2017, 2020, 2023)
Definition = dict[str, Any]


def definition_of(year: int) -> Definition:
    """The rules of that year's cycle, as a city would send them."""
    found: Definition = json.loads((FIXTURES / f"{year}.json").read_text(encoding="utf-8"))
    return found


def definition_elsewhere(name: str) -> Definition:
    """The rules of a city that nobody thought of while this was built."""
    path = FIXTURES.parent / "other_cities" / f"{name}.json"
    found: Definition = json.loads(path.read_text(encoding="utf-8"))
    return found


def around_now(definition: Definition, kind: PhaseKind) -> Definition:
    """The same plan, all dates moved alike, so that the phase *kind* began a minute ago."""
    [phase] = [each for each in definition["phases"] if each["kind"] == kind]
    began = utc_now().replace(microsecond=0) - dt.timedelta(minutes=1)
    by = began - dt.datetime.fromisoformat(phase["opens_at"])
    dates = dates_in(definition).items()
    moved = {pointer: instant(dt.datetime.fromisoformat(at) + by) for pointer, at in dates}
    return put_dates(definition, moved)


def send(world: World, definition: Any, officer: Person) -> TestResponse:
    return world.client.post("/v1/cycles", json=definition, headers=officer.headers)


def plan(world: World, definition: Definition, officer: Person) -> dict[str, Any]:
    """The draft of a cycle."""
    answer = send(world, definition, officer)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.get_json())


def phase(world: World, cycle: dict[str, Any], officer: Person, **body: Any) -> TestResponse:
    """Start the cycle, or begin or move a phase."""
    path = f"/v1/cycles/{cycle['id']}/phase"
    return world.client.post(path, json=body, headers=officer.headers)


def running(
    world: World, kind: PhaseKind = "proposing", *, year: int = 2015, officer: Person | None = None
) -> dict[str, Any]:
    """A cycle with that year's rules that runs and is in the phase *kind* now."""
    officer = officer or world.officer()
    cycle = plan(world, around_now(definition_of(year), kind), officer)
    answer = phase(world, cycle, officer)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def begin(world: World, cycle: dict[str, Any], kind: PhaseKind) -> dict[str, Any]:
    """Let two officers begin the phase *kind* now."""
    assert phase(world, cycle, world.officer(), kind=kind).status_code == 202
    answer = phase(world, cycle, world.officer(), kind=kind)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def read(world: World, cycle: dict[str, Any]) -> dict[str, Any]:
    return dict(world.client.get(f"/v1/cycles/{cycle['id']}").get_json())
