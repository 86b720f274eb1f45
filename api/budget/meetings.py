"""Meetings of committees, and the windows in which they vote online."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.budget.meeting_schemas import (
    AttendanceRequest,
    CallingOff,
    MeetingSchema,
    MinutesRequest,
    NewMeeting,
)
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from api.pages import PageQuery, cut_page, page_of, place_of
from mvote.budget.deliberation.convening import (
    agenda_of,
    call_meeting,
    call_off,
    meeting_of,
    meetings_of,
)
from mvote.budget.deliberation.meeting import Meeting
from mvote.budget.deliberation.minuting import (
    attendance_of,
    minutes_of,
    record_attendance,
    write_minutes,
)
from mvote.budget.forming import committee_of
from mvote.errors import ImpossibleTransition, NotAllowed

blp = Blueprint("meetings", "meetings", description="Meetings of committees, and online windows.")
PLAIN = (
    "id", "committee_id", "form", "starts_at", "ends_at", "place", "called_at", "called_off_at",
    "why_called_off",
)  # fmt: skip


def shown(session: Session, meeting: Meeting) -> dict[str, Any]:
    """The meeting as JSON."""
    dumped: dict[str, Any] = MeetingSchema().dump(_view(session, meeting))
    return dumped


def _view(session: Session, meeting: Meeting) -> dict[str, Any]:
    return {name: getattr(meeting, name) for name in PLAIN} | {
        "agenda": agenda_of(session, meeting.id),
        "attendance": attendance_of(session, meeting.id),
        "minutes": minutes_of(session, meeting.id),
    }


@blp.post("/committees/<uuid:committee_id>/meetings")
@access("citizen")
@may_raise(NotAllowed)
@idempotent
@blp.arguments(NewMeeting)
@blp.response(201, MeetingSchema)
def call_a_meeting(body: dict[str, Any], committee_id: uuid.UUID) -> Response:
    """Call the committee together, or open an online window: its chair, or an officer."""
    with transaction() as session:
        meeting = call_meeting(session, committee_id=committee_id, by=caller(), **body)
        return tagged(shown(session, meeting), status=201)


@blp.get("/committees/<uuid:committee_id>/meetings")
@access("public")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(MeetingSchema, "MeetingPage"))
def list_of_meetings(query: dict[str, Any], committee_id: uuid.UUID) -> dict[str, Any]:
    """The meetings of a committee, the last called first."""
    session, limit = db.session(), query["limit"]
    committee = committee_of(session, committee_id)
    before = place_of(query["cursor"])
    found = meetings_of(session, committee.id, before=before, limit=limit + 1)
    page, more = cut_page(found, limit)
    return {"items": [_view(session, each) for each in page], "next_cursor": more}


@blp.get("/meetings/<uuid:meeting_id>")
@access("public")
@blp.response(200, MeetingSchema)
@blp.alt_response(304, description="Not modified")
def show_meeting(meeting_id: uuid.UUID) -> Response:
    """Agenda, attendance by seat, minutes."""
    session = db.session()
    return tagged(shown(session, meeting_of(session, meeting_id)))


@blp.post("/meetings/<uuid:meeting_id>/call-off")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.arguments(CallingOff)
@blp.response(200, MeetingSchema)
def call_a_meeting_off(body: dict[str, Any], meeting_id: uuid.UUID) -> Response:
    """Call it off before it begins, with a public reason."""
    with transaction() as session:
        meeting = call_off(session, meeting_id=meeting_id, by=caller(), **body)
        return tagged(shown(session, meeting))


@blp.put("/meetings/<uuid:meeting_id>/attendance")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition)
@blp.arguments(AttendanceRequest)
@blp.response(200, MeetingSchema)
def record_who_was_there(body: dict[str, Any], meeting_id: uuid.UUID) -> Response:
    """The seats that were there; it may be corrected until there are minutes."""
    with transaction() as session:
        meeting = record_attendance(session, meeting_id=meeting_id, by=caller(), **body)
        return tagged(shown(session, meeting))


@blp.post("/meetings/<uuid:meeting_id>/minutes")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.arguments(MinutesRequest)
@blp.response(201, MeetingSchema)
def write_the_minutes(body: dict[str, Any], meeting_id: uuid.UUID) -> Response:
    """What was said and decided, public at once; a later text corrects those before."""
    with transaction() as session:
        write_minutes(session, meeting_id=meeting_id, by=caller(), **body)
        return tagged(shown(session, meeting_of(session, meeting_id)), status=201)
