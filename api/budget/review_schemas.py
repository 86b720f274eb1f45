"""The shapes of recusals, interests, opinions, and what is left to do."""

from __future__ import annotations

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range

from api.budget.committee_schemas import InterestsSchema
from api.fields import Instant, Integer, LocalText, ShownText, Strict, String
from api.polls.question_schemas import KEY
from api.polls.schemas import CODE
from mvote.budget.reviewing.recusal import GROUNDS, HOWS
from mvote.budget.reviewing.review import FIRST, SECOND

MOST_CRITERIA, HIGHEST = 50, 1_000
ROUND = "1: blind, before the discussion; 2: after it."


class RecusalRequest(Strict):
    ground = String(required=True, validate=OneOf(GROUNDS), metadata={
        "description": "In a word, which is public at once."
    })  # fmt: skip


class RecusalSchema(ma.Schema):
    """A seat has no part in a proposal, and why."""

    seat_id = ma.fields.UUID(required=True)
    committee_id = ma.fields.UUID(required=True)
    pseudonym = ma.fields.String(required=True)
    ground = ma.fields.String(required=True, validate=OneOf(GROUNDS))
    how = ma.fields.String(required=True, validate=OneOf(HOWS))
    at = Instant(required=True)


class SeatInterestsSchema(InterestsSchema):
    """What a member declares beside what they declared when they applied."""

    area_codes = ma.fields.List(String(validate=CODE), load_default=list, validate=Length(max=50))


class ScoreSchema(Strict):
    criterion = String(required=True, validate=KEY)
    score = Integer(required=True, validate=Range(0, HIGHEST), metadata={
        "description": "From 0 to the criterion's `scale`."
    })  # fmt: skip
    reason = LocalText(max_length=2_000, required=True)


class OpinionRequest(Strict):
    """A score with its reason for each criterion of the cycle."""

    scores = ma.fields.List(
        ma.fields.Nested(ScoreSchema), required=True, validate=Length(max=MOST_CRITERIA)
    )
    comment = LocalText(max_length=5_000, allow_none=True, load_default=None)


class ShownScore(ma.Schema):
    criterion = ma.fields.String(required=True)
    score = ma.fields.Integer(required=True)
    reason = ShownText(required=True)


class OpinionSchema(ma.Schema):
    """One seat's opinion in one round; whose seat it is stands nowhere here."""

    committee_id = ma.fields.UUID(required=True)
    seat_id = ma.fields.UUID(required=True)
    number = ma.fields.Integer(required=True, metadata={"description": "The seat's."})
    round = ma.fields.Integer(
        required=True, validate=OneOf([FIRST, SECOND]), metadata={"description": ROUND}
    )
    scores = ma.fields.List(ma.fields.Nested(ShownScore), required=True)
    comment = ShownText(required=True, allow_none=True)
    at = Instant(required=True)
    judged_at = Instant(required=True, allow_none=True, metadata={
        "description": "Since when everybody may read it."
    })  # fmt: skip


class LeftSchema(ma.Schema):
    """A proposal that waits for the caller's opinion."""

    proposal_id = ma.fields.UUID(required=True)
    reference = ma.fields.String(required=True)
    title = ShownText(required=True)
    heading = ma.fields.String(required=True, allow_none=True)
    kind = ma.fields.String(required=True, allow_none=True)
    amount = ma.fields.Integer(required=True)
    cycle_id = ma.fields.UUID(required=True)
    committee_id = ma.fields.UUID(required=True)
    seat_id = ma.fields.UUID(required=True)
    round = ma.fields.Integer(
        required=True, validate=OneOf([FIRST, SECOND]), metadata={"description": ROUND}
    )
    due_at = Instant(required=True)


class GivenOutSchema(ma.Schema):
    """What has readers now."""

    proposals = ma.fields.Integer(required=True)
    assignments = ma.fields.Integer(required=True)
    lacking = ma.fields.List(ma.fields.UUID(), required=True, metadata={
        "description": "Proposals that so many are recused from that they lack readers."
    })  # fmt: skip


class DiscussedSchema(ma.Schema):
    """A committee has discussed a proposal: the second round is open."""

    proposal_id = ma.fields.UUID(required=True)
    committee_id = ma.fields.UUID(required=True)
    discussed_at = Instant(required=True)
