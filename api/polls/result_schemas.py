"""The shapes of results, turnout and records."""

from __future__ import annotations

import marshmallow as ma

from api.fields import Instant, ShownText
from api.polls.accounting import AccountingSchema


class TurnoutSchema(ma.Schema):
    ballots = ma.fields.Integer(required=True)
    blank = ma.fields.Integer()


class OptionResult(ma.Schema):
    key = ma.fields.String(required=True)
    title = ShownText(required=True)
    votes = ma.fields.Integer(required=True)
    share = ma.fields.Float(required=True)


class ResultSchema(ma.Schema):
    poll_id = ma.fields.UUID(required=True)
    definition_hash = ma.fields.String(required=True)
    method = ma.fields.String(required=True)
    turnout = ma.fields.Nested(TurnoutSchema, required=True)
    too_few = ma.fields.Boolean(required=True)
    options = ma.fields.List(ma.fields.Nested(OptionResult), required=True)
    accounting = ma.fields.Nested(AccountingSchema, required=True, allow_none=True)
    live = ma.fields.Boolean(
        required=True, metadata={"description": "An interim figure of a poll that is still open."}
    )
    as_of = ma.fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Live: the size of the log up to which was counted."},
    )
    published_at = Instant(required=True, allow_none=True)
    statement = ma.fields.Dict(required=True, allow_none=True)


class RecordSchema(ma.Schema):
    selections = ma.fields.List(ma.fields.String(), required=True)


class PollTurnout(ma.Schema):
    poll_id = ma.fields.UUID(required=True)
    turnout = ma.fields.Nested(TurnoutSchema, required=True)
