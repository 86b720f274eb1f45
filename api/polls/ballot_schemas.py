"""The shapes of ballots, receipts and of the answer to "may I vote?"."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, Range, Regexp

from api.fields import Boolean, Integer, Strict, String
from api.polls.integrity_schemas import PlacedFields
from mvote.budget.definition.ballots import MOST_POINTS
from mvote.wording import say

LONGEST_KEY = 40
SELECTION = {
    "oneOf": [
        {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "description": "A key"},
        {"$ref": "#/components/schemas/GivenPoints"},
    ]
}


class EvidenceFields(PlacedFields):
    presence_token = String(validate=Length(1, 2000))
    room_password = String(validate=Length(1, 128))


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


class GivenPoints(Strict):
    key = String(required=True, validate=Length(1, LONGEST_KEY))
    points = Integer(required=True, validate=Range(1, MOST_POINTS))


class Selection(ma.fields.Field[Any]):
    """An option's key; of kind points with the points that it is given."""

    json_schema = SELECTION

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, dict):
            return GivenPoints().load(value)
        return KEY.deserialize(value)


KEY = String(validate=Length(1, LONGEST_KEY))


class BallotRequest(EvidenceFields):
    selections = ma.fields.List(
        Selection(),
        required=True,
        validate=Length(0, 1000),
        metadata={
            "description": "Option keys, of a ranking in order; of points with the points of each;"
            " blank: `[]`, where `min_selections` is 0."
        },
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
        validate=Regexp(r"^[A-Za-z0-9_-]{22,64}\Z", error=say("22 to 64 of A-Z a-z 0-9 _ -.")),
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
