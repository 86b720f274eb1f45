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
    Strict,
    String,
    Verbatim,
)
from api.pages import DEFAULT_LIMIT, MAX_LIMIT, PageQuery
from api.places.shapes import AREA
from api.polls.question_schemas import MOST_IMAGES, ImageSchema, QuestionSchema
from api.polls.shown_schemas import ShownImage, ShownQuestion
from mvote.moderation.case import GROUNDS
from mvote.polls.definition import DEFAULT_K, DEFAULT_PUBLISH_FROM
from mvote.polls.integrity.checking import DEMANDS
from mvote.polls.poll import ORIGINS, STATUSES
from mvote.wording import say

CODE = Regexp(r"^[0-9A-Za-z-]{1,20}\Z", error=say("Not an area's code."))
AREA_BASES = ("home", "work", "business", "study")
RESULTS = ("after_close", "live")
CUSTODIES = ("server", "trustees")
GENDERS = ("female", "male", "other")
OLDEST = 150


class EligibilitySchema(Strict):
    areas = ma.fields.List(String(validate=CODE), validate=Length(0, 500))
    area_basis = ma.fields.List(String(validate=OneOf(AREA_BASES)), validate=Length(1, 4))
    min_age = Integer(validate=Range(0, OLDEST))
    max_age = Integer(validate=Range(0, OLDEST))
    genders = ma.fields.List(String(validate=OneOf(GENDERS)), validate=Length(0, 3))
    occupations = ma.fields.List(String(validate=Length(1, 60)), validate=Length(0, 50))
    verified_only = Boolean()
    roll = Boolean(
        metadata={"description": "Only those on the poll's roll: see `POST /polls/{id}/roll`."}
    )
    excluded = ma.fields.List(
        String(validate=OneOf(["public_body_staff"])),
        validate=Length(0, 1),
        metadata={"description": "Who says so of themselves, or is known to be, may not vote."},
    )

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("min_age", 0) > data.get("max_age", OLDEST):
            raise ma.ValidationError(say("Higher than max_age."), "min_age")


class ShownEligibility(EligibilitySchema):
    anywhere = Boolean(metadata={
        "description": "Of a project ballot: one must belong to the city by `area_basis`."
    })  # fmt: skip


