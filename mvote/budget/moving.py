"""Moving the dates of a running cycle: two officers, in public.

The database's function decides by its clock, writes the dates and the notice, and grants the
request, all in one transaction. What is checked here says the same earlier, with a better message.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.approvals import Approval, ask, one_at_a_time
from mvote.base import Json, database_time, instant
from mvote.budget.balloting.moving import polls_in_the_way
from mvote.budget.cycle import Cycle, PhaseKind
from mvote.budget.dates import (
    NOW,
    Dates,
    beginning_now,
    dates_in,
    put_dates,
    wanted_dates,
    without_dates,
)
from mvote.budget.planning import check_definition, cycle_of
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, Text, stands_for
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say

ACT = "cycle:move"
_MOVE = text("SELECT move_cycle(:cycle_id, :approval_id, :by)")
AHEAD = say("Only dates that lie ahead move, and only to where they lie ahead.")

stands_for("cycle_dates_lie_ahead", lambda: InvalidRequest(_not_ahead("")))
stands_for(
    "ex_cycle_phase_one_at_a_time",
    lambda: InvalidRequest(Fault(
        "/phases", say("Two phases overlap.")
    )),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CycleMoved(Event):
    kind: ClassVar[str] = "cycle:moved"
    approval_id: uuid.UUID
    version: int


def revised_dates(cycle: Cycle, changes: dict[str, Json]) -> dict[str, str]:
    """The dates that *changes* of a running cycle's definition move.

    Raises ImpossibleTransition if anything else would change.
    """
    revised = cycle.definition | changes
    before, after = dates_in(cycle.definition), dates_in(revised)
    is_date_move = without_dates(cycle.definition) == without_dates(revised)
    if cycle.state != "running" or not is_date_move or before.keys() - after.keys():
        raise ImpossibleTransition(state=cycle.state, verb="revise")
    return {pointer: at for pointer, at in after.items() if before.get(pointer) != at}


def phase_dates(session: Session, cycle: Cycle, kind: PhaseKind, wanted: Dates) -> dict[str, str]:
    """The dates to move so that the phase *kind* keeps to *wanted*, or begins now without any.

    Raises InvalidRequest if it has begun already, or is over by its plan.
    """
    if wanted:
        return wanted_dates(cycle.definition, kind, wanted)
    found = beginning_now(cycle.definition, kind, database_time(session))
    if not found:
        raise InvalidRequest(Fault(
            "/kind", say("The phase has begun.")
        ))  # fmt: skip
    return found


def move_dates(
    session: Session, *, cycle_id: uuid.UUID, by: Citizen, dates: Dates, why: Text | None
) -> Approval | None:
    """Move *dates* of a running cycle, or ask for it: what now waits, or None once it is done.

    *why* stands in the public notice. Raises NotFound, ImpossibleTransition, InvalidRequest.
    """
    one_at_a_time(session, cycle_id)
    cycle = cycle_of(session, cycle_id)
    session.refresh(cycle)
    if cycle.state != "running":
        raise ImpossibleTransition(state=cycle.state, verb="move")
    planned = dates_in(cycle.definition)
    dates = {pointer: at for pointer, at in dates.items() if planned.get(pointer) != at}
    if not dates:  # somebody else was quicker
        return None
    _check(session, cycle, dates, database_time(session))
    arguments: dict[str, Any] = {"dates": dates} | ({"text": why} if why else {})
    approval = ask(session, act=ACT, subject_id=cycle_id, arguments=arguments, officer_id=by.id)
    if approval.asked_by == by.id:
        return approval
    _carry_out(session, cycle, approval, by)
    return None


def _check(session: Session, cycle: Cycle, dates: Dates, now: dt.datetime) -> None:
    planned = dates_in(cycle.definition)
    faults = [
        _not_ahead(pointer)
        for pointer, at in dates.items()
        if _is_past(planned.get(pointer), now) or (at != NOW and _is_past(at, now))
    ]
    if faults:
        raise InvalidRequest(*faults)
    put = {pointer: instant(now) if at == NOW else at for pointer, at in dates.items()}
    moved = put_dates(cycle.definition, put)
    check_definition(moved)
    if in_the_way := polls_in_the_way(session, cycle=cycle, moved=moved, now=now):
        raise InvalidRequest(*in_the_way)


def _is_past(at: str | None, now: dt.datetime) -> bool:
    return at is not None and dt.datetime.fromisoformat(at) <= now


def _not_ahead(pointer: str) -> Fault:
    return Fault(pointer, AHEAD, code="date-not-ahead")


def _carry_out(session: Session, cycle: Cycle, approval: Approval, by: Citizen) -> None:
    bound = {"cycle_id": cycle.id, "approval_id": approval.id, "by": by.id}
    is_done = session.execute(_MOVE, bound).scalar_one()
    session.refresh(cycle)
    if not is_done:
        raise ImpossibleTransition(state=cycle.state, verb="move")
    event = CycleMoved(approval_id=approval.id, version=cycle.version)
    write_down(session, event, actor_id=by.id, subject_id=cycle.id)
