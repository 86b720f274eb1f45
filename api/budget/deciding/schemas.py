"""What is sent and shown where a cycle is decided."""

from __future__ import annotations

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from api.fields import Instant, Integer, LocalText, ShownText, Strict, String
from api.polls.question_schemas import KEY
from mvote.budget.deciding.enactment import ENACTED
from mvote.budget.deciding.motion import STATES, VOTES
from mvote.budget.deciding.outcomes import VERDICTS
from mvote.budget.revision import DEAREST
from mvote.wording import say

MOST = 10**9
SHA256 = Regexp(r"^[0-9a-f]{64}\Z", error=say("64 hexadecimal digits."))
MOST_PROJECTS = 1_000
Reference = Length(1, 100)


def _some(values: dict[str, int]) -> None:
    Length(1, MOST_PROJECTS)(values)  # the contract would call it the length of a text


class SurveyReport(Strict):
    """The survey's own report; where it lies is shown only with the values."""

    url = String(required=True, validate=Length(1, 1_000))
    sha256 = String(required=True, validate=SHA256)


class StatementRequest(Strict):
    """What a survey found. Nobody sees it before all sources of the contest are released."""

    values = ma.fields.Dict(
        keys=String(validate=Reference),
        values=Integer(validate=Range(0, MOST)),
        required=True,
        validate=_some,
        metadata={
            "description": "By the reference of the project; whoever is not named has 0.",
            "minProperties": 1,
            "maxProperties": MOST_PROJECTS,
        },
    )
    unit = String(required=True, validate=KEY)
    sample_size = Integer(required=True, validate=Range(1, MOST))
    document = ma.fields.Nested(SurveyReport, required=True)


class SealSchema(ma.Schema):
    """One sealed statement: its hash at once, its text when all sources are released."""

    n = ma.fields.Integer(required=True)
    sha256 = ma.fields.String(required=True)
    sealed_at = Instant(required=True)
    statement = ma.fields.Dict(required=True, allow_none=True, metadata={
        "description": "What was sealed, with the salt. The SHA-256 of its canonical JSON (RFC"
        " 8785) is the hash."
    })  # fmt: skip


class SourceSchema(ma.Schema):
    """What is sealed for a source that is no poll. Of several statements the last counts."""

    cycle_id = ma.fields.UUID(required=True)
    contest = ma.fields.String(required=True)
    source = ma.fields.String(required=True)
    seals = ma.fields.List(ma.fields.Nested(SealSchema), required=True)


class ChangeSchema(Strict):
    """What a motion says of one project."""

    reference = String(required=True, validate=Reference)
    decision = String(required=True, validate=OneOf(VERDICTS))
    amount = Integer(validate=Range(1, DEAREST), metadata={
        "description": "Only of what is funded; without it, what was proposed, or all it costs."
    })  # fmt: skip
    text = LocalText(max_length=2_000, metadata={
        "description": "Why, in public; a deviation from the vote needs it."
    })  # fmt: skip


class WithoutResultRequest(Strict):
    cause = LocalText(max_length=2_000, required=True, metadata={
        "description": "Why there is no result that may decide: public with the allocation."
    })  # fmt: skip


class MotionRequest(Strict):
    """Confirm the allocation, but for these changes."""

    changes = ma.fields.List(
        ma.fields.Nested(ChangeSchema), load_default=list, validate=Length(0, MOST_PROJECTS)
    )


class VoteRequest(Strict):
    vote = String(required=True, validate=OneOf(VOTES))


class EnactmentRequest(Strict):
    """The council's amount: what was funded, less, or 0."""

    amount = Integer(required=True, validate=Range(0, DEAREST))
    text = LocalText(max_length=2_000, metadata={
        "description": "Why, in public; less than was funded needs it."
    })  # fmt: skip


class ShownChange(ma.Schema):
    reference = ma.fields.String(required=True)
    decision = ma.fields.String(required=True, validate=OneOf(VERDICTS))
    amount = ma.fields.Integer()
    text = ShownText()


class RecordedVote(ma.Schema):
    seat_id = ma.fields.UUID(required=True)
    pseudonym = ma.fields.String(required=True)
    vote = ma.fields.String(required=True, validate=OneOf(VOTES))


class MotionSchema(ma.Schema):
    """A motion on an allocation. Who voted how is shown once it is judged."""

    id = ma.fields.UUID(required=True)
    cycle_id = ma.fields.UUID(required=True)
    contest = ma.fields.String(required=True)
    allocation = ma.fields.Integer(required=True, attribute="allocation_n", metadata={
        "description": "The number of the allocation that it is about."
    })  # fmt: skip
    committee_id = ma.fields.UUID(required=True)
    state = ma.fields.String(required=True, validate=OneOf(STATES))
    changes = ma.fields.List(ma.fields.Nested(ShownChange), required=True)
    laid_at = Instant(required=True)
    judged_at = Instant(required=True, allow_none=True)
    entitled = ma.fields.Integer(required=True, allow_none=True)
    yes = ma.fields.Integer(required=True, allow_none=True)
    no = ma.fields.Integer(required=True, allow_none=True)
    abstain = ma.fields.Integer(required=True, allow_none=True)
    votes = ma.fields.List(ma.fields.Nested(RecordedVote), required=True, allow_none=True)


class MotionsSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(MotionSchema), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


class EnactmentSchema(ma.Schema):
    """What the council made of a project."""

    proposal_id = ma.fields.UUID(required=True)
    reference = ma.fields.String(required=True)
    state = ma.fields.String(required=True, validate=OneOf(ENACTED))
    funded_amount = ma.fields.Integer(required=True)
    amount = ma.fields.Integer(required=True)
    text = ShownText(required=True, allow_none=True)
    at = Instant(required=True)
    moved_up = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "References of the reserves that are funded with the money it freed."
    })  # fmt: skip
