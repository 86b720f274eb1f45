"""What is kept of a division: what members prefer, and the document that repeats it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import orjson
from sqlalchemy import CheckConstraint, ForeignKey, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, utc_now


class SubcommitteePreference(Base):
    """Which subcommittees a member would rather sit in, until they sit in one."""

    __tablename__ = "subcommittee_preference"

    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    #: ids of committees, the dearest first
    committees: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid))
    stated_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class Division(Base):
    """The members of a committee divided among subcommittees. Insert-only: who comes later is
    divided by another, which keeps those before."""

    __tablename__ = "division"
    __table_args__ = (CheckConstraint("n >= 1", name="numbered"),)

    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: canonical JSON (RFC 8785), `mvote/division/1`
    content: Mapped[bytes]
    held_by: Mapped[uuid.UUID]
    held_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @property
    def document(self) -> dict[str, Any]:
        """The content, read."""
        found: dict[str, Any] = orjson.loads(self.content)
        return found
