"""The shapes of ranked lists."""

from __future__ import annotations

import marshmallow as ma
from marshmallow.validate import Length, OneOf

from api.budget.judgment_schemas import VoteBySeat
from api.fields import Instant, LocalText, ShownText, Strict, Uuid
from mvote.budget.deliberation.judgment import VOTES

MOST_LISTED = 1_000


class NewShortlist(Strict):
    ranked = ma.fields.List(
        Uuid(), required=True, validate=Length(1, MOST_LISTED),
        metadata={"description": "Proposals that are approved if it is carried, the best first."},
    )  # fmt: skip
    not_chosen = ma.fields.List(
        Uuid(), load_default=list, validate=Length(max=MOST_LISTED),
        metadata={"description": "Those that are rejected with the same vote."},
    )  # fmt: skip
    meeting_id = Uuid(load_default=None, allow_none=True)


class PullOutRequest(Strict):
    proposal_id = Uuid(required=True)
    reason = LocalText(max_length=2_000, load_default=None, allow_none=True)


class PulledOutSchema(ma.Schema):
    proposal_id = ma.fields.UUID(required=True)
    seat_id = ma.fields.UUID(required=True)
    reason = ShownText(required=True, allow_none=True)
    at = Instant(required=True)


class ShortlistVoteSchema(ma.Schema):
    """One's own vote on a list."""

    shortlist_id = ma.fields.UUID(required=True)
    seat_id = ma.fields.UUID(required=True)
    vote = ma.fields.String(required=True, validate=OneOf(VOTES))
    reason = ShownText(required=True, allow_none=True)
    at = Instant(required=True)


class ShortlistSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    committee_id = ma.fields.UUID(required=True)
    motion = ma.fields.String(required=True, validate=OneOf(["approve", "confirm"]))
    ranked = ma.fields.List(ma.fields.UUID(), required=True)
    not_chosen = ma.fields.List(ma.fields.UUID(), required=True)
    pulled_out = ma.fields.List(ma.fields.Nested(PulledOutSchema), required=True)
    meeting_id = ma.fields.UUID(required=True, allow_none=True)
    state = ma.fields.String(required=True, validate=OneOf(["open", "closed", "abandoned"]))
    opened_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)
    entitled = ma.fields.Integer(required=True, allow_none=True)
    yes = ma.fields.Integer(required=True, allow_none=True)
    no = ma.fields.Integer(required=True, allow_none=True)
    abstain = ma.fields.Integer(required=True, allow_none=True)
    votes = ma.fields.List(ma.fields.Nested(VoteBySeat), required=True, metadata={
        "description": "By seat, once it is closed."
    })  # fmt: skip
    carried = ma.fields.Boolean(required=True, allow_none=True, metadata={
        "description": "Of the list as a whole; each project's own count is its judgment."
    })  # fmt: skip
