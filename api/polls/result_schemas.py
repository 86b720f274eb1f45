"""The shapes of results, turnout and records."""

from __future__ import annotations

import marshmallow as ma

from api.fields import Instant, ShownText
from api.polls.accounting import AccountingSchema

BY = {"description": "Null until the auditor has counted it, soon after publication."}
FIVES = {"multipleOf": 5, "description": "Rounded to fives; what rounds to 0 is not shown."}
UNKNOWN = "`unknown`: of those who have not said, or whose account is gone."


class TurnoutSchema(ma.Schema):
    ballots = ma.fields.Integer(required=True)
    blank = ma.fields.Integer()
    roll = ma.fields.Integer(metadata={"description": "Where there is one: how many are on it."})
    spoilt = ma.fields.Integer(
        metadata={"description": "Where the ballot may be spoilt: how many broke a limit."}
    )


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


class AreaTurnout(ma.Schema):
    area_code = ma.fields.String(required=True, metadata={"description": UNKNOWN})
    ballots = ma.fields.Integer(required=True, metadata=FIVES)


class AgeTurnout(ma.Schema):
    ages = ma.fields.String(
        required=True, metadata={"description": f"Ten years of age, `20-29`, … `90+`. {UNKNOWN}"}
    )
    ballots = ma.fields.Integer(required=True, metadata=FIVES)


class PollTurnout(ma.Schema):
    poll_id = ma.fields.UUID(required=True)
    turnout = ma.fields.Nested(TurnoutSchema, required=True)
    by_area = ma.fields.List(
        ma.fields.Nested(AreaTurnout), required=True, allow_none=True, metadata=BY
    )
    by_age = ma.fields.List(
        ma.fields.Nested(AgeTurnout), required=True, allow_none=True, metadata=BY
    )
