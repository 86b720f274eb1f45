"""The shapes of a cycle's report."""

from __future__ import annotations

import marshmallow as ma

from api.fields import ShownText


class StageSum(ma.Schema):
    projects = ma.fields.Integer(required=True)
    amount = ma.fields.Integer(required=True, metadata={
        "description": "Whole units of the currency, as far as it was settled at that stage."
    })  # fmt: skip


class SumSchema(ma.Schema):
    """How many proposals came how far."""

    stages = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Nested(StageSum), required=True,
        metadata={"description": "What came as far as that, also if it fell back later: a project"
                  " that was dropped and those that moved up for it each count as funded."},
    )  # fmt: skip
    spent = ma.fields.Integer(required=True)


class HeadingSum(SumSchema):
    heading = ma.fields.String(required=True)
    title = ShownText(required=True, allow_none=True)
    parent = ma.fields.String(required=True, allow_none=True)


class DistrictSum(SumSchema):
    area_code = ma.fields.String(required=True)
    name = ShownText(required=True)


class ReportSchema(ma.Schema):
    """What became of the proposals of a cycle, as far as that is public."""

    cycle_id = ma.fields.UUID(required=True)
    title = ShownText(required=True)
    budget_year = ma.fields.Integer(required=True, allow_none=True)
    currency = ma.fields.String(required=True, allow_none=True)
    budget_limit = ma.fields.Integer(required=True, allow_none=True)
    total = ma.fields.Nested(SumSchema, required=True)
    by_state = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer(), required=True)
    by_heading = ma.fields.List(ma.fields.Nested(HeadingSum), required=True, metadata={
        "description": "Each with all that lies beneath it."
    })  # fmt: skip
    by_district = ma.fields.List(ma.fields.Nested(DistrictSum), required=True, metadata={
        "description": "A project in several districts counts in each."
    })  # fmt: skip
