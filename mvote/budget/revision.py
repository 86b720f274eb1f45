"""Revisions: each text of a proposal that was submitted, and the one its authors write at."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, Text, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, utc_now

DEAREST = 10**13
"""Won. What costs more than ten trillion was mistyped."""


class Revision(Base):
    """One text of a proposal. The database lets it change until it is submitted, then never."""

    __tablename__ = "proposal_revision"
    __table_args__ = (
        CheckConstraint("n >= 1", name="numbered"),
        CheckConstraint(f"amount BETWEEN 0 AND {DEAREST}", name="amount_in_range"),
        Index(
            "uq_proposal_revision_written_at", "proposal_id", unique=True,
            postgresql_where=text("submitted_at IS NULL"),
        ),
        Index("ix_proposal_revision_bigrams", "bigrams", postgresql_using="gin"),
    )  # fmt: skip

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    #: title, problem, description, cost_items, places … as the API's schema has them
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    heading: Mapped[str | None]
    kind: Mapped[str | None]
    #: won: the sum of the cost items
    amount: Mapped[int] = mapped_column(BigInteger, default=0)
    #: the official codes of all areas that its places lie in
    area_codes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=list, server_default=text("'{}'")
    )
    #: what its title is compared by: `mvote.budget.bigrams`
    bigrams: Mapped[list[int]] = mapped_column(
        ARRAY(Integer), default=list, server_default=text("'{}'")
    )
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    submitted_at: Mapped[dt.datetime | None]


def newest_revision(session: Session, proposal_id: uuid.UUID) -> Revision:
    """The last text, submitted or not."""
    of_it = select(Revision).where(Revision.proposal_id == proposal_id)
    return session.scalars(of_it.order_by(Revision.n.desc()).limit(1)).one()


def submitted_revisions(session: Session, proposal_id: uuid.UUID) -> list[Revision]:
    """All that were submitted, in their order."""
    of_it = select(Revision).where(
        Revision.proposal_id == proposal_id, Revision.submitted_at.is_not(None)
    )
    return list(session.scalars(of_it.order_by(Revision.n)))
