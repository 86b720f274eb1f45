"""The shapes of reports, of the officers' queue and of what the public may count."""

from __future__ import annotations

import marshmallow as ma
from marshmallow.validate import Length, OneOf

from api.fields import Instant, LocalText, ShownText, Strict, String, Uuid
from api.polls.schemas import GroundCount, PollSchema, SimilarNamed
from mvote.moderation.case import DECISIONS, GROUNDS, LONGEST_TEXT, STATES


class NewReport(Strict):
    poll_id = Uuid(required=True)
    ground = String(required=True, validate=OneOf(GROUNDS))
    text = String(
        load_default=None,
        validate=Length(1, LONGEST_TEXT),
        metadata={"description": "For the officer who looks at it; its author does not read it."},
    )


class TakenReportSchema(ma.Schema):
    """That it was taken; who it came from is not kept."""

    poll_id = ma.fields.UUID(required=True)
    ground = ma.fields.String(required=True, validate=OneOf(GROUNDS))


class ReportTextSchema(ma.Schema):
    ground = ma.fields.String(required=True, validate=OneOf(GROUNDS))
    text = ma.fields.String(required=True)


class AnsweredSchema(ma.Schema):
    decision = ma.fields.String(required=True, validate=OneOf(DECISIONS))
    reason = ShownText(required=True)
    grounds = ma.fields.List(ma.fields.Nested(GroundCount), required=True)
    at = Instant(required=True)
    held_at = Instant(required=True, allow_none=True, metadata={
        "description": "Since when the poll had been held back, if it was."
    })  # fmt: skip


class LeftOutBefore(SimilarNamed):
    """Another poll that reads nearly the same, and was held back or kept out of the lists."""

    state = ma.fields.String(required=True, validate=OneOf(STATES))


class CaseSchema(ma.Schema):
    """A reported poll as officers see it; never who reported it."""

    poll = ma.fields.Nested(PollSchema, required=True)
    state = ma.fields.String(required=True, validate=OneOf(STATES), metadata={
        "description": "`reported`: it waits, and is in the lists. `held`: it waits, and is left"
        " out. `released`, `kept`: decided."
    })  # fmt: skip
    waiting = ma.fields.Integer(required=True, metadata={
        "description": "How many reports no officer has answered."
    })  # fmt: skip
    version = ma.fields.String(required=True, metadata={
        "description": "Changes with each report that waits and each decision; a decision names it."
    })  # fmt: skip
    waiting_since = Instant(required=True, allow_none=True)
    held_at = Instant(required=True, allow_none=True)
    grounds = ma.fields.List(ma.fields.Nested(GroundCount), required=True)
    texts = ma.fields.List(ma.fields.Nested(ReportTextSchema), required=True)
    decisions = ma.fields.List(ma.fields.Nested(AnsweredSchema), required=True)
    left_out_before = ma.fields.List(ma.fields.Nested(LeftOutBefore), required=True, metadata={
        "description": "Of a case that waits: polls that read nearly the same and were left out of"
        " the lists, now or before, whoever made them; the nearest first."
    })  # fmt: skip


class NewDecision(Strict):
    decision = String(required=True, validate=OneOf(DECISIONS), metadata={
        "description": "`release`: back into the lists, or left there. `keep`: out of the lists."
    })  # fmt: skip
    reason = LocalText(max_length=2_000, required=True, metadata={
        "description": "Told to the author, save of a private poll."
    })  # fmt: skip
    version = String(required=True, validate=Length(1, 40), metadata={
        "description": "The case's as it was read: nobody answers reports unseen. If it has changed"
        " since: `case-changed`."
    })  # fmt: skip


class SummarySchema(ma.Schema):
    """How many public polls are reported and held back, and what comes of it."""

    reported = ma.fields.Integer(required=True, metadata={
        "description": "Polls that wait for an officer and are in the lists."
    })  # fmt: skip
    held_now = ma.fields.Integer(required=True, metadata={
        "description": "Polls that wait for an officer and are left out of the lists."
    })  # fmt: skip
    kept_now = ma.fields.Integer(required=True, metadata={
        "description": "Polls that an officer keeps out of the lists."
    })  # fmt: skip
    held = ma.fields.Integer(required=True, metadata={
        "description": "How often reports held a poll back, ever; what an officer kept out without"
        " that counts under `kept` alone."
    })  # fmt: skip
    expired = ma.fields.Integer(required=True, metadata={
        "description": "How many holds ended by themselves: no officer had looked in time."
    })  # fmt: skip
    oldest_waiting_since = ma.fields.Date(required=True, allow_none=True, metadata={
        "description": "The day (UTC) since when the oldest case waits for an officer."
    })  # fmt: skip
    released = ma.fields.Integer(required=True)
    kept = ma.fields.Integer(required=True)
    median_hours_held = ma.fields.Integer(required=True, allow_none=True, metadata={
        "description": "How long a poll was held back until an officer decided, from the hour on in"
        " which that began: whole hours, the median."
    })  # fmt: skip
    reports_to_hold = ma.fields.Integer(required=True, metadata={
        "description": "So many people hold a citizen's poll back; after each release of it twice"
        " as many new ones."
    })  # fmt: skip
