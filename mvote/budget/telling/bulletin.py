"""Bulletins: what is told. The same words for all who are told them, so that nothing in an inbox
speaks of its reader but the public seat they have, and least of all of how they voted."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, random_id, state_check, utc_now

Kind = Literal[
    "returned", "lapsed", "under_review", "approved", "rejected", "withdrawn", "merged", "split",
    "on_ballot", "struck", "funded", "reserve", "not_funded", "enacted", "reduced", "dropped",
    "update", "assessment_overdue", "delivery_overdue", "moved_up", "sworn_in",
    "poll_held_back", "poll_released", "poll_kept_out", "poll_hold_expired", "poll_roll_given_up",
    "poll_codes_revoked",
]  # fmt: skip
"""States a proposal came into, what is said of its delivery, what the city is late with; the seat
of a reserve; and what became of a poll that was reported, of its roll, of its codes."""
KINDS: tuple[Kind, ...] = get_args(Kind)
OVERDUE: tuple[Kind, ...] = ("assessment_overdue", "delivery_overdue")
TO_AUTHORS_ALONE: tuple[Kind, ...] = ("returned", "lapsed", "under_review")
OF_SEATS: tuple[Kind, ...] = ("moved_up", "sworn_in")
"""Told to whoever has the seat, and to nobody else."""
OF_POLLS: tuple[Kind, ...] = (
    "poll_held_back", "poll_released", "poll_kept_out", "poll_hold_expired", "poll_roll_given_up",
    "poll_codes_revoked",
)  # fmt: skip
TO_FOLLOWERS: tuple[Kind, ...] = (
    "on_ballot", "struck", "funded", "enacted", "reduced", "dropped", "update",
)  # fmt: skip
"""What whoever follows the cycle is told, summed up."""
_LISTED_OVERDUE = ", ".join(f"'{kind}'" for kind in OVERDUE)
_LISTED_OF_SEATS = ", ".join(f"'{kind}'" for kind in OF_SEATS)
_LISTED_OF_POLLS = ", ".join(f"'{kind}'" for kind in OF_POLLS)


class Bulletin(Base):
    """One thing that is told. What happens to a proposal or to a reserve the database writes."""

    __tablename__ = "bulletin"
    __table_args__ = (
        state_check("kind", KINDS),
        CheckConstraint(
            "(proposal_id IS NULL AND poll_id IS NULL AND seat_id IS NULL)"
            " = COALESCE(jsonb_typeof(facts -> 'references') = 'array', false)",
            name="of_one_or_of_several",
        ),
        CheckConstraint("(cycle_id IS NULL) = (poll_id IS NOT NULL)", name="of_cycle_or_poll"),
        CheckConstraint("cycle_id IS NOT NULL OR proposal_id IS NULL", name="proposal_of_cycle"),
        CheckConstraint(
            f"(poll_id IS NOT NULL) = (kind IN ({_LISTED_OF_POLLS}))", name="of_poll_by_kind"
        ),
        CheckConstraint(
            f"(seat_id IS NOT NULL) = (kind IN ({_LISTED_OF_SEATS}))", name="of_seat_by_kind"
        ),
        Index("ix_bulletin_untold", "at", postgresql_where=text("told_at IS NULL")),
        Index(
            "uq_bulletin_overdue", "proposal_id", "kind", "due_at", unique=True,
            postgresql_where=text(f"kind IN ({_LISTED_OVERDUE})"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=random_id)
    kind: Mapped[Kind]
    #: without a foreign key: whoever moves a proposal would have to wait for its cycle, which
    #: others hold while they wait for the proposal
    cycle_id: Mapped[uuid.UUID | None]
    #: what its author is told of a poll; then it belongs to no cycle
    poll_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("poll.id"))
    #: a reserve's, who moved up or was sworn in: `facts` has its `number` and its `committee`
    seat_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("seat.id"))
    #: empty where several proposals are summed up: then `facts` has `references`, `count`
    proposal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("proposal.id"))
    #: until when something must be done, or should have been
    due_at: Mapped[dt.datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: when it was put into the inboxes
    told_at: Mapped[dt.datetime | None]


class InboxItem(Base):
    """A bulletin in somebody's inbox."""

    __tablename__ = "inbox_item"
    __table_args__ = (Index("ix_inbox_item_bulletin_id", "bulletin_id"),)

    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), primary_key=True
    )
    bulletin_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("bulletin.id"), primary_key=True)
    read_at: Mapped[dt.datetime | None]


class CycleFollower(Base):
    """Somebody who wants to be told what becomes of a cycle.

    Without an id and without a time: a wish that was said beside a ballot must not date it.
    """

    __tablename__ = "cycle_follower"
    __table_args__ = (Index("ix_cycle_follower_citizen_id", "citizen_id"),)

    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), primary_key=True
    )
