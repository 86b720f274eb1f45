"""Shapes of what is read from a log. Hashes and data are lower-case hex."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import Range

from api.fields import Integer

MOST_ENTRIES = 1_000
LARGEST = 2**53 - 1
HEX = {"pattern": "^([0-9a-f]{2})*$"}
SIZE_NOTE = " Not beyond the newest signed checkpoint, which it is unless given."


def _number(about: str, **more: Any) -> Integer:
    return Integer(validate=Range(0, LARGEST), metadata={"description": about}, **more)


def _hex(about: str) -> ma.fields.String:
    return ma.fields.String(required=True, metadata={"description": about, **HEX})


class EntriesQuery(ma.Schema):
    start = _number("Index of the first entry.", load_default=0)
    end = _number("Index after the last entry." + SIZE_NOTE, load_default=None)


class InclusionQuery(ma.Schema):
    index = _number("Index of the entry.", required=True)
    size = _number("Size of the log." + SIZE_NOTE, load_default=None)


class ConsistencyQuery(ma.Schema):
    old = _number("The smaller size.", required=True, data_key="from")
    new = _number("The larger size." + SIZE_NOTE, load_default=None, data_key="to")


class LogEntrySchema(ma.Schema):
    index = ma.fields.Integer(required=True)
    kind = ma.fields.Integer(
        required=True,
        metadata={
            "description": "0: definition's hash · 1: tracker ‖ C · 3: notice's hash ·"
            " 4: statement's hash · 5 (city): poll id ‖ size ‖ root."
        },
    )
    data = _hex("The leaf is SHA-256(0x00 ‖ kind ‖ data).")


class LogEntriesSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(LogEntrySchema), required=True)
    next_start = ma.fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "`start` of the entries that follow before `end`, if any do."},
    )


class InclusionSchema(ma.Schema):
    index = ma.fields.Integer(required=True)
    size = ma.fields.Integer(required=True)
    root = _hex("The root at `size`.")
    proof = ma.fields.List(_hex("A hash beside the path from leaf to root."), required=True)


class ConsistencySchema(ma.Schema):
    old = ma.fields.Integer(required=True, data_key="from")
    new = ma.fields.Integer(required=True, data_key="to")
    old_root = _hex("The root at `from`.")
    new_root = _hex("The root at `to`.")
    proof = ma.fields.List(_hex("A hash (RFC 9162, 2.1.4)."), required=True)


class LoggedBallotSchema(ma.Schema):
    poll_id = ma.fields.UUID(required=True)
    tracker = _hex("As asked for.")
    entry = _hex("The whole entry: 0x01 ‖ tracker ‖ C. It does not say what was chosen.")
    inclusion = ma.fields.Nested(InclusionSchema, required=True)
    checkpoint = ma.fields.String(
        required=True, metadata={"description": "The signed note whose root the proof leads to."}
    )
