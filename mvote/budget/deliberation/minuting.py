"""Minuting: who was at a meeting, what was said and decided there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.deliberation.convening import own_meeting
from mvote.budget.deliberation.meeting import Attendance, Meeting, Minutes
from mvote.budget.seat import Seat
from mvote.budget.seating import seats_of
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, Text
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say


@dataclass(frozen=True, kw_only=True)
class AttendanceRecorded(Event):
    kind: ClassVar[str] = "meeting:attendance"
    seats: list[str]


@dataclass(frozen=True, kw_only=True)
class MinutesWritten(Event):
    kind: ClassVar[str] = "meeting:minutes"
    n: int


def record_attendance(
    session: Session, *, meeting_id: uuid.UUID, by: Citizen, seats: Sequence[uuid.UUID]
) -> Meeting:
    """Who was there, instead of what was recorded before; until the minutes are written.

    Raises NotFound, NotAllowed, ImpossibleTransition, InvalidRequest.
    """
    meeting = own_meeting(session, meeting_id, by)
    _check_has_begun(session, meeting, "record_attendance")
    if minutes_of(session, meeting_id):
        raise ImpossibleTransition(state="minuted", verb="record_attendance")
    known = {seat.id for seat in seats_of(session, meeting.committee_id)}
    faults = [
        Fault(
            f"/seats/{n}",
            say("There is no such seat in this committee."),
        )
        for n, each in enumerate(seats)
        if each not in known
    ]
    if faults:
        raise InvalidRequest(*faults)
    session.execute(delete(Attendance).where(Attendance.meeting_id == meeting_id))
    now, there = database_time(session), sorted(set(seats))
    session.add_all(Attendance(meeting_id=meeting_id, seat_id=each, recorded_at=now)
                    for each in there)  # fmt: skip
    session.flush()
    event = AttendanceRecorded(seats=[str(each) for each in there])
    write_down(session, event, actor_id=by.id, subject_id=meeting_id)
    return meeting


def _check_has_begun(session: Session, meeting: Meeting, verb: str) -> None:
    if meeting.called_off_at is not None:
        raise ImpossibleTransition(state="called_off", verb=verb)
    if meeting.starts_at > database_time(session):
        raise ImpossibleTransition(state="called", verb=verb)


def write_minutes(session: Session, *, meeting_id: uuid.UUID, by: Citizen, text: Text) -> Minutes:
    """What was said and decided; public at once. Later ones correct those before.

    Raises NotFound, NotAllowed, ImpossibleTransition.
    """
    meeting = own_meeting(session, meeting_id, by)
    _check_has_begun(session, meeting, "write_minutes")
    n = len(minutes_of(session, meeting_id)) + 1
    minutes = Minutes(meeting_id=meeting_id, n=n, text=text, by=by.id, at=database_time(session))
    session.add(minutes)
    session.flush()
    write_down(session, MinutesWritten(n=n), actor_id=by.id, subject_id=meeting_id)
    return minutes


def minutes_of(session: Session, meeting_id: uuid.UUID) -> Sequence[Minutes]:
    """All that were written, the last one counts."""
    of_it = select(Minutes).where(Minutes.meeting_id == meeting_id).order_by(Minutes.n)
    return session.scalars(of_it).all()


def attendance_of(session: Session, meeting_id: uuid.UUID) -> Sequence[Seat]:
    """Who was there, by number."""
    of_it = select(Seat).join(Attendance, Attendance.seat_id == Seat.id)
    there = of_it.where(Attendance.meeting_id == meeting_id).order_by(Seat.number)
    return session.scalars(there).all()
