"""The shapes of meetings."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, OneOf

from api.fields import Instant, LocalText, ShownText, Strict, String, Uuid
from mvote.budget.deliberation.meeting import FORMS
from mvote.wording import say

MOST_ITEMS, MOST_SEATS = 200, 1_000


class AgendaItemRequest(Strict):
    text = LocalText(max_length=500, required=True)
    proposal_id = Uuid(load_default=None, allow_none=True)


class NewMeeting(Strict):
    form = String(load_default="meeting", validate=OneOf(FORMS), metadata={
        "description": "`online`: what is on its agenda is voted on from its start to its end."
    })  # fmt: skip
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    place = LocalText(max_length=200, load_default=None, allow_none=True)
    agenda = ma.fields.List(
        ma.fields.Nested(AgendaItemRequest), required=True, validate=Length(1, MOST_ITEMS)
    )

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        if data["ends_at"] <= data["starts_at"]:
            raise ma.ValidationError(say("Must be later than starts_at."), "ends_at")
        if data["form"] == "meeting" and data["place"] is None:
            raise ma.ValidationError(say("Missing data for required field."), "place")


class CallingOff(Strict):
    reason = LocalText(max_length=2_000, required=True)


class AttendanceRequest(Strict):
    seats = ma.fields.List(Uuid(), required=True, validate=Length(max=MOST_SEATS))


class MinutesRequest(Strict):
    text = LocalText(max_length=50_000, required=True)


class ShownAgendaItem(ma.Schema):
    text = ShownText(required=True)
    proposal_id = ma.fields.UUID(required=True, allow_none=True)


class ShownMember(ma.Schema):
    id = ma.fields.UUID(required=True)
    number = ma.fields.Integer(required=True)
    pseudonym = ma.fields.String(required=True)


class ShownMinutes(ma.Schema):
    text = ShownText(required=True)
    at = Instant(required=True)


class MeetingSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    committee_id = ma.fields.UUID(required=True)
    form = ma.fields.String(required=True, validate=OneOf(FORMS))
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    place = ShownText(required=True, allow_none=True)
    called_at = Instant(required=True)
    called_off_at = Instant(required=True, allow_none=True)
    why_called_off = ShownText(required=True, allow_none=True)
    agenda = ma.fields.List(ma.fields.Nested(ShownAgendaItem), required=True)
    attendance = ma.fields.List(ma.fields.Nested(ShownMember), required=True)
    minutes = ma.fields.List(ma.fields.Nested(ShownMinutes), required=True, metadata={
        "description": "The last one counts; it corrects those before."
    })  # fmt: skip
