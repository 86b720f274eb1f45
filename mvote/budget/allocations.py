"""Allocations that were worked out: kept as they are published, one for each contest."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, utc_now
from mvote.budget.cycle import Cycle
from mvote.budget.imported import CONTEST
from mvote.errors import NotFound
from mvote.polls.errors import ResultsNotAvailable


class CycleAllocation(Base):
    """A contest's allocation with its explanations and comparisons. Insert-only."""

    __tablename__ = "cycle_allocation"
    __table_args__ = (
        CheckConstraint(
            "COALESCE(jsonb_typeof(document -> 'binding'), '') = 'object'",
            name="document_has_binding",
        ),
    )

    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    contest: Mapped[str] = mapped_column(primary_key=True)
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
    found = session.get(CycleAllocation, (cycle.id, contest))
    if found is None:
        raise ResultsNotAvailable
    return found
