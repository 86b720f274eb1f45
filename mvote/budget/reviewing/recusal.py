"""Recusals: who has no part in one proposal, and on what ground. Public at once, never undone."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal, get_args

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, state_check, utc_now

Ground = Literal[
    "author", "co_author", "supporter", "took_part", "organisation", "dong", "nearby",
    "household", "other",
]  # fmt: skip
"""The ground in a word. The last two only the member knows; the others are detected, too.

`took_part`: of a decision that is appealed against · `nearby`: a declared point near its place.
"""
GROUNDS: tuple[Ground, ...] = get_args(Ground)
How = Literal["declared", "detected"]
HOWS: tuple[How, ...] = get_args(How)


class Recusal(Base):
    """One seat's recusal from one proposal. Insert-only; the first ground found stands.

    With it the database takes away the seat's assignment. Guards of whatever a seat does with a
    proposal (opinions, votes) call `refuse_the_recused`, which decides between the two by a lock.
    """

    __tablename__ = "recusal"
    __table_args__ = (
        state_check("ground", GROUNDS),
        state_check("how", HOWS),
        Index("ix_recusal_seat_id", "seat_id"),
    )

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    ground: Mapped[Ground]
    how: Mapped[How]
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class SeatInterests(Base):
    """What a member has declared since they sit, beside what they declared when they applied.

    Shown to nobody else; it goes with the account.
    """

    __tablename__ = "seat_interests"
    __table_args__ = (Index("ix_seat_interests_citizen_id", "citizen_id"),)

    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("citizen.id", ondelete="CASCADE"))
    #: `organisations`, `area_codes`, `points` (lat, lon), `text`
    interests: Mapped[dict[str, Any]] = mapped_column(JSONB)
    set_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
