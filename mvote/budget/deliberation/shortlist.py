"""A ranked list that one recorded vote decides on, and what members pull out of it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, new_id, state_check, utc_now
from mvote.budget.deliberation.judgment import VOTES
from mvote.budget.judging import Vote

ShortlistMotion = Literal["approve", "confirm"]
ShortlistState = Literal["open", "closed", "abandoned"]
SHORTLIST_STATES: tuple[ShortlistState, ...] = get_args(ShortlistState)


class Shortlist(Base):
    """A list that a committee votes on. What it says never changes; a new list takes its place.

    Carried, it approves what is ranked and rejects what was not chosen, but for what was pulled
    out. Not carried, it decides nothing.
    """

    __tablename__ = "shortlist"
    __table_args__ = (
        state_check("motion", get_args(ShortlistMotion)),
        state_check("state", SHORTLIST_STATES),
        CheckConstraint("cardinality(ranked) >= 1", name="ranks_something"),
        CheckConstraint("NOT ranked && not_chosen", name="chosen_or_not"),
        CheckConstraint(
            "num_nonnulls(roll, yes, no, abstain, carried, closed_at, closed_by)"
            " = CASE state WHEN 'closed' THEN 7 ELSE 0 END",
            name="counted",
        ),
        Index(
            "uq_shortlist_open", "committee_id", unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_shortlist_committee_id", "committee_id"),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"))
    motion: Mapped[ShortlistMotion]
    #: ids of proposals, the best first
    ranked: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid))
    #: those which are rejected with the same vote
    not_chosen: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid))
    #: the seat that put it to the vote
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"))
    meeting_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("meeting.id"))
    state: Mapped[ShortlistState] = mapped_column(default="open")
    opened_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: filled voting seats at the count; their number is E
    roll: Mapped[list[uuid.UUID] | None] = mapped_column(ARRAY(Uuid))
    yes: Mapped[int | None]
    no: Mapped[int | None]
    abstain: Mapped[int | None]
    #: whether the list as a whole was: what a single project counts may differ
    carried: Mapped[bool | None]
    closed_at: Mapped[dt.datetime | None]
    closed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("seat.id"))


class PulledOut(Base):
    """A project that a member wants judged alone. Insert-only."""

    __tablename__ = "shortlist_pulled_out"

    shortlist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("shortlist.id"), primary_key=True)
    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"))
    reason: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class ShortlistVote(Base):
    """How one seat votes on the whole list. It may change until the list is closed."""

    __tablename__ = "shortlist_vote"
    __table_args__ = (state_check("vote", VOTES), Index("ix_shortlist_vote_seat_id", "seat_id"))

    shortlist_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("shortlist.id"), primary_key=True)
    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    vote: Mapped[Vote]
    reason: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)
