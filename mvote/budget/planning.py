"""Planning a cycle: a department drafts it, changes it, and starts it; contradictions end there."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import Json, database_time, instant
from mvote.budget.contradictions import contradictions
from mvote.budget.cycle import Cycle, PhaseKind
from mvote.budget.dates import NOW, Dates, beginning_now, put_dates, wanted_dates
from mvote.budget.definition import read_definition
from mvote.errors import (
    Fault,
    ImpossibleTransition,
    InvalidRequest,
    NotAllowed,
    NotFound,
    stands_for,
)
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.polls.drafting import Author
from mvote.wording import say

OVER = Fault("/phases", say("The last phase is over."), code="cycle-over")
stands_for("cycle_starts_before_it_ends", lambda: InvalidRequest(OVER))


@dataclass(frozen=True, kw_only=True)
class CyclePlanned(Event):
    kind: ClassVar[str] = "cycle:planned"


@dataclass(frozen=True, kw_only=True)
class CycleRevised(Event):
    kind: ClassVar[str] = "cycle:revised"
    version: int
    #: names of the definition's members that are other than before
    changed: list[str]


@dataclass(frozen=True, kw_only=True)
class CycleStarted(Event):
    kind: ClassVar[str] = "cycle:started"
    version: int


def check_definition(definition: dict[str, Json]) -> None:
    """Raises InvalidRequest with every contradiction in *definition*, a JSON of the right shape."""
    found = contradictions(read_definition(definition))
    if found:
        raise InvalidRequest(*(Fault(each.pointer, each.text, code=each.code) for each in found))


def plan_cycle(
    session: Session, *, author: Author, definition: dict[str, Any], time_zone: str
) -> Cycle:
    """A new draft. Raises InvalidRequest with every contradiction."""
    check_definition(definition)
    cycle = Cycle(
        author_id=author.citizen_id,
        department_id=author.department_id,
        definition=definition,
        time_zone=time_zone,
    )
    session.add(cycle)
    session.flush()  # the database derives title and money
    write_down(session, CyclePlanned(), actor_id=author.citizen_id, subject_id=cycle.id)
    return cycle


def revise_cycle(
    session: Session, *, cycle: Cycle, changes: dict[str, Any], actor_id: uuid.UUID
) -> None:
    """Change members of a draft's definition. Raises ImpossibleTransition, InvalidRequest."""
    if cycle.state != "draft":
        raise ImpossibleTransition(state=cycle.state, verb="revise")
    revised = cycle.definition | changes
    check_definition(revised)
    changed = sorted(name for name in changes if changes[name] != cycle.definition.get(name))
    cycle.definition, cycle.version = revised, cycle.version + 1
    session.flush()
    event = CycleRevised(version=cycle.version, changed=changed)
    write_down(session, event, actor_id=actor_id, subject_id=cycle.id)


def start_cycle(
    session: Session,
    *,
    cycle: Cycle,
    kind: PhaseKind | None,
    dates: Dates,
    actor_id: uuid.UUID,
) -> None:
    """Freeze the definition and let the phases run by the clock.

    With *kind*: that phase begins now, or keeps to the *dates* given for it (`opens_at`,
    `closes_at`). Raises ImpossibleTransition, InvalidRequest.
    """
    if cycle.state != "draft":
        raise ImpossibleTransition(state=cycle.state, verb="start")
    now = database_time(session)
    if kind is not None:
        wanted = wanted_dates(cycle.definition, kind, dates) or beginning_now(
            cycle.definition, kind, now
        )
        _set_dates(session, cycle, {p: instant(now) if v == NOW else v for p, v in wanted.items()})
    if _is_over(cycle, now):
        raise InvalidRequest(OVER)
    cycle.state, cycle.version = "running", cycle.version + 1
    session.flush()
    event = CycleStarted(version=cycle.version)
    write_down(session, event, actor_id=actor_id, subject_id=cycle.id)


def _set_dates(session: Session, cycle: Cycle, wanted: Dates) -> None:
    moved = put_dates(cycle.definition, wanted)
    check_definition(moved)
    cycle.definition = moved
    session.flush()  # what starts is what was saved


def _is_over(cycle: Cycle, now: dt.datetime) -> bool:
    ends = [dt.datetime.fromisoformat(each["closes_at"]) for each in cycle.definition["phases"]]
    return now >= max(ends)


def cycle_of(session: Session, cycle_id: uuid.UUID) -> Cycle:
    """The cycle. Raises NotFound."""
    cycle = session.get(Cycle, cycle_id)
    if cycle is None:
        raise NotFound
    return cycle


def own_cycle(session: Session, cycle_id: uuid.UUID, officer: Citizen) -> Cycle:
    """The cycle, locked for change, if its department is the officer's.

    Raises NotFound, NotAllowed.
    """
    one_at_a_time(session, cycle_id)
    cycle = session.get(Cycle, cycle_id, with_for_update=True, populate_existing=True)
    if cycle is None:
        raise NotFound
    if cycle.department_id not in officer.department_ids:
        raise NotAllowed
    return cycle


def list_cycles(
    session: Session, *, budget_year: int | None, before: uuid.UUID | None, limit: int
) -> Sequence[Cycle]:
    """Cycles, newest first, one more than *limit* if there are more."""
    query = select(Cycle).order_by(Cycle.id.desc()).limit(limit + 1)
    if budget_year is not None:
        query = query.where(Cycle.budget_year == budget_year)
    if before is not None:
        query = query.where(Cycle.id < before)
    return session.scalars(query).all()
