"""The shapes of allocations, for the contract: what is shown was made by `allocating.documents`."""

from __future__ import annotations

from typing import Any, get_args

import marshmallow as ma
from marshmallow.validate import Length, OneOf

from api.fields import Instant, ShownText, String
from mvote.budget.allocating.model import Code
from mvote.budget.deciding.outcomes import VERDICTS

EXACT: dict[str, Any] = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
"""A whole number, or a fraction as text: `"25/3"`. Nothing is rounded."""
BY_SOURCE: dict[str, Any] = {"type": "object", "additionalProperties": EXACT}


class ExactField(ma.fields.Field[Any]):
    """A number that is never rounded."""

    @property
    def json_schema(self) -> dict[str, Any]:
        """How it stands in the contract."""
        return {"anyOf": EXACT["anyOf"] + [{"type": "null"}] * self.allow_none}


class VotesField(ma.fields.Field[Any]):
    """The votes of the only source; else, by source."""

    json_schema = {"anyOf": [*EXACT["anyOf"], BY_SOURCE]}  # noqa: RUF012


class BySourceField(ma.fields.Field[Any]):
    """Exact numbers by the key of their source."""

    json_schema = BY_SOURCE


class ContestQuery(ma.Schema):
    contest = String(
        load_default=None,
        validate=Length(1, 40),
        metadata={"description": "Its key; needed where the cycle has several."},
    )


class FundedSchema(ma.Schema):
    """A project that gets money."""

    reference = ma.fields.String(required=True)
    amount = ma.fields.Integer(
        required=True,
        metadata={
            "description": "In whole units of the currency; where the cycle was imported, in its"
            " smallest unit."
        },
    )
    votes = VotesField(required=True)
    score = ExactField(metadata={
        "description": "Where ballots give points: all its points; `votes` are ballots then."
    })  # fmt: skip


class ExplainedSchema(ma.Schema):
    """Why a project is funded or not."""

    reference = ma.fields.String(required=True)
    rank = ma.fields.Integer(required=True)
    score = ExactField(required=True)
    votes = BySourceField(required=True)
    shares = BySourceField(required=True)
    decision = ma.fields.String(required=True, validate=OneOf(get_args(Code)))
    amount = ma.fields.Integer(required=True)
    heading = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "What stopped it."}
    )
    left = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "Money left at that step."}
    )
    excluded_by = ma.fields.String(required=True, allow_none=True)
    votes_missing = ma.fields.Integer(required=True, allow_none=True)
    score_missing = ExactField(required=True, allow_none=True)
    supporters_money = ExactField(required=True, allow_none=True)
    more_than = ma.fields.Boolean(metadata={"description": "More than what is missing is needed."})


class BindingSchema(ma.Schema):
    """The allocation by the rule of the contest: a proposal until it is confirmed."""

    rule = ma.fields.String(required=True)
    funded = ma.fields.List(ma.fields.Nested(FundedSchema), required=True)
    spent = ma.fields.Integer(required=True)
    weights = BySourceField(required=True)
    absent_sources = ma.fields.List(ma.fields.String(), required=True)
    order = ma.fields.List(ma.fields.String(), required=True)
    projects = ma.fields.List(ma.fields.Nested(ExplainedSchema), required=True)
    equal_shares = ma.fields.Dict(metadata={
        "description": "`money_each`, `runs`, `preferred_by`, `greedy_won`."
    })  # fmt: skip


class ComparedSchema(ma.Schema):
    """What another rule would have given; `funded` null with the `reason` where it cannot say."""

    rule = ma.fields.String(required=True)
    recountable = ma.fields.Boolean(metadata={
        "description": "Whether anybody can repeat it from what is published: not where it needs"
        " single ballots of which only totals are public. The counter works such a one out soon"
        " after the allocation, if the definition that voters were shown names it."
    })  # fmt: skip
    funded = ma.fields.List(ma.fields.Nested(FundedSchema), required=True, allow_none=True)
    spent = ma.fields.Integer()
    reason = ma.fields.String()


class DecidedSchema(ma.Schema):
    """What became of a project since the plenary confirmed the allocation."""

    reference = ma.fields.String(required=True)
    proposal_id = ma.fields.UUID(required=True)
    decision = ma.fields.String(required=True, validate=OneOf(VERDICTS))
    amount = ma.fields.Integer(required=True)
    deviates = ma.fields.Boolean(required=True, metadata={
        "description": "Whether the plenary did otherwise than the vote; `text` says why."
    })  # fmt: skip
    text = ShownText(required=True, allow_none=True)
    state = ma.fields.String(required=True, metadata={"description": "The proposal's, now."})
    moved_up_with = ma.fields.Integer(required=True, allow_none=True, metadata={
        "description": "What it got when it moved up from the reserve list."
    })  # fmt: skip
    enacted_amount = ma.fields.Integer(required=True, allow_none=True)
    enacted_text = ShownText(required=True, allow_none=True)


class WithoutResultSchema(ma.Schema):
    """Why the frozen rule could not decide, as the city says it and as the system found it."""

    cause = ShownText(required=True)
    code = ma.fields.String(required=True, metadata={
        "description": "`source-missing`: a source did not come about, or so few ballots came that"
        " its totals are not shown. `too-few-shown`: equal shares lacks single ballots."
    })  # fmt: skip
    sources = ma.fields.List(ma.fields.String(), required=True)


class AllocationSchema(ma.Schema):
    """A contest's allocation."""

    cycle_id = ma.fields.UUID(required=True)
    contest = ma.fields.String(required=True)
    n = ma.fields.Integer(required=True, metadata={
        "description": "0, and one more each time that a project was struck before it was worked"
        " out anew. The last one counts."
    })  # fmt: skip
    currency = ma.fields.String(required=True, allow_none=True)
    allocated_at = Instant(required=True)
    binding = ma.fields.Nested(BindingSchema, required=True)
    comparisons = ma.fields.List(ma.fields.Nested(ComparedSchema), required=True)
    lot = ma.fields.Dict(metadata={
        "description": "`commitment`, public since the cycle began, `secret`, `public_value`: what"
        ' the sources published, `seed`: SHA-256("mvote/seed/1" ‖ secret ‖ public value).'
    })  # fmt: skip
    inputs = ma.fields.Dict(metadata={
        "description": "`projects` and `sources`: with the cycle's rules and the seed, all that"
        " anybody needs to work it out again."
    })  # fmt: skip
    motion_id = ma.fields.UUID(required=True, allow_none=True, metadata={
        "description": "The motion by which the plenary confirmed it."
    })  # fmt: skip
    decisions = ma.fields.List(ma.fields.Nested(DecidedSchema), required=True, allow_none=True)
    without_result = ma.fields.Nested(WithoutResultSchema, required=True, allow_none=True)
    notes = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "What has to be said about it, such as an unknown rule."
    })  # fmt: skip
