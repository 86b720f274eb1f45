"""Allocations that were worked out: kept as they are published; of a contest the last counts."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, utc_now
from mvote.budget.cycle import Cycle
from mvote.budget.imported import CONTEST
from mvote.errors import NotFound
from mvote.polls.errors import ResultsNotAvailable


class CycleAllocation(Base):
    """A contest's allocation with its explanations and comparisons. Insert-only.

    Another one follows only where a project was struck since.
    """

    __tablename__ = "cycle_allocation"
    __table_args__ = (
        CheckConstraint(
            "COALESCE(jsonb_typeof(document -> 'binding'), '') = 'object'",
            name="document_has_binding",
        ),
        CheckConstraint("n >= 0", name="numbered"),
    )

    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    contest: Mapped[str] = mapped_column(primary_key=True)
    #: 0, 1, 2 … in the order in which they were worked out
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=0)
    #: `binding`, `comparisons`, `notes`: see `mvote.budget.allocating.documents`
    document: Mapped[dict[str, Any]]
    allocated_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


def contests_of(cycle: Cycle) -> list[str]:
    """The keys of a cycle's contests; an imported one has a single one."""
    if cycle.state == "imported":
        return [CONTEST]
    return [contest["key"] for contest in cycle.definition.get("contests") or ()]


def allocation_of(session: Session, *, cycle: Cycle, contest: str) -> CycleAllocation:
    """The allocation of *contest*. Raises NotFound for an unknown one, ResultsNotAvailable."""
    if contest not in contests_of(cycle):
        raise NotFound
    found = latest_allocation(session, cycle_id=cycle.id, contest=contest)
    if found is None:
        raise ResultsNotAvailable
    return found


def latest_allocation(
    session: Session, *, cycle_id: uuid.UUID, contest: str
) -> CycleAllocation | None:
    """The one that counts, if there is any."""
    of_it = select(CycleAllocation).where(
        CycleAllocation.cycle_id == cycle_id, CycleAllocation.contest == contest
    )
    return session.scalars(of_it.order_by(CycleAllocation.n.desc()).limit(1)).first()
