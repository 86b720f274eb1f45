"""What only time brings: that a department is late. Each lateness is noted once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Date, DateTime, Interval, Select, and_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.budget.cycle import Cycle
from mvote.budget.delivering.progress import is_late, newest_update, silent_until
from mvote.budget.delivering.update import IN_DELIVERY
from mvote.budget.proposal import Proposal
from mvote.budget.telling.bulletin import Bulletin, Kind

COLUMNS = ["id", "kind", "cycle_id", "proposal_id", "due_at", "at"]
_CLOCK = func.clock_timestamp()


def note_overdue(session: Session) -> None:
    """Write a bulletin for every assessment and every delivery that has become overdue."""
    for late in (_late_assessments(), _late_deliveries()):
        noting = insert(Bulletin).from_select(COLUMNS, late)
        session.execute(noting.on_conflict_do_nothing())


def _bulletin(kind: Kind, due_at: Any) -> Select[Any]:
    """The columns of a bulletin about a proposal, unless the same was noted before."""
    noted = (
        select(Bulletin.id)
        .where(
            Bulletin.proposal_id == Proposal.id, Bulletin.kind == kind, Bulletin.due_at == due_at
        )
        .exists()
    )
    columns = (
        func.gen_random_uuid(),
        literal(kind),
        Proposal.cycle_id,
        Proposal.id,
        due_at,
        _CLOCK,
    )
    return select(*columns).where(~noted)


def _late_assessments() -> Select[Any]:
    return _bulletin("assessment_overdue", Proposal.due_at).where(
        Proposal.state == "submitted", Proposal.due_at <= _CLOCK
    )


def _late_deliveries() -> Select[Any]:
    """Due was the end of the planned day, in the city's time; or a first word, 90 days after."""
    newest = newest_update()
    today = cast(func.timezone(Cycle.time_zone, _CLOCK), Date)
    midnight = cast(newest.next_due_on, DateTime) + cast(literal("1 day"), Interval)
    due_at = func.coalesce(func.timezone(Cycle.time_zone, midnight), silent_until())
    return (
        _bulletin("delivery_overdue", due_at)
        .join(Cycle, Cycle.id == Proposal.cycle_id)
        .outerjoin(newest, newest.proposal_id == Proposal.id)
        .where(and_(Proposal.state.in_(IN_DELIVERY), is_late(newest, today, _CLOCK)))
    )
