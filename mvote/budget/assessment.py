"""The assessment: what a department finds of a proposal; one officer finds, another confirms."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, new_id, state_check, utc_now
from mvote.budget.revision import DEAREST

CHECKS = ("lawful", "within_competence", "feasible", "no_duplicate", "land_available")
Finding = Literal["yes", "no", "conditional"]
FINDINGS: tuple[Finding, ...] = ("yes", "no", "conditional")


class Assessment(Base):
    """Of one revision. The database lets it change until it is confirmed, then never."""

    __tablename__ = "assessment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["proposal_id", "revision"], ["proposal_revision.proposal_id", "proposal_revision.n"]
        ),
        *(state_check(name, FINDINGS) for name in CHECKS),
        CheckConstraint(f"assessed_amount BETWEEN 0 AND {DEAREST}", name="amount_in_range"),
        CheckConstraint("assessed_amount > 0 OR NOT is_feasible", name="feasible_has_price"),
        CheckConstraint("min_useful_amount BETWEEN 0 AND assessed_amount", name="useful_within"),
        CheckConstraint("confirmed_by <> found_by", name="by_two_persons"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed_by_one"),
    )

    proposal_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    department_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("department.id"))
    lawful: Mapped[Finding]
    within_competence: Mapped[Finding]
    feasible: Mapped[Finding]
    no_duplicate: Mapped[Finding]
    land_available: Mapped[Finding]
    #: for each check its reason, `{"ko": …, "en": …}`
    reasons: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: won; what it would really cost
    assessed_amount: Mapped[int] = mapped_column(BigInteger)
    #: won; with less than that it is of no use, so it is never funded in part below it
    min_useful_amount: Mapped[int | None] = mapped_column(BigInteger)
    budget_line: Mapped[str | None]
    #: `{"on": date, "notes": {"ko": …}}`
    site_visit: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    #: nothing was answered with no
    is_feasible: Mapped[bool] = mapped_column(
        Computed(
            " AND ".join(f"{name} <> 'no'" for name in CHECKS),
            persisted=True,
        )
    )
    found_by: Mapped[uuid.UUID]
    found_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    confirmed_by: Mapped[uuid.UUID | None]
    confirmed_at: Mapped[dt.datetime | None]


class Return(Base):
    """A proposal sent back to its authors: what is missing, and until when. Insert-only."""

    __tablename__ = "proposal_return"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), index=True)
    #: `{"ko": …, "en": …}`
    missing: Mapped[dict[str, Any]] = mapped_column(JSONB)
    by: Mapped[uuid.UUID]
    at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]


class Appeal(Base):
    """Why an author wants a rejection judged anew. Insert-only, one for each proposal."""

    __tablename__ = "proposal_appeal"

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    #: `{"ko": …, "en": …}`
    grounds: Mapped[dict[str, Any]] = mapped_column(JSONB)
    by: Mapped[uuid.UUID]
    at: Mapped[dt.datetime]


class Strike(Base):
    """Why a project was struck from the ballot by two officers. Written by the database alone."""

    __tablename__ = "proposal_strike"

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    #: `{"ko": …, "en": …}`
    text: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[dt.datetime]
