"""The figures of the accounting, as they are shown."""

from __future__ import annotations

import marshmallow as ma


class AccountingSchema(ma.Schema):
    """Where `accounting_holds` is false, two officers published against it: see the notices."""

    participations = ma.fields.Integer(required=True)
    entries = ma.fields.Integer(required=True)
    records = ma.fields.Integer(required=True)
    quarantined = ma.fields.Integer(required=True)
    unopenable = ma.fields.Integer(required=True)
    recounted = ma.fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "The verifier's own code counted the records and found the same."},
    )
    log_agrees = ma.fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "The entries counted have the root of the final checkpoint."},
    )
    accounting_holds = ma.fields.Boolean(required=True)
    roll = ma.fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "How many are on the poll's roll: no more may have taken part."},
    )
