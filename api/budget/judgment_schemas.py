"""The shapes of judgments: votes, counts, recounts."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import OneOf

from api.fields import Instant, LocalText, ShownText, Strict, String, Uuid
from mvote.budget.deliberation.judgment import MOTIONS, VOTES
from mvote.wording import say

PUT_BY_MEMBERS = ("approve", "return", "call_up")


class JudgmentVoteRequest(Strict):
    vote = String(required=True, validate=OneOf(VOTES))
    reason = LocalText(max_length=2_000, load_default=None, allow_none=True, metadata={
        "description": "Public with the vote, once the judgment is closed."
    })  # fmt: skip


class OtherMotionRequest(Strict):
    motion = String(required=True, validate=OneOf(PUT_BY_MEMBERS), metadata={
        "description": "`return`: back to its authors; `call_up`: a rejected one, under review."
    })  # fmt: skip
    missing = LocalText(max_length=5_000, load_default=None, allow_none=True, metadata={
        "description": "For `return`: what its authors must still say."
    })  # fmt: skip

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        if (data["motion"] == "return") != (data["missing"] is not None):
            raise ma.ValidationError(say("It belongs to a return, and to nothing else."), "missing")


class ClosingRequest(Strict):
    meeting_id = Uuid(load_default=None, allow_none=True, metadata={
        "description": "The meeting at which it was voted on."
    })  # fmt: skip


class JudgmentVoteSchema(ma.Schema):
    """One's own vote."""

    judgment_id = ma.fields.UUID(required=True)
    seat_id = ma.fields.UUID(required=True)
    vote = ma.fields.String(required=True, validate=OneOf(VOTES))
    reason = ShownText(required=True, allow_none=True)
    at = Instant(required=True)


class VoteBySeat(ma.Schema):
    seat_id = ma.fields.UUID(required=True)
    number = ma.fields.Integer(required=True)
    pseudonym = ma.fields.String(required=True)
    vote = ma.fields.String(required=True, validate=OneOf(VOTES))
    reason = ShownText(required=True, allow_none=True)
    counts = ma.fields.Boolean(required=True, metadata={
        "description": "False: a recusal was found later, or the member has left."
    })  # fmt: skip


class RecountSchema(ma.Schema):
    at = Instant(required=True)
    entitled = ma.fields.Integer(required=True)
    yes = ma.fields.Integer(required=True)
    no = ma.fields.Integer(required=True)
    abstain = ma.fields.Integer(required=True)
    quorate = ma.fields.Boolean(required=True)
    carried = ma.fields.Boolean(required=True)


class JudgmentSchema(ma.Schema):
    """Counts, votes and reasons are public once it is closed; while it is open, who judges."""

    id = ma.fields.UUID(required=True)
    proposal_id = ma.fields.UUID(required=True)
    committee_id = ma.fields.UUID(required=True)
    motion = ma.fields.String(required=True, validate=OneOf(MOTIONS))
    missing = ShownText(required=True, allow_none=True)
    state = ma.fields.String(required=True, validate=OneOf(["open", "closed"]))
    shortlist_id = ma.fields.UUID(required=True, allow_none=True)
    meeting_id = ma.fields.UUID(required=True, allow_none=True)
    opened_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)
    sworn_in = ma.fields.List(ma.fields.UUID(), required=True, metadata={
        "description": "Seats of reserves who judge this item alone."
    })  # fmt: skip
    entitled = ma.fields.Integer(required=True, allow_none=True, metadata={
        "description": "Filled voting seats without those recused for it."
    })  # fmt: skip
    present = ma.fields.Integer(required=True, allow_none=True)
    yes = ma.fields.Integer(required=True, allow_none=True)
    no = ma.fields.Integer(required=True, allow_none=True)
    abstain = ma.fields.Integer(required=True, allow_none=True)
    quorate = ma.fields.Boolean(required=True, allow_none=True)
    carried = ma.fields.Boolean(required=True, allow_none=True, metadata={
        "description": "At closing; where there are recounts, the last of them counts."
    })  # fmt: skip
    votes = ma.fields.List(ma.fields.Nested(VoteBySeat), required=True)
    recounts = ma.fields.List(ma.fields.Nested(RecountSchema), required=True)


class BenchSchema(ma.Schema):
    """Who judges a proposal as things stand."""

    judgment_id = ma.fields.UUID(required=True)
    committee_id = ma.fields.UUID(required=True)
    motion = ma.fields.String(required=True, validate=OneOf(MOTIONS))
    seats = ma.fields.List(ma.fields.UUID(), required=True)
    sworn_in = ma.fields.List(ma.fields.UUID(), required=True)
    chair = ma.fields.UUID(required=True, allow_none=True, metadata={
        "description": "The seat that closes the vote."
    })  # fmt: skip
