"""Which phase a cycle is in, by the database's clock: what every act in a cycle asks first."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mvote.base import instant
from mvote.budget.cycle import Cycle, CyclePhase, PhaseKind
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.proposal import Proposal

_CLOCK = func.clock_timestamp()


def phases_of(session: Session, cycle_id: uuid.UUID) -> Sequence[CyclePhase]:
    """The phases of a cycle, the first one first."""
    dated = select(CyclePhase).where(CyclePhase.cycle_id == cycle_id)
    return session.scalars(dated.order_by(CyclePhase.opens_at)).all()


def phase_now(session: Session, cycle_id: uuid.UUID) -> PhaseKind | None:
    """The phase that is open now; None between phases, and while the cycle is a draft."""
    open_now = (
        select(CyclePhase.kind)
        .join(Cycle, Cycle.id == CyclePhase.cycle_id)
        .where(
            Cycle.id == cycle_id,
            Cycle.state == "running",
            CyclePhase.opens_at <= _CLOCK,
            CyclePhase.closes_at > _CLOCK,
        )
    )
    return session.scalars(open_now).one_or_none()


def require_phase(session: Session, cycle_id: uuid.UUID, *wanted: PhaseKind) -> PhaseKind:
    """The phase that is open, one of *wanted*. Raises PhaseNotOpen.

    Until the transaction ends, no officers move the cycle's dates.
    """
    session.execute(select(Cycle.id).where(Cycle.id == cycle_id).with_for_update(read=True))
    now = phase_now(session, cycle_id)
    if now not in wanted:
        opens_at = _next_opening(session, cycle_id, wanted)
        raise PhaseNotOpen(
            phase=now, wanted=list(wanted), opens_at=instant(opens_at) if opens_at else None
        )
    return now


REVIEWED: tuple[PhaseKind, ...] = ("reviewing", "balloting")
"""Reviewing has its phase, but what it left open must still be ended: until then no poll of its
contest opens, and once one is open nothing of the contest is left to review."""


def require_review(session: Session, proposal: Proposal) -> None:
    """See that the cycle reviews now, or ends what was left. Raises PhaseNotOpen.

    Appeals, and what follows from them, have clocks of their own instead of a phase.
    """
    if proposal.appealed_at is None:
        require_phase(session, proposal.cycle_id, *REVIEWED)


def _next_opening(
    session: Session, cycle_id: uuid.UUID, wanted: Sequence[PhaseKind]
) -> dt.datetime | None:
    """When the next of the phases opens; not known of a draft, whose dates are only a plan."""
    ahead = (
        select(func.min(CyclePhase.opens_at))
        .join(Cycle, Cycle.id == CyclePhase.cycle_id)
        .where(
            Cycle.id == cycle_id,
            Cycle.state == "running",
            CyclePhase.kind.in_(wanted),
            CyclePhase.opens_at > _CLOCK,
        )
    )
    return session.scalars(ahead).one()
