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
    accounting_holds = ma.fields.Boolean(required=True)
