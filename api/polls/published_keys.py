"""`/.well-known/mvote-keys.json`: the public keys by which receipts and logs are checked."""

from __future__ import annotations

import base64

import orjson
from flask import Flask, Response, current_app
from sqlalchemy import select

from api.access import access
from api.db import db
from api.settings import Settings
from api.wiring import Wiring
from api.witnesses import witness_keys
from mvote.ballotbox.checkpoints import city_origin, poll_origin
from mvote.ballotbox.log_tables import LogKey
from mvote.ballotbox.notes import log_verifier


def register(app: Flask) -> None:
    """Serve the keys, which the verifier takes as it is: `--pin mvote-keys.json`."""
    settings: Settings = app.extensions["settings"]
    witnesses = [key.vkey for key in witness_keys(settings)]  # a wrong one is said at the start

    @app.get("/.well-known/mvote-keys.json")
    @access("public")
    def published_keys() -> Response:
        body = orjson.dumps({**_keys(settings.host), "witnesses": witnesses})
        response = Response(body, content_type="application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response


def _keys(host: str) -> dict[str, object]:
    """The log's keys under the city's name, oldest first (polls' logs are signed with the same)."""
    wiring: Wiring = current_app.extensions["wiring"]
    publics = db.session().scalars(select(LogKey.public_key).order_by(LogKey.made_at))
    city = city_origin(host)
    return {
        "city_origin": city,
        "poll_origin": poll_origin(host, "{poll_id}"),
        "log_keys": [log_verifier(city, public).vkey for public in publics],
        "receipt_keys": {
            key_id: base64.b64encode(public).decode()
            for key_id, public in wiring.box.receipts.public().items()
        },
    }
