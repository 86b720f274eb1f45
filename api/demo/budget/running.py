"""Planning a cycle, starting it, and letting officers begin one phase after the other."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from api.budget.schemas import NewCycle
from api.demo.budget.people import BUDGET, officers
from api.demo.budget.plans import DemoCycle
from api.demo.ledger import DemoMade, note
from api.wiring import wiring
from mvote.base import database_time, instant
from mvote.budget.cycle import PhaseKind
from mvote.budget.dates import wanted_dates
from mvote.budget.moving import move_dates, phase_dates
from mvote.budget.phases import phases_of
from mvote.budget.planning import cycle_of, plan_cycle, start_cycle
from mvote.errors import Text
from mvote.polls.drafting import Author

EARLIER: Text = {
    "ko": "앞 단계가 계획보다 일찍 끝났습니다.",
    "en": "The step before ended earlier than planned.",
}


def start(session: Session, demo_cycle: DemoCycle) -> uuid.UUID:
    """A new cycle that takes proposals."""
    officer, _ = officers(session, BUDGET)
    definition = demo_cycle.definition(database_time(session))
    cycle = plan_cycle(
        session,
        author=Author.of(officer),
        definition=NewCycle().load(definition),
        time_zone=wiring().settings.city_time_zone,
    )
    start_cycle(session, cycle=cycle, kind=None, dates={}, actor_id=officer.id)
    note(session, DemoMade(name=f"cycle:{demo_cycle.key}", made=cycle.id))
    return cycle.id


def begin(
    session: Session, cycle_id: uuid.UUID, kind: PhaseKind, *, until: dt.datetime | None = None
) -> None:
    """Let two officers begin the phase *kind*, unless it has begun; it ends *until* then."""
    cycle = cycle_of(session, cycle_id)
    session.refresh(cycle)
    if has_begun(session, cycle_id, kind):
        return
    dates = phase_dates(session, cycle, kind, {})
    if until is not None:
        dates |= wanted_dates(cycle.definition, kind, {"closes_at": instant(until)})
    for officer in officers(session, BUDGET):
        move_dates(session, cycle_id=cycle_id, by=officer, dates=dates, why=EARLIER)


def has_begun(session: Session, cycle_id: uuid.UUID, kind: PhaseKind) -> bool:
    """Whether the cycle is in that phase or behind it."""
    [opens_at] = [each.opens_at for each in phases_of(session, cycle_id) if each.kind == kind]
    return opens_at <= database_time(session)
