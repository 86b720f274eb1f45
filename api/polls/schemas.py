"""The shapes of polls, ballots and results. They check shape; rules are the domain's."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from api.fields import (
    Boolean,
    CleanObject,
    Instant,
    Integer,
    LocalText,
    PositionSchema,
    ShownText,
    String,
)
from api.pages import DEFAULT_LIMIT, MAX_LIMIT, PageQuery
from mvote.polls.definition import DEFAULT_K, DEFAULT_PUBLISH_FROM
from mvote.polls.poll import ORIGINS, STATUSES

MAX_OPTIONS = 100
KEY = Regexp(r"^[A-Za-z0-9_-]{1,40}\Z", error="1 to 40 letters, digits, - or _.")
CODE = Regexp(r"^[0-9A-Za-z-]{1,20}\Z", error="Not an area's code.")
AREA_BASES = ("home", "work", "business", "study")
GENDERS = ("female", "male", "other")
OLDEST = 150
DEGREES = {"type": "number", "minimum": -180, "maximum": 180}
CIRCLE = {
    "description": "A circle",
    "properties": {
        "center": {
            "type": "object",
            "properties": {"lat": DEGREES, "lon": DEGREES},
            "required": ["lat", "lon"],
        },
        "radius_m": {"type": "number", "exclusiveMinimum": 0},
    },
    "required": ["center", "radius_m"],
}
SHAPE = {
    "description": "A GeoJSON geometry (RFC 7946)",
    "properties": {
        "type": {"enum": ["Polygon", "MultiPolygon"]},
        "coordinates": {"type": "array"},
    },
    "required": ["type", "coordinates"],
}
AREA = {
    "description": "An official area",
    "properties": {"area_code": {"type": "string"}},
    "required": ["area_code"],
}


class Strict(ma.Schema):
    """Members that nobody asked for are refused."""

    class Meta:
        unknown = ma.RAISE


class OptionSchema(Strict):
    key = String(required=True, validate=KEY)
    title = LocalText(max_length=200, required=True)
    description = LocalText(max_length=2000)


class QuestionSchema(Strict):
    text = LocalText(max_length=500, required=True)
    kind = String(load_default="single", validate=OneOf(["single", "multiple"]))
    options = ma.fields.List(
        ma.fields.Nested(OptionSchema), required=True, validate=Length(1, MAX_OPTIONS)
    )
    min_selections = Integer(load_default=1, validate=Range(0, MAX_OPTIONS))
    max_selections = Integer(load_default=None, allow_none=True, validate=Range(1, MAX_OPTIONS))

    @ma.post_load
    def completed(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """A single choice takes one; a multiple choice takes all, unless it says otherwise."""
        if data["max_selections"] is None:
            data["max_selections"] = 1 if data["kind"] == "single" else len(data["options"])
        return data

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        keys = [option["key"] for option in data.get("options", [])]
        if len(set(keys)) < len(keys):
            raise ma.ValidationError("Two options have the same key.", "options")
        most = data.get("max_selections")
        if data.get("kind") == "single" and most not in (None, 1):
            raise ma.ValidationError("A single choice has at most one selection.", "max_selections")
        if most is not None and data.get("min_selections", 1) > most:
            raise ma.ValidationError("More than max_selections.", "min_selections")


class EligibilitySchema(Strict):
    areas = ma.fields.List(String(validate=CODE), validate=Length(0, 500))
    area_basis = ma.fields.List(String(validate=OneOf(AREA_BASES)), validate=Length(1, 4))
    min_age = Integer(validate=Range(0, OLDEST))
    max_age = Integer(validate=Range(0, OLDEST))
    genders = ma.fields.List(String(validate=OneOf(GENDERS)), validate=Length(0, 3))
    occupations = ma.fields.List(String(validate=Length(1, 60)), validate=Length(0, 50))
    verified_only = Boolean()
    excluded = ma.fields.List(
        String(validate=OneOf(["public_body_staff"])),
        validate=Length(0, 1),
        metadata={"description": "Who says so of themselves, or is known to be, may not vote."},
    )

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("min_age", 0) > data.get("max_age", OLDEST):
            raise ma.ValidationError("Higher than max_age.", "min_age")


class PresenceSchema(Strict):
    rule = String(required=True, validate=OneOf(["none", "area", "site"]))
    area = CleanObject(keys=ma.fields.String(), metadata={"oneOf": [CIRCLE, SHAPE, AREA]})
    max_accuracy_m = Integer(validate=Range(5, 5000))


class PollFields(Strict):
    description = LocalText(max_length=10_000)
    question = ma.fields.Nested(QuestionSchema)
    opens_at = Instant(allow_none=True)
    closes_at = Instant(allow_none=True)
    eligibility = ma.fields.Nested(EligibilitySchema)
    presence = ma.fields.Nested(PresenceSchema)
    results = String(validate=OneOf(["after_close", "live"]))
    records = String(validate=OneOf(["full", "totals"]))
    custody = String(validate=OneOf(["server", "trustees"]), metadata={
        "description": "Who can open the ballots: the server's counter, or only trustees together."
    })  # fmt: skip
    trustee_key = String(
        allow_none=True,
        validate=Regexp(r"^[0-9a-f]{64}\Z", error="64 hexadecimal digits."),
        metadata={"description": "With trustees: the public key from their ceremony."},
    )
    cast_check = Boolean()
    k = Integer(validate=Range(DEFAULT_K, 100_000))
    publish_from = Integer(validate=Range(2, 10_000))


class NewPoll(PollFields):
    title = LocalText(max_length=200, required=True)


class PollChanges(PollFields):
    title = LocalText(max_length=200)


class WarningSchema(ma.Schema):
    code = ma.fields.String(required=True)
    title = ShownText(required=True)
    pointer = ma.fields.String(required=True, allow_none=True)


class CautionSchema(ma.Schema):
    code = ma.fields.String(required=True)
    text = ShownText(required=True)


class PollInCycle(ma.Schema):
    id = ma.fields.UUID(required=True)
    contest = ma.fields.String(required=True)
    source = ma.fields.String(required=True)


class PollSchema(ma.Schema):
    """A poll as everyone sees it."""

    id = ma.fields.UUID(required=True)
    status = ma.fields.String(required=True, validate=OneOf(STATUSES))
    origin = ma.fields.String(required=True, validate=OneOf(ORIGINS))
    department_id = ma.fields.UUID(required=True, allow_none=True)
    title = ShownText(required=True)
    description = ShownText(required=True, allow_none=True)
    question = ma.fields.Dict(required=True, allow_none=True)
    opens_at = Instant(required=True, allow_none=True)
    closes_at = Instant(required=True, allow_none=True, metadata={
        "description": "When voting ends by plan; `closed_at` is when it did."
    })  # fmt: skip
    closed_at = Instant(required=True, allow_none=True, metadata={
        "description": "When voting ended: at `closes_at`, or earlier if the poll was closed early"
        " or voided. null as long as it has not."
    })  # fmt: skip
    created_at = Instant(required=True)
    eligibility = ma.fields.Dict(required=True)
    presence = ma.fields.Dict(required=True)
    results = ma.fields.String(required=True)
    records = ma.fields.String(required=True, allow_none=True)
    custody = ma.fields.String(required=True)
    trustee_key = ma.fields.String(required=True, allow_none=True, metadata={
        "description": "The trustees' public key; `/trustee-keys/{public_key}` names them."
    })  # fmt: skip
    cast_check = ma.fields.Boolean(required=True)
    k = ma.fields.Integer(required=True)
    publish_from = ma.fields.Integer(required=True, metadata={
        "description": f"Below this many ballots (default {DEFAULT_PUBLISH_FROM}) only their"
        " number is published, because few ballots can give a voter away."
    })  # fmt: skip
    cautions = ma.fields.List(
        ma.fields.Nested(CautionSchema),
        required=True,
        metadata={"description": "To be shown before voting: how figures could give one away."},
    )
    definition_hash = ma.fields.String(required=True, allow_none=True)
    cycle = ma.fields.Nested(
        PollInCycle,
        required=True,
        allow_none=True,
        metadata={"description": "Of a project ballot: the cycle, contest and source it asks for."},
    )
    warnings = ma.fields.List(ma.fields.Nested(WarningSchema))
    distance_m = ma.fields.Float()


class PollsQuery(PageQuery):
    status = String(load_default=None, validate=OneOf([s for s in STATUSES if s != "draft"]))
    origin = String(load_default=None, validate=OneOf(ORIGINS))
    area = String(load_default=None, validate=CODE)
    q = String(load_default=None, validate=Length(1, 100))


class NearbyRequest(Strict):
    position = ma.fields.Nested(PositionSchema, required=True)
    radius_m = Integer(load_default=2000, validate=Range(1, 50_000))
    limit = Integer(
        load_default=DEFAULT_LIMIT,
        validate=Range(1, MAX_LIMIT),
        metadata={"description": "How many at most (default 20)."},
    )


class NearbyPolls(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(PollSchema), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


class EvidenceFields(Strict):
    position = ma.fields.Nested(PositionSchema)
    presence_token = String(validate=Length(1, 2000))


class EligibilityRequest(EvidenceFields):
    pass


class ReasonSchema(ma.Schema):
    code = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    next_step = ma.fields.String(required=True, allow_none=True)
    rule = ma.fields.String()


class EligibilityAnswer(ma.Schema):
    may_vote = ma.fields.Boolean(required=True)
    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema), required=True)


class BallotRequest(EvidenceFields):
    selections = ma.fields.List(
        String(validate=Length(1, 40)), required=True, validate=Length(0, 1000)
    )
    accept_spoilt = Boolean(load_default=False, metadata={
        "description": "After a refusal with `may_spoil`: cast it as it is, to be counted as"
        " spoilt."
    })  # fmt: skip
    pad = ma.fields.String(metadata={"description": "Ignored; evens out lengths."})


class BallotHeaders(ma.Schema):
    key = String(
        required=True,
        data_key="Idempotency-Key",
        validate=Regexp(r"^[A-Za-z0-9_-]{22,64}\Z", error="22 to 64 of A-Z a-z 0-9 _ -."),
    )


class ReceiptSchema(ma.Schema):
    poll_id = ma.fields.UUID(required=True)
    tracker = ma.fields.String(required=True)
    envelope_hash = ma.fields.String(required=True)
    definition_hash = ma.fields.String(required=True)
    signature = ma.fields.String(required=True)
    key_id = ma.fields.String(required=True)
    ballot_salt = ma.fields.String()

    @ma.post_dump
    def without_empty_salt(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in data.items() if value is not None}
