"""A committee's judgment of one proposal: the motion, the recorded votes, the count, recounts."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, new_id, state_check, utc_now
from mvote.budget.judging import Vote

Motion = Literal["approve", "confirm", "reject", "return", "call_up", "appeal"]
"""What is voted on: to approve; to confirm what another body approved; to leave aside, with a list;
to send back to the authors; to take up what was rejected; to allow an appeal."""
MOTIONS: tuple[Motion, ...] = get_args(Motion)
JudgmentState = Literal["open", "closed", "abandoned"]
JUDGMENT_STATES: tuple[JudgmentState, ...] = get_args(JudgmentState)
VOTES: tuple[Vote, ...] = get_args(Vote)
COUNTED = "num_nonnulls(roll, yes, no, abstain, carried, closed_at, closed_by)"
SUMS_UP = "yes >= 0 AND no >= 0 AND abstain >= 0 AND yes + no + abstain <= cardinality(roll)"
RECOUNT_SUMS_UP = "yes >= 0 AND no >= 0 AND abstain >= 0 AND yes + no + abstain <= entitled"


class Judgment(Base):
    """One vote of one committee on one proposal. Closed once; then only recounts follow it.

    It is abandoned where recusals hand the proposal on to another body before it is closed, or
    where balloting begins before it could send the proposal back.
    """

    __tablename__ = "judgment"
    __table_args__ = (
        state_check("motion", MOTIONS),
        state_check("state", JUDGMENT_STATES),
        CheckConstraint(f"{COUNTED} = CASE state WHEN 'closed' THEN 7 ELSE 0 END", name="counted"),
        CheckConstraint(SUMS_UP, name="sums_up"),
        CheckConstraint("(motion = 'return') = (missing IS NOT NULL)", name="return_says_why"),
        Index(
            "uq_judgment_open", "proposal_id", unique=True, postgresql_where=text("state = 'open'")
        ),
        Index("ix_judgment_proposal_id", "proposal_id"),
        Index("ix_judgment_committee_id", "committee_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"))
    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"))
    motion: Mapped[Motion]
    #: the text that is judged
    revision: Mapped[int]
    #: for a return: what its authors must still say, `{"ko": …, "en": …}`
    missing: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    #: the list that it was voted on with
    shortlist_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("shortlist.id"))
    #: where it was closed
    meeting_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("meeting.id"))
    state: Mapped[JudgmentState] = mapped_column(default="open")
    opened_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: filled voting seats without the recused, those sworn in among them; their number is E
    roll: Mapped[list[uuid.UUID] | None] = mapped_column(ARRAY(Uuid))
    yes: Mapped[int | None]
    no: Mapped[int | None]
    abstain: Mapped[int | None]
    carried: Mapped[bool | None]
    closed_at: Mapped[dt.datetime | None]
    #: the seat in whose chair it was closed
    closed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("seat.id"))


class JudgmentVote(Base):
    """How one seat votes. It may change until the judgment is closed, and counts unless recused."""

    __tablename__ = "judgment_vote"
    __table_args__ = (state_check("vote", VOTES), Index("ix_judgment_vote_seat_id", "seat_id"))

    judgment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("judgment.id"), primary_key=True)
    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    vote: Mapped[Vote]
    #: `{"ko": …, "en": …}`; public once the judgment is closed
    reason: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class SwornIn(Base):
    """A reserve who judges this one item, because too few others may. Insert-only."""

    __tablename__ = "sworn_in"
    __table_args__ = (Index("ix_sworn_in_seat_id", "seat_id"),)

    judgment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("judgment.id"), primary_key=True)
    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class Recount(Base):
    """The same votes counted again: a recusal was found later. Insert-only; the last one counts.

    Where so many are recused that the vote was not quorate, `carried` is false.
    """

    __tablename__ = "judgment_recount"
    __table_args__ = (
        CheckConstraint("n >= 1", name="numbered"),
        CheckConstraint(RECOUNT_SUMS_UP, name="sums_up"),
        CheckConstraint("quorate OR NOT carried", name="carried_with_quorum"),
        UniqueConstraint("judgment_id", "n"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    judgment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("judgment.id"))
    #: 1, 2, 3 … for each judgment
    n: Mapped[int]
    entitled: Mapped[int]
    yes: Mapped[int]
    no: Mapped[int]
    abstain: Mapped[int]
    quorate: Mapped[bool]
    carried: Mapped[bool]
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)
