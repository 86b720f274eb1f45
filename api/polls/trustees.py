"""The keys that trustees hold, for officers who choose one and for voters who ask who holds it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

import marshmallow as ma
from flask import Response

from api.access import access
from api.blueprint import Blueprint
from api.db import db
from api.etags import tagged
from api.fields import Instant
from api.pages import PageQuery, cut_page, page_of, read_cursor
from mvote.ballotbox.trustees import TrusteeKey, known_trustee_keys
from mvote.errors import NotFound
from mvote.polls.drafting import private_among

blp = Blueprint("trustees", "trustees", description="Keys that only trustees together can use.")
HEX = frozenset("0123456789abcdef")


class TrusteeKeySchema(ma.Schema):
    """A key whose trustees have passed the drill."""

    public_key = ma.fields.String(required=True)
    threshold = ma.fields.Integer(
        required=True, metadata={"description": "So many of the trustees open the ballot box."}
    )
    names = ma.fields.List(ma.fields.String(), required=True)
    drilled_at = Instant(required=True)
    poll_id = ma.fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "The one poll that it serves, if that is public."},
    )
    ceremony = ma.fields.String(
        required=True, metadata={"description": "SHA-256 of the record, as on each sheet."}
    )
    record = ma.fields.Dict(required=True)


TrusteeKeyPage = page_of(TrusteeKeySchema, "TrusteeKeyPage")


def _view_of(key: TrusteeKey, private: Collection[uuid.UUID]) -> dict[str, Any]:
    ceremony = key.ceremony
    return {
        "public_key": key.public_key.hex(),
        "threshold": ceremony.threshold,
        "names": ceremony.names,
        "drilled_at": key.drilled_at,
        "poll_id": None if key.poll_id in private else key.poll_id,
        "ceremony": ceremony.hash.hex(),
        "record": ceremony.document,
    }


@blp.get("/trustee-keys")
@access("public")
@blp.arguments(PageQuery, location="query")
@blp.response(200, TrusteeKeyPage)
def list_trustee_keys(query: dict[str, Any]) -> dict[str, Any]:
    """The keys that trustees hold, in the order of the keys."""
    session, limit = db.session(), query["limit"]
    [after] = read_cursor(query["cursor"], str) or [None]
    behind = None if after is None else _key(after)
    found = known_trustee_keys(session, after=behind, limit=limit + 1)
    page, more = cut_page(found, limit, lambda key: (key.public_key.hex(),))
    private = private_among(session, [key.poll_id for key in page])
    return {"items": [_view_of(key, private) for key in page], "next_cursor": more}


@blp.get("/trustee-keys/<public_key>")
@access("public")
@blp.response(200, TrusteeKeySchema)
@blp.alt_response(304, description="Not modified")
def show_trustee_key(public_key: str) -> Response:
    """Who holds a key, and how many of them open what it seals."""
    session = db.session()
    key = session.get(TrusteeKey, _key(public_key))
    if key is None:
        raise NotFound
    return tagged(TrusteeKeySchema().dump(_view_of(key, private_among(session, [key.poll_id]))))


def _key(public_key: str) -> bytes:
    """The bytes of a key; of what is no key none, which no key has."""
    is_hex = set(public_key) <= HEX and len(public_key) % 2 == 0
    return bytes.fromhex(public_key) if is_hex else b""