class PresenceSchema(Strict):
    rule = String(required=True, validate=OneOf(["none", "area", "site"]))
    area = CleanObject(AREA)
    max_accuracy_m = Integer(validate=Range(5, 5000))
    integrity = String(validate=OneOf(DEMANDS), metadata={
        "description": "What a position must come with: `nonce`, one of ours; `attested`, with the"
        " word of the phone's platform for the app, too. What a screen or a steward gives out is no"
        " position. Nothing proves a location."
    })  # fmt: skip

    @ma.validates_schema
    def asks_of_positions(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("rule") == "none" and data.get("integrity", "none") != "none":
            raise ma.ValidationError(say("No position is asked for."), "integrity")


class PollFields(Strict):
    description = LocalText(max_length=10_000)
    images = ma.fields.List(ma.fields.Nested(ImageSchema), validate=Length(0, MOST_IMAGES))
    question = ma.fields.Nested(QuestionSchema)
    opens_at = Instant(allow_none=True)
    closes_at = Instant(allow_none=True)
    eligibility = ma.fields.Nested(EligibilitySchema)
    presence = ma.fields.Nested(PresenceSchema)
    results = String(validate=OneOf(RESULTS))
    records = String(validate=OneOf(["full", "totals"]))
    custody = String(validate=OneOf(CUSTODIES), metadata={
        "description": "Who can open the ballots: the server's counter, or only trustees together."
    })  # fmt: skip
    trustee_key = String(
        allow_none=True,
        validate=Regexp(r"^[0-9a-f]{64}\Z", error=say("64 hexadecimal digits.")),
        metadata={"description": "With trustees: the public key from their ceremony."},
    )
    cast_check = Boolean()
    k = Integer(validate=Range(DEFAULT_K, 100_000))
    publish_from = Integer(validate=Range(2, 10_000))

    room_password = String(
        allow_none=True,
        validate=Length(8, 128),
        load_only=True,
        metadata={
            "description": "Makes the poll private: only those find it who know its room's"
            " number and this password. null: public again. Fixed once the poll is opened."
        },
    )


class NewPoll(PollFields):
    title = LocalText(max_length=200, required=True)


class PollChanges(PollFields):
    title = LocalText(max_length=200)


class SimilarNamed(ma.Schema):
    id = ma.fields.UUID(required=True)
    title = ShownText(required=True)
    score = ma.fields.Float(required=True)


class WarningSchema(ma.Schema):
    code = ma.fields.String(required=True)
    title = ShownText(required=True)
    pointer = ma.fields.String(required=True, allow_none=True)
    polls = ma.fields.List(ma.fields.Nested(SimilarNamed), metadata={
        "description": "With `similar-polls`: those that ask nearly the same, the nearest first."
    })  # fmt: skip


class CautionSchema(ma.Schema):
    code = ma.fields.String(required=True)
    text = ShownText(required=True)


class PollInCycle(ma.Schema):
    id = ma.fields.UUID(required=True)
    contest = ma.fields.String(required=True)
    source = ma.fields.String(required=True)


class HeldBackSchema(ma.Schema):
    since = Instant(required=True)


class GroundCount(ma.Schema):
    ground = ma.fields.String(required=True, validate=OneOf(GROUNDS))
    reports = ma.fields.Integer(required=True)


class ModerationSchema(ma.Schema):
    """For its author: what was reported of the poll, and what an officer decided."""

    state = ma.fields.String(required=True, validate=OneOf(["held", "released", "kept"]))
    grounds = ma.fields.List(ma.fields.Nested(GroundCount), required=True)
    held_at = Instant(required=True, allow_none=True)
    reason = ShownText(required=True, allow_none=True)
    decided_at = Instant(required=True, allow_none=True)


class PollSchema(ma.Schema):
    """A poll as everyone sees it."""

    id = ma.fields.UUID(required=True)
    status = ma.fields.String(required=True, validate=OneOf(STATUSES))
    origin = ma.fields.String(required=True, validate=OneOf(ORIGINS))
    department_id = ma.fields.UUID(required=True, allow_none=True)
    title = ShownText(required=True)
    description = ShownText(required=True, allow_none=True)
    images = ma.fields.List(Verbatim(ShownImage), required=True)
    question = Verbatim(ShownQuestion, required=True, allow_none=True)
    opens_at = Instant(required=True, allow_none=True)
    closes_at = Instant(required=True, allow_none=True, metadata={
        "description": "When voting ends by plan; `closed_at` is when it did."
    })  # fmt: skip
    closed_at = Instant(required=True, allow_none=True, metadata={
        "description": "When voting ended: at `closes_at`, or earlier if the poll was closed early"
        " or voided. null as long as it has not."
    })  # fmt: skip
    created_at = Instant(required=True)
    eligibility = Verbatim(ShownEligibility, required=True)
    presence = Verbatim(PresenceSchema, required=True)
    results = ma.fields.String(required=True, validate=OneOf(RESULTS))
    records = ma.fields.String(required=True, allow_none=True)
    custody = ma.fields.String(required=True, validate=OneOf(CUSTODIES))
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
    is_private = ma.fields.Boolean(required=True, metadata={
        "description": "It has a room: it is in no list, and asks for the room's password."
    })  # fmt: skip
    room_number = ma.fields.String(metadata={
        "description": "Of a private poll, for its own people and whoever has come in."
    })  # fmt: skip
    held_back = ma.fields.Nested(
        HeldBackSchema,
        required=True,
        allow_none=True,
        metadata={
            "description": "Reported by many, or kept out by an officer: it is in no list. Voting"
            " goes on."
        },
    )
    moderation = ma.fields.Nested(ModerationSchema, metadata={
        "description": "For its own people, once it was held back or decided on; never of a private"
        " poll."
    })  # fmt: skip
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
