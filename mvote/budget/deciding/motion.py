"""A motion: what the plenary is asked to confirm of an allocation, and how each seat voted."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal, get_args

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, new_id, state_check, utc_now
from mvote.budget.deciding.outcomes import VERDICTS, Verdict
from mvote.budget.judging import Vote

State = Literal["open", "carried", "lost", "withdrawn"]
STATES: tuple[State, ...] = get_args(State)
VOTES: tuple[Vote, ...] = get_args(Vote)


class Motion(Base):
    """A motion on the allocation of one contest. Judged or withdrawn, it never changes again."""

    __tablename__ = "motion"
    __table_args__ = (
        state_check("state", STATES),
        ForeignKeyConstraint(
            ["cycle_id", "contest", "allocation_n"],
            ["cycle_allocation.cycle_id", "cycle_allocation.contest", "cycle_allocation.n"],
        ),
        CheckConstraint(
            "(state IN ('carried', 'lost')) = (num_nonnulls(judged_by, judged_at, entitled, yes,"
            " no, abstain) = 6)",
            name="judged_whole",
        ),
        CheckConstraint(
            "state <> 'open' OR num_nonnulls(judged_by, judged_at, entitled, yes, no, abstain) = 0",
            name="open_is_not_judged",
        ),
        CheckConstraint(
            "yes >= 0 AND no >= 0 AND abstain >= 0 AND yes + no + abstain <= entitled",
            name="counted_among_entitled",
        ),
        CheckConstraint("state <> 'carried' OR yes > 0", name="carried_by_somebody"),
        Index(
            "uq_motion_open", "cycle_id", "contest", unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "uq_motion_carried", "cycle_id", "contest", unique=True,
            postgresql_where=text("state = 'carried'"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    cycle_id: Mapped[uuid.UUID]
    contest: Mapped[str]
    #: the allocation that it is about
    allocation_n: Mapped[int]
    #: the body that votes
    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"))
    state: Mapped[State] = mapped_column(default="open")
    #: `[{"reference", "decision", "amount"?, "text"?}]`: what is to be otherwise than proposed
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    laid_by: Mapped[uuid.UUID]
    laid_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    judged_by: Mapped[uuid.UUID | None]
    judged_at: Mapped[dt.datetime | None]
    #: filled voting seats, without the recused
    entitled: Mapped[int | None]
    yes: Mapped[int | None]
    no: Mapped[int | None]
    abstain: Mapped[int | None]


class MotionVote(Base):
    """How one seat voted; it may change until the motion is judged, and is public from then on."""

    __tablename__ = "motion_vote"
    __table_args__ = (state_check("vote", VOTES),)

    motion_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("motion.id"), primary_key=True)
    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    vote: Mapped[Vote]
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class ProjectDecision(Base):
    """What a carried motion made of one project. Insert-only.

    The database lets a project become funded, reserve or not funded only as it stands here.
    """

    __tablename__ = "project_decision"
    __table_args__ = (
        state_check("decision", VERDICTS),
        CheckConstraint("(decision = 'funded') = (amount > 0)", name="funded_with_amount"),
        CheckConstraint("amount >= 0", name="amount_counts"),
        CheckConstraint("NOT deviates OR text IS NOT NULL", name="deviation_has_reason"),
        Index("ix_project_decision_motion_id", "motion_id"),
    )

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    motion_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("motion.id"))
    #: its place in the published order: reserves move up by it
    rank: Mapped[int]
    decision: Mapped[Verdict]
    #: whole units of the cycle's currency
    amount: Mapped[int] = mapped_column(BigInteger)
    #: whether the plenary did otherwise than the vote
    deviates: Mapped[bool]
    text: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
