"""The dates of a definition, each named by its JSON pointer: found, compared, put anew."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from mvote.base import Json
from mvote.budget.contradictions.texts import PHASES
from mvote.budget.cycle import PHASE_KINDS, PhaseKind
from mvote.errors import Fault, InvalidRequest
from mvote.wording import say

NOW = "now"
"""Stands for the clock at the moment in which a date is put."""
NAMES = ("opens_at", "closes_at")
Dates = Mapping[str, str]
"""JSON pointer into the definition -> an instant (RFC 3339), or NOW."""


def dates_in(definition: Mapping[str, Json]) -> dict[str, str]:
    """Every date of phases and sources that is said."""
    return {
        f"{pointer}/{name}": dated[name]
        for pointer, dated in _dated(definition)
        for name in NAMES
        if dated.get(name) is not None
    }


def without_dates(definition: Mapping[str, Json]) -> dict[str, Json]:
    """A copy without any date: what of a running cycle never changes."""
    bare: dict[str, Json] = copy.deepcopy(dict(definition))
    for _, dated in _dated(bare):
        for name in NAMES:
            dated.pop(name, None)
    return bare


def put_dates(definition: Mapping[str, Json], dates: Dates) -> dict[str, Json]:
    """A copy with these *dates*; each pointer leads to a phase or a source."""
    moved: dict[str, Json] = copy.deepcopy(dict(definition))
    places = dict(_dated(moved))
    for pointer, at in dates.items():
        place, _, name = pointer.rpartition("/")
        places[place][name] = at
    return moved


def wanted_dates(definition: Mapping[str, Json], kind: PhaseKind, wanted: Dates) -> dict[str, str]:
    """What of *wanted* (`opens_at`, `closes_at`) is other than planned for the phase *kind*."""
    pointer, phase = _phase(definition, kind)
    return {f"{pointer}/{name}": at for name, at in wanted.items() if phase[name] != at}


def beginning_now(
    definition: Mapping[str, Json], kind: PhaseKind, now: dt.datetime
) -> dict[str, str]:
    """What must change for the phase *kind* to begin now, and those before it to be over.

    Nothing, if it has begun. Raises InvalidRequest if it is over by its plan, or if another that
    has not begun comes first.
    """
    pointer, phase = _phase(definition, kind)
    if _at(phase, "closes_at") <= now:
        raise InvalidRequest(Fault(
            "/closes_at", say("The phase is over by its plan; give it a new end."),
        ))  # fmt: skip
    if _at(phase, "opens_at") <= now:
        return {}
    return {f"{pointer}/opens_at": NOW, **_ending_before(definition, kind, now)}


def _ending_before(
    definition: Mapping[str, Json], kind: PhaseKind, now: dt.datetime
) -> dict[str, str]:
    """The ends of the phases before *kind* that are not over: now, if they have begun."""
    earlier = PHASE_KINDS[: PHASE_KINDS.index(kind)]
    lasting = {
        f"/phases/{n}/closes_at": each
        for n, each in enumerate(definition["phases"])
        if each["kind"] in earlier and _at(each, "closes_at") > now
    }
    ahead = {each["kind"] for each in lasting.values() if _at(each, "opens_at") > now}
    if ahead:
        first = min(ahead, key=earlier.index)
        raise InvalidRequest(Fault(
            "/kind", say("The phase {phase} comes first and has not begun.", phase=PHASES[first])
        ))  # fmt: skip
    return dict.fromkeys(lasting, NOW)


def _phase(definition: Mapping[str, Json], kind: PhaseKind) -> tuple[str, dict[str, Any]]:
    for n, phase in enumerate(definition["phases"]):
        if phase["kind"] == kind:
            return f"/phases/{n}", phase
    raise InvalidRequest(Fault(
        "/kind", say("The cycle has no such phase.")
    ))  # fmt: skip


def _at(phase: Mapping[str, str], name: str) -> dt.datetime:
    return dt.datetime.fromisoformat(phase[name])


def _dated(definition: Mapping[str, Json]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that has dates, by its pointer."""
    for n, phase in enumerate(definition.get("phases") or ()):
        yield f"/phases/{n}", phase
    for n, contest in enumerate(definition.get("contests") or ()):
        for m, source in enumerate(contest["sources"]):
            yield f"/contests/{n}/sources/{m}", source
