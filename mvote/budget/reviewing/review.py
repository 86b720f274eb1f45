"""A committee's review of a proposal: who is to read it, and what each has said."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, new_id, utc_now

FIRST, SECOND = 1, 2
"""Rounds of opinions: blind, and after the discussion."""


class Review(Base):
    """One committee's work on a proposal, up to its judgment; an appeal is another's."""

    __tablename__ = "review"
    __table_args__ = (
        CheckConstraint("discussed_at >= opened_at", name="discussed_after_opened"),
        CheckConstraint("judged_at >= opened_at", name="judged_after_opened"),
        Index(
            "uq_review_open", "proposal_id", "committee_id", unique=True,
            postgresql_where=text("judged_at IS NULL"),
        ),
        Index("ix_review_proposal_id", "proposal_id"),
        Index("ix_review_committee_id", "committee_id"),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"))
    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"))
    opened_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: from here on the second round is open, and the first is over
    discussed_at: Mapped[dt.datetime | None]
    #: from here on its opinions are public; the database sets it when the proposal is judged
    judged_at: Mapped[dt.datetime | None]


class ReviewAssignment(Base):
    """A seat is to read a proposal. It goes once the seat is recused."""

    __tablename__ = "review_assignment"
    __table_args__ = (Index("ix_review_assignment_seat_id", "seat_id"),)

    review_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("review.id"), primary_key=True)
    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class Opinion(Base):
    """One seat's scores in one round. The first round never changes: its writer reads the others'.

    The web's login may not read `scores` and `comment`: it asks `opinions_to_read`.
    """

    __tablename__ = "opinion"
    __table_args__ = (
        CheckConstraint("round IN (1, 2)", name="round_known"),
        Index("ix_opinion_seat_id", "seat_id"),
    )

    review_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("review.id"), primary_key=True)
    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: `[{"criterion", "score", "reason"}]`, in the order of the cycle's criteria
    scores: Mapped[list[Any]] = mapped_column(JSONB, deferred=True, deferred_raiseload=True)
    comment: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), deferred=True, deferred_raiseload=True
    )
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)
