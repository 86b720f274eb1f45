"""The shapes of committees, applications, draws and seats."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from api.fields import (
    Boolean,
    Instant,
    Integer,
    LocalText,
    PointSchema,
    ShownText,
    Strict,
    String,
    Uuid,
)
from api.polls.question_schemas import KEY
from api.polls.schemas import CODE, OLDEST
from mvote.budget.applying import DERIVED
from mvote.budget.seat import APPOINTED_KINDS, RESERVE_STATES, SEAT_KINDS, SEAT_STATES
from mvote.wording import say

MOST_SEATS, MOST_QUOTAS, MOST_VALUES = 1_000, 200, 500
SHA256 = Regexp(r"^[0-9a-f]{64}\Z", error=say("32 bytes as 64 hexadecimal digits."))
WORD = Length(1, 100)
SEED = "The secret half of the seed, whose SHA-256 was published as `commitment`."


class QuotaSchema(Strict):
    """At least and at most so many people for whom one of the values holds."""

    name = String(required=True, validate=WORD)
    category = String(required=True, validate=WORD, metadata={
        "description": f"{', '.join(DERIVED)} come from the account; any other is declared."
    })  # fmt: skip
    values = ma.fields.List(String(validate=WORD), required=True, validate=Length(1, MOST_VALUES))
    min = Integer(load_default=0, validate=Range(0, MOST_SEATS))
    max = Integer(load_default=None, allow_none=True, validate=Range(0, MOST_SEATS))


class TargetsSchema(Strict):
    """What a draw must bring about."""

    seats = Integer(required=True, validate=Range(1, MOST_SEATS))
    quotas = ma.fields.List(
        ma.fields.Nested(QuotaSchema), load_default=list, validate=Length(max=MOST_QUOTAS)
    )
    reserves = Integer(load_default=0, validate=Range(0, MOST_SEATS))
    reserve_quotas = ma.fields.List(
        ma.fields.Nested(QuotaSchema),
        validate=Length(max=MOST_QUOTAS),
        metadata={"description": "By default the members', scaled."},
    )


class NewDraw(Strict):
    """All that is published before anybody applies."""

    commitment = String(required=True, validate=SHA256, metadata={
        "description": "SHA-256 of 32 random bytes that are kept until the draw."
    })  # fmt: skip
    public_source = String(required=True, validate=Length(1, 500), metadata={
        "description": "Which public value will be mixed in: a lottery of a day, say."
    })  # fmt: skip
    applications_close_at = Instant(required=True)
    public_value_at = Instant(required=True, metadata={
        "description": "When that value becomes known, after applications have closed."
    })  # fmt: skip
    targets = ma.fields.Nested(TargetsSchema, required=True)

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        if data["public_value_at"] <= data["applications_close_at"]:
            raise ma.ValidationError(
                say("Must be later than applications_close_at."), "public_value_at"
            )


class AgeBand(Strict):
    value = String(required=True, validate=WORD)
    min_age = Integer(load_default=None, allow_none=True, validate=Range(0, OLDEST))
    max_age = Integer(load_default=None, allow_none=True, validate=Range(0, OLDEST))


class NewCommittee(Strict):
    name = LocalText(max_length=200, required=True)
    kind = String(required=True, validate=KEY, metadata={
        "description": "One of the bodies that the cycle's `review` and `decision` name; also"
        " `subcommittee`, `plenary`, `appeals`."
    })  # fmt: skip
    headings = ma.fields.List(String(validate=KEY), load_default=list, validate=Length(max=100))
    area_codes = ma.fields.List(String(validate=CODE), load_default=list, validate=Length(max=100))
    starts_on = ma.fields.Date(load_default=None, format="iso")
    ends_on = ma.fields.Date(load_default=None, format="iso")
    age_bands = ma.fields.List(
        ma.fields.Nested(AgeBand), load_default=list, validate=Length(max=20)
    )
    draw = ma.fields.Nested(NewDraw, metadata={
        "description": "Without it nobody is drawn: seats are given by appointment."
    })  # fmt: skip


class InterestsSchema(Strict):
    """What may lie too near to a project: whoever has such an interest is recused from it."""

    organisations = ma.fields.List(
        String(validate=Length(1, 200)), load_default=list, validate=Length(max=50)
    )
    points = ma.fields.List(
        ma.fields.Nested(PointSchema), load_default=list, validate=Length(max=20)
    )
    text = String(load_default=None, allow_none=True, validate=Length(1, 2_000))


class ApplicationRequest(Strict):
    declared = ma.fields.Dict(
        keys=String(validate=KEY),
        values=ma.fields.List(String(validate=WORD), validate=Length(max=20)),
        load_default=dict,
        validate=Length(max=20),
        metadata={"description": "Categories that the account does not know."},
    )
    interests = ma.fields.Nested(
        InterestsSchema, load_default=lambda: {"organisations": [], "points": [], "text": None}
    )
    preferences = ma.fields.List(String(validate=KEY), load_default=list, validate=Length(max=20))


class DrawRequest(Strict):
    seed = String(validate=SHA256, metadata={"description": SEED})
    public_value = String(validate=Length(1, 500))
    targets = ma.fields.Nested(TargetsSchema)
    dry_run = Boolean(load_default=False, metadata={
        "description": "Only see whether the pool can meet the targets; needs no seed."
    })  # fmt: skip

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        needed = () if data["dry_run"] else ("seed", "public_value", "targets")
        missing = {
            name: [say("Missing data for required field.")] for name in needed if name not in data
        }
        if missing:
            raise ma.ValidationError(missing)


class DrawChecked(ma.Schema):
    """The pool can meet the targets."""

    pool = ma.fields.Integer(required=True)


class LowerTargets(Strict):
    targets = ma.fields.Nested(TargetsSchema, required=True)
    text = LocalText(max_length=2_000, required=True)


class NewSeat(Strict):
    citizen_id = Uuid(required=True, metadata={"description": "`id` in their `GET /me`."})
    kind = String(required=True, validate=OneOf(APPOINTED_KINDS))
    has_vote = Boolean(load_default=False)


class Vacating(Strict):
    reason = LocalText(max_length=2_000, required=True)


class Chair(Strict):
    seat_id = Uuid(required=True)


class SeatSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    number = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True, validate=OneOf(SEAT_KINDS))
    has_vote = ma.fields.Boolean(required=True)
    is_chair = ma.fields.Boolean(required=True)
    pseudonym = ma.fields.String(required=True)
    state = ma.fields.String(required=True, validate=OneOf(SEAT_STATES))
    starts_on = ma.fields.Date(required=True)
    ends_on = ma.fields.Date(required=True)
    filled_at = Instant(required=True)
    vacated_at = Instant(required=True, allow_none=True)
    predecessor_id = ma.fields.UUID(required=True, allow_none=True, metadata={
        "description": "Of a reserve who moved up: the seat that fell vacant before it."
    })  # fmt: skip


class ReserveSchema(ma.Schema):
    position = ma.fields.Integer(required=True)
    pseudonym = ma.fields.String(required=True)
    state = ma.fields.String(required=True, validate=OneOf(RESERVE_STATES))


class PublishedTargets(ma.Schema):
    document = ma.fields.Dict(required=True)
    text = ShownText(required=True, allow_none=True)
    at = Instant(required=True)


class ShownDraw(ma.Schema):
    """What decides the draw, and the files from which anybody repeats it."""

    commitment = ma.fields.String(required=True)
    public_source = ma.fields.String(required=True)
    applications_close_at = Instant(required=True)
    public_value_at = Instant(required=True)
    targets = ma.fields.List(ma.fields.Nested(PublishedTargets), required=True, metadata={
        "description": "All that were published, with the reason for each change; the last counts."
    })  # fmt: skip
    applicants = ma.fields.Integer(required=True)
    held_at = Instant(required=True, allow_none=True)
    files = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "Paths of `docs/examples/repeat_draw.py`'s files that are public now."
    })  # fmt: skip


class CommitteeSchema(ma.Schema):
    """A committee. People appear by pseudonym; who sits in a subcommittee for the committee has the
    same one there, and in every other committee another."""

    id = ma.fields.UUID(required=True)
    cycle_id = ma.fields.UUID(required=True)
    name = ShownText(required=True)
    kind = ma.fields.String(required=True, validate=KEY)
    headings = ma.fields.List(ma.fields.String(), required=True)
    area_codes = ma.fields.List(ma.fields.String(), required=True)
    starts_on = ma.fields.Date(required=True)
    ends_on = ma.fields.Date(required=True)
    age_bands = ma.fields.List(ma.fields.Dict(), required=True)
    created_at = Instant(required=True)
    draw = ma.fields.Nested(ShownDraw, required=True, allow_none=True)
    seats = ma.fields.List(ma.fields.Nested(SeatSchema), required=True)
    reserves = ma.fields.List(ma.fields.Nested(ReserveSchema), required=True)
