"""The shapes of updates of enacted projects."""

from __future__ import annotations

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range

from api.budget.proposal_schemas import MOST_FILES, PictureSchema, ShownPicture
from api.fields import Flag, Instant, Integer, LocalText, ShownText, Strict, Uuid
from api.pages import PageQuery
from mvote.budget.delivering.update import IN_DELIVERY
from mvote.budget.revision import DEAREST

MOST_MILESTONES = 50


class MilestoneSchema(Strict):
    title = LocalText(max_length=200, required=True)
    planned_on = ma.fields.Date(required=True, format="iso")
    done_on = ma.fields.Date(load_default=None, allow_none=True, format="iso")


class UpdateRequest(Strict):
    """How far the project is, all of it: what is left out is gone."""

    text = LocalText(max_length=5_000, required=True)
    percent = Integer(required=True, validate=Range(0, 100))
    spent = Integer(required=True, validate=Range(0, DEAREST), metadata={
        "description": "Won: all that was spent on it so far."
    })  # fmt: skip
    milestones = ma.fields.List(
        ma.fields.Nested(MilestoneSchema), required=True, validate=Length(0, MOST_MILESTONES)
    )
    pictures = ma.fields.List(
        ma.fields.Nested(PictureSchema), load_default=list, validate=Length(0, MOST_FILES)
    )
    corrects = Integer(
        load_default=None,
        allow_none=True,
        validate=Range(1, 1_000_000),
        metadata={"description": "`n` of the update that was wrong; it stays to be read."},
    )
    department_id = Uuid(load_default=None, allow_none=True, metadata={
        "description": "Who delivers it from now on; by default who did until now."
    })  # fmt: skip


class ShownMilestone(ma.Schema):
    title = ShownText(required=True)
    planned_on = ma.fields.String(required=True, metadata={"format": "date"})
    done_on = ma.fields.String(required=True, allow_none=True, metadata={"format": "date"})


class UpdateSchema(ma.Schema):
    """What was said of a project at that time."""

    proposal_id = ma.fields.UUID(required=True)
    n = ma.fields.Integer(required=True)
    corrects = ma.fields.Integer(required=True, allow_none=True)
    corrected_by = ma.fields.List(ma.fields.Integer(), required=True)
    department_id = ma.fields.UUID(required=True)
    text = ShownText(required=True)
    percent = ma.fields.Integer(required=True)
    spent = ma.fields.Integer(required=True)
    milestones = ma.fields.List(ma.fields.Nested(ShownMilestone), required=True)
    pictures = ma.fields.List(ma.fields.Nested(ShownPicture), required=True)
    at = Instant(required=True)


class DeliveryQuery(PageQuery):
    overdue = Flag(load_default=False, metadata={
        "description": "true: only what the city is late with."
    })  # fmt: skip


class ProgressSchema(ma.Schema):
    """A project in delivery, and how far it is by its newest update."""

    proposal_id = ma.fields.UUID(required=True)
    reference = ma.fields.String(required=True)
    title = ShownText(required=True)
    state = ma.fields.String(required=True, validate=OneOf(IN_DELIVERY))
    amount = ma.fields.Integer(required=True, allow_none=True, metadata={
        "description": "What the council gave."
    })  # fmt: skip
    department_id = ma.fields.UUID(required=True, allow_none=True)
    percent = ma.fields.Integer(required=True, allow_none=True)
    spent = ma.fields.Integer(required=True, allow_none=True)
    milestones = ma.fields.List(ma.fields.Nested(ShownMilestone), required=True)
    updated_at = Instant(required=True, allow_none=True)
    overdue = ma.fields.Boolean(required=True)
    overdue_since = ma.fields.Date(required=True, allow_none=True, metadata={
        "description": "A planned day has passed, or nothing was said for 90 days."
    })  # fmt: skip
