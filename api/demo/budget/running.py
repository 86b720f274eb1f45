"""Planning a cycle, starting it, and letting officers begin one phase after the other."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from api.budget.schemas import NewCycle
from api.demo.budget.people import BUDGET, officers
from api.demo.budget.plans import DemoCycle
from api.demo.ledger import DemoMade, note
from api.wiring import wiring
from mvote.base import database_time
from mvote.budget.cycle import PHASE_KINDS, Cycle, PhaseKind
from mvote.budget.dates import Dates
from mvote.budget.moving import move_dates, phase_dates
from mvote.budget.phases import phase_now
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
    session: Session, cycle_id: uuid.UUID, kind: PhaseKind, also: Dates | None = None
) -> None:
    """Let two officers begin the phase *kind*, unless it has begun; *also* moves further dates."""
    cycle = cycle_of(session, cycle_id)
    session.refresh(cycle)
    if has_begun(session, cycle, kind):
        return
    dates = phase_dates(session, cycle, kind, {}) | dict(also or {})
    for officer in officers(session, BUDGET):
        move_dates(session, cycle_id=cycle_id, by=officer, dates=dates, why=EARLIER)


def has_begun(session: Session, cycle: Cycle, kind: PhaseKind) -> bool:
    """Whether the cycle is in that phase or behind it."""
    now = phase_now(session, cycle.id)
    return now is not None and PHASE_KINDS.index(now) >= PHASE_KINDS.index(kind)
