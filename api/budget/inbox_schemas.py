"""The shapes of an inbox."""

from __future__ import annotations

import marshmallow as ma
from marshmallow.validate import OneOf

from api.fields import Flag, Instant, ShownText
from api.pages import PageQuery
from mvote.budget.telling.bulletin import KINDS


class ReceivedSchema(ma.Schema):
    """One thing the caller was told; the same words for everyone who was told it."""

    id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True, validate=OneOf(KINDS))
    at = Instant(required=True)
    read_at = Instant(required=True, allow_none=True)
    cycle_id = ma.fields.UUID(required=True, allow_none=True)
    poll_id = ma.fields.UUID(required=True, allow_none=True, metadata={
        "description": "A poll of one's own; then there is no cycle."
    })  # fmt: skip
    seat_id = ma.fields.UUID(required=True, allow_none=True, metadata={
        "description": "The seat that the caller has as a reserve who moved up or was sworn in."
    })  # fmt: skip
    proposal_id = ma.fields.UUID(required=True, allow_none=True)
    reference = ma.fields.String(required=True, allow_none=True)
    references = ma.fields.List(ma.fields.String(), required=True, metadata={
        "description": "Where several proposals are summed up: the first of them."
    })  # fmt: skip
    due_at = Instant(required=True, allow_none=True)
    update_n = ma.fields.Integer(required=True, allow_none=True)
    text = ShownText(required=True)
    message = ma.fields.String(required=True, metadata={
        "description": "The text in the language that `Accept-Language` asks for."
    })  # fmt: skip


class InboxQuery(PageQuery):
    unread = Flag(load_default=False)


class UnreadSchema(ma.Schema):
    unread = ma.fields.Integer(required=True)
