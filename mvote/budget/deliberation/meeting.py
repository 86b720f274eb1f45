"""A committee's meeting, or the window in which it votes online; attendance and minutes."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal, get_args

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, new_id, state_check, utc_now

Form = Literal["meeting", "online"]
FORMS: tuple[Form, ...] = get_args(Form)


class Meeting(Base):
    """When a committee meets, where, and about what. It changes no more; it may be called off."""

    __tablename__ = "meeting"
    __table_args__ = (
        state_check("form", FORMS),
        CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
        CheckConstraint("form = 'online' OR place IS NOT NULL", name="held_somewhere"),
        CheckConstraint(
            "(called_off_at IS NULL) = (why_called_off IS NULL)", name="called_off_with_reason"
        ),
        Index("ix_meeting_committee_id", "committee_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"))
    #: `online`: votes on what is on its agenda are taken from its start to its end
    form: Mapped[Form]
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    #: `{"ko": …, "en": …}`
    place: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    called_by: Mapped[uuid.UUID]
    called_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    called_off_at: Mapped[dt.datetime | None]
    why_called_off: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    def is_open_at(self, now: dt.datetime) -> bool:
        """Whether it is held at that moment."""
        return self.called_off_at is None and self.starts_at <= now < self.ends_at


class AgendaItem(Base):
    """One thing that a meeting is about. Insert-only, written with the meeting."""

    __tablename__ = "meeting_agenda"
    __table_args__ = (
        CheckConstraint("n >= 1", name="numbered"),
        Index("ix_meeting_agenda_proposal_id", "proposal_id"),
    )

    meeting_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[dict[str, Any]] = mapped_column(JSONB)
    proposal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("proposal.id"))


class Attendance(Base):
    """A seat that was there, as the chair or an officer recorded it."""

    __tablename__ = "meeting_attendance"
    __table_args__ = (Index("ix_meeting_attendance_seat_id", "seat_id"),)

    meeting_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    seat_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seat.id"), primary_key=True)
    recorded_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class Minutes(Base):
    """What was said and decided. Insert-only: a correction is another text, the last one counts."""

    __tablename__ = "meeting_minutes"
    __table_args__ = (CheckConstraint("n >= 1", name="numbered"),)

    meeting_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[dict[str, Any]] = mapped_column(JSONB)
    by: Mapped[uuid.UUID]
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)
