"""The shapes of results, turnout and records."""

from __future__ import annotations

from typing import get_args

import marshmallow as ma
from marshmallow.validate import OneOf

from api.fields import Instant, ShownText
from api.polls.accounting import AccountingSchema
from api.polls.ballot_schemas import SELECTION
from mvote.ballotbox.methods.runoff import By

PAIRS = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
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


class RoundSchema(ma.Schema):
    """A round of an instant run-off."""

    votes = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Integer(),
        required=True,
        metadata={"description": "Ballots of each option that remains."},
    )
    exhausted = ma.fields.Integer(
        required=True, metadata={"description": "Ballots that rank none of those that remain."}
    )
    eliminated = ma.fields.List(
        ma.fields.String(), required=True, metadata={"description": "Who leaves; empty at the end."}
    )
    by = ma.fields.String(
        required=True,
        allow_none=True,
        validate=OneOf(get_args(By)),
        metadata={"description": "Why these: see `elimination_ties` of the definition."},
    )
    transfers = ma.fields.Dict(
        keys=ma.fields.String(),
        values=PAIRS,
        required=True,
        metadata={"description": "Where their ballots go; what is missing is exhausted."},
    )


class WorkingsSchema(ma.Schema):
    """How ranked ballots lead to the result, as far as the method has it."""

    pairwise = ma.fields.Dict(
        keys=ma.fields.String(),
        values=PAIRS,
        metadata={"description": "How many ballots rank the one option before the other."},
    )
    paths = ma.fields.Dict(
        keys=ma.fields.String(),
        values=PAIRS,
        metadata={"description": "Schulze: how strong the strongest path is (winning votes)."},
    )
    rounds = ma.fields.List(ma.fields.Nested(RoundSchema))


class DrawSchema(ma.Schema):
    """The lot between tied winners. The secret's SHA-256 is `lot` of the definition, the public
    value that of the statement; options come by SHA-256("mvote/lot/1" ‖ seed ‖ key), lowest first.
    """

    tied = ma.fields.List(ma.fields.String(), required=True)
    secret = ma.fields.String(required=True)
    public_value = ma.fields.String(required=True)
    seed = ma.fields.String(
        required=True,
        metadata={"description": 'SHA-256("mvote/seed/1" ‖ secret ‖ public value)'},
    )
    order = ma.fields.List(ma.fields.String(), required=True)
    winner = ma.fields.String(required=True)


class OptionResult(ma.Schema):
    key = ma.fields.String(required=True)
    title = ShownText(required=True)
    votes = ma.fields.Integer(
        required=True,
        metadata={
            "description": "Ballots; points by `points` and `borda`; first ranks by `schulze` and"
            " `instant_runoff`."
        },
    )
    share = ma.fields.Float(
        required=True,
        metadata={"description": "Of the ballots that are not blank; of points, of all points."},
    )


class ResultSchema(ma.Schema):
    poll_id = ma.fields.UUID(required=True)
    definition_hash = ma.fields.String(required=True)
    method = ma.fields.String(
        required=True, metadata={"description": "That the frozen definition names."}
    )
    turnout = ma.fields.Nested(TurnoutSchema, required=True)
    too_few = ma.fields.Boolean(required=True)
    options = ma.fields.List(ma.fields.Nested(OptionResult), required=True)
    winners = ma.fields.List(
        ma.fields.String(),
        required=True,
        allow_none=True,
        metadata={
            "description": "By the method. Several are tied. null: not counted to the end, too few"
            " ballots, or a ballot of projects, where the allocation decides."
        },
    )
    workings = ma.fields.Nested(WorkingsSchema, required=True, allow_none=True)
    draw = ma.fields.Nested(DrawSchema, required=True, allow_none=True)
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
    selections = ma.fields.List(ma.fields.Raw(metadata=SELECTION), required=True)


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
