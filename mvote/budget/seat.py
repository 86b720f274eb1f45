"""Seats, reserves, and the draw that filled them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, new_id, state_check, utc_now

SeatKind = Literal["citizen", "expert", "official", "reserve"]
"""A reserve has a seat only for the items that they were sworn in for, and no vote beside them."""
SEAT_KINDS: tuple[SeatKind, ...] = get_args(SeatKind)
APPOINTED_KINDS: tuple[SeatKind, ...] = ("citizen", "expert", "official")
SeatState = Literal["filled", "vacant"]
SEAT_STATES: tuple[SeatState, ...] = get_args(SeatState)
ReserveState = Literal["waiting", "moved_up", "declined"]
RESERVE_STATES: tuple[ReserveState, ...] = get_args(ReserveState)


class CommitteeDraw(Base):
    """A draw that was held: both halves of its seed. Insert-only.

    The database checks the secret against its commitment, and that the public value was due.
    """

    __tablename__ = "committee_draw"

    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"), primary_key=True)
    secret: Mapped[bytes]
    public_value: Mapped[str]
    held_by: Mapped[uuid.UUID]
    held_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class DrawFile(Base):
    """One of the files from which anybody repeats the draw. Insert-only."""

    __tablename__ = "committee_draw_file"

    committee_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("committee_draw.committee_id"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    #: canonical JSON (RFC 8785), `mvote/draw/1`
    content: Mapped[bytes]


class Seat(Base):
    """One person's membership with its term. Vacant once, it stays so: whoever follows gets
    another seat, so that votes keep pointing at who cast them."""

    __tablename__ = "seat"
    __table_args__ = (
        state_check("kind", SEAT_KINDS),
        state_check("state", SEAT_STATES),
        CheckConstraint(
            "(state = 'vacant') = (vacated_at IS NOT NULL)", name="vacant_since_vacated"
        ),
        CheckConstraint("starts_on < ends_on", name="starts_before_it_ends"),
        UniqueConstraint("committee_id", "number"),
        Index(
            "uq_seat_citizen", "committee_id", "citizen_id", unique=True,
            postgresql_where=text("state = 'filled'"),
        ),
        Index(
            "uq_seat_chair", "committee_id", unique=True,
            postgresql_where=text("state = 'filled' AND is_chair"),
        ),
        Index("ix_seat_citizen_id", "citizen_id"),
        Index("ix_seat_plenary_seat_id", "plenary_seat_id"),
        Index("uq_seat_predecessor_id", "predecessor_id", unique=True),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"))
    #: 1, 2, 3 … in the order in which they were filled
    number: Mapped[int]
    kind: Mapped[SeatKind]
    has_vote: Mapped[bool]
    is_chair: Mapped[bool] = mapped_column(default=False)
    #: empty once the account is gone; then the seat is vacant
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("citizen.id", ondelete="SET NULL")
    )
    pseudonym: Mapped[str]
    state: Mapped[SeatState] = mapped_column(default="filled")
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    filled_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    vacated_at: Mapped[dt.datetime | None]
    #: in a subcommittee: the same person's seat in the committee, with which this one ends
    plenary_seat_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("seat.id"))
    #: of whoever moved up: the seat that fell vacant before it
    predecessor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("seat.id"))


class Reserve(Base):
    """Who moves up, in the order of the draw."""

    __tablename__ = "committee_reserve"
    __table_args__ = (
        state_check("state", RESERVE_STATES),
        CheckConstraint("position >= 1", name="numbered"),
        UniqueConstraint("committee_id", "pseudonym"),
    )

    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pseudonym: Mapped[str]
    state: Mapped[ReserveState] = mapped_column(default="waiting")
