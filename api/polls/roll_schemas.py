"""The shapes of rolls: what is asked of a file, the report on it, and what may be known later."""

from __future__ import annotations

import marshmallow as ma
from marshmallow.validate import Length, OneOf

from api.fields import Flag, Instant, ShownText, Strict, String
from mvote.polls.rolls.errors import REJECTED
from mvote.polls.rolls.reading import MOST_REJECTED_SHOWN


class RollQuery(Strict):
    dry_run = Flag(
        load_default=False,
        metadata={"description": "true: only read and report; nothing is kept."},
    )
    invite = Flag(
        load_default=False,
        metadata={
            "description": "true: keep the numbers, encrypted, until invitations are sent by text"
            " message (a government's polls only)."
        },
    )
    sheet = String(
        load_default=None,
        validate=Length(1, 100),
        metadata={"description": "Of XLSX: the sheet; else the first with a heading for phones."},
    )
    column = String(
        load_default=None,
        validate=Length(1, 100),
        metadata={"description": "The heading or letter of the column, where there are several."},
    )


class RejectedRow(ma.Schema):
    row = ma.fields.Integer(
        required=True, metadata={"description": "As a spreadsheet numbers it, from 1."}
    )
    column = ma.fields.String(required=True)
    reason = ma.fields.String(required=True, validate=OneOf(list(REJECTED)))
    title = ShownText(required=True)


class RejectedReason(ma.Schema):
    reason = ma.fields.String(required=True, validate=OneOf(list(REJECTED)))
    title = ShownText(required=True)
    rows = ma.fields.Integer(required=True)


class RollReport(ma.Schema):
    """What was found in a file. No number is repeated: `row` and `column` say where it stands."""

    dry_run = ma.fields.Boolean(required=True)
    kind = ma.fields.String(
        required=True, metadata={"description": "The encoding of CSV, or `xlsx`."}
    )
    sheet = ma.fields.String(required=True, allow_none=True)
    sheets = ma.fields.List(ma.fields.String(), required=True)
    column = ma.fields.String(required=True, metadata={"example": "B"})
    heading = ma.fields.String(required=True, allow_none=True)
    file_sha256 = ma.fields.String(required=True)
    rows = ma.fields.Integer(
        required=True, metadata={"description": "Below the headings, that hold anything."}
    )
    accepted = ma.fields.Integer(required=True)
    duplicates = ma.fields.Integer(required=True)
    hidden = ma.fields.Integer(
        required=True,
        metadata={"description": "Rows that the spreadsheet hides; they are read like others."},
    )
    rejected_total = ma.fields.Integer(required=True)
    rejected = ma.fields.List(
        ma.fields.Nested(RejectedRow),
        required=True,
        metadata={"description": f"The first {MOST_REJECTED_SHOWN:,} of them."},
    )
    reasons = ma.fields.List(ma.fields.Nested(RejectedReason), required=True)


class RollSummary(ma.Schema):
    """All that can be known of a roll: never who is on it."""

    size = ma.fields.Integer(required=True)
    rows = ma.fields.Integer(required=True)
    duplicates = ma.fields.Integer(required=True)
    rejected = ma.fields.Integer(required=True)
    file_sha256 = ma.fields.String(required=True)
    imported_at = Instant(required=True)
    forgotten_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "When its key was destroyed and its entries were deleted."},
    )
