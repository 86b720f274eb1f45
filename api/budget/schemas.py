"""The shapes of cycles. They check shape; rules are the domain's."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import OneOf, Range

from api.budget.shapes import field_of, schema_of
from api.fields import Instant, Integer, LocalText, ShownText, Strict, String
from api.pages import PageQuery
from api.polls.schemas import WarningSchema
from mvote.budget.cycle import PHASE_KINDS, STATUSES
from mvote.budget.definition import Definition
from mvote.budget.definition.headings import Heading
from mvote.budget.definition.phases import Phase
from mvote.budget.definition.reading import members
from mvote.budget.pabulib.rules import VOTE_TYPES
from mvote.wording import say

NewCycle = schema_of(Definition)
CycleChanges = type(
    "CycleChangesSchema", (Strict,), {name: field_of(hint) for name, hint in members(Definition)}
)


class PhaseRequest(Strict):
    """Start a draft; or move one phase of a cycle."""

    kind = String(
        validate=OneOf(PHASE_KINDS),
        metadata={
            "description": "Alone: this phase begins now. Without: a draft starts as planned."
        },
    )
    opens_at = Instant()
    closes_at = Instant()
    text = LocalText(max_length=2000, metadata={"description": "Why: stands in the notice."})

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        if "kind" not in data and ("opens_at" in data or "closes_at" in data):
            raise ma.ValidationError(say("Missing data for required field."), "kind")


class CycleNoticeSchema(ma.Schema):
    """What was done to a running cycle beside its plan."""

    kind = ma.fields.String(required=True)
    at = ma.fields.String(required=True)
    changes = ma.fields.List(
        ma.fields.Dict(),
        required=True,
        metadata={"description": "`pointer` into the cycle, `before`, `after`."},
    )
    facts = ma.fields.Dict(required=True, metadata={
        "description": "What else it says: of a statement its hash, of the council's word amounts."
    })  # fmt: skip
    text = ShownText(required=True, allow_none=True)


class LotSchema(ma.Schema):
    """The lot that breaks the last ties of a contest: bound by its hash since the cycle began."""

    contest = ma.fields.String(required=True)
    commitment = ma.fields.String(required=True, metadata={
        "description": "SHA-256 of the secret, which an allocation reveals as `lot`."
    })  # fmt: skip


class CycleSummary(ma.Schema):
    """A cycle in short."""

    id = ma.fields.UUID(required=True)
    status = ma.fields.String(required=True, validate=OneOf(STATUSES))
    phase = ma.fields.String(required=True, allow_none=True, validate=OneOf(PHASE_KINDS), metadata={
        "description": "The phase that is open now, by the server's clock."
    })  # fmt: skip
    version = ma.fields.Integer(required=True)
    department_id = ma.fields.UUID(required=True, allow_none=True)
    time_zone = ma.fields.String(required=True)
    created_at = Instant(required=True)
    started_at = Instant(required=True, allow_none=True)
    title = ShownText(required=True)
    currency = ma.fields.String(required=True, allow_none=True)
    budget_year = ma.fields.Integer(required=True, allow_none=True)
    budget_limit = ma.fields.Integer(required=True, allow_none=True, metadata={
        "description": "In whole units of the currency; of what was imported, in its smallest unit."
    })  # fmt: skip
    phases = ma.fields.List(ma.fields.Nested(schema_of(Phase)), required=True)


class ImportedSchema(ma.Schema):
    """What was imported, if the cycle was."""

    vote_type = ma.fields.String(required=True, validate=OneOf(VOTE_TYPES))
    rule = ma.fields.String(required=True)
    ballots = ma.fields.Integer(required=True)
    sha256 = ma.fields.String(required=True, metadata={"description": "Of the whole file."})


_REST = {
    name: field_of(hint)
    for name, hint in members(Definition)
    if name not in CycleSummary._declared_fields  # noqa: SLF001
}
CycleView = type("CycleSchema", (CycleSummary,), {
    **_REST,
    "headings": ma.fields.List(ma.fields.Nested(schema_of(Heading)), required=True),
    "imported": ma.fields.Nested(ImportedSchema),
    "lots": ma.fields.List(ma.fields.Nested(LotSchema), required=True),
    "notices": ma.fields.List(ma.fields.Nested(CycleNoticeSchema), required=True),
    "warnings": ma.fields.List(ma.fields.Nested(WarningSchema), required=True, metadata={
        "description": "What those who plan the cycle should know of its rules; it never hinders."
    }),
})  # fmt: skip


class CyclesQuery(PageQuery):
    budget_year = Integer(load_default=None, validate=Range(1900, 9000))
