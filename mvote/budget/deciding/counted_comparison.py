"""Comparisons that need single ballots nobody gets to see: the counter's, by their outcome alone.

Which ones stands in the definition that voters were shown. The database makes a row for each when
the contest is allocated; the counter fills it, once, and nothing else leaves it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, Json
from mvote.budget.allocations import CycleAllocation

WAITED_FOR = "the counter is working it out from the ballots; only its outcome is shown"


class CountedComparison(Base):
    """What another rule would have given, as the counter found. Filled once."""

    __tablename__ = "counted_comparison"
    __table_args__ = (
        ForeignKeyConstraint(
            ["cycle_id", "contest", "n"],
            ["cycle_allocation.cycle_id", "cycle_allocation.contest", "cycle_allocation.n"],
        ),
        CheckConstraint("(document IS NULL) = (at IS NULL)", name="found_at_some_time"),
        CheckConstraint("document ->> 'recountable' = 'false'", name="not_recountable"),
        Index("ix_counted_comparison_due", "cycle_id", postgresql_where=text("document IS NULL")),
    )

    cycle_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    contest: Mapped[str] = mapped_column(primary_key=True)
    #: of the allocation beside which it stands
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: `equal_shares`, `equal_shares/add1`, …
    name: Mapped[str] = mapped_column(primary_key=True)
    #: whose ballots it needs
    poll_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("poll.id"))
    #: `{"rule", "recountable": false, "funded", "spent"}`, or `reason` where it cannot say
    document: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[dt.datetime | None]


def comparisons_beside(session: Session, allocation: CycleAllocation) -> list[Json]:
    """The comparisons of *allocation*, those that the counter found among them."""
    mine = select(CountedComparison).where(
        CountedComparison.cycle_id == allocation.cycle_id,
        CountedComparison.contest == allocation.contest,
        CountedComparison.n == allocation.n,
    )
    counted = {each.name: each.document for each in session.scalars(mine)}
    compared: list[Json] = allocation.document["comparisons"]
    return [_found(each, counted) if each["rule"] in counted else each for each in compared]


def _found(waiting: Json, counted: dict[str, dict[str, Any] | None]) -> Json:
    return counted[waiting["rule"]] or waiting | {"reason": WAITED_FOR}
