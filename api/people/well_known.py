"""The public halves of the token keys, for whoever checks access tokens elsewhere."""

from __future__ import annotations

import orjson
from flask import Flask, Response

from api.access import access


def register(app: Flask) -> None:
    """Serve `/.well-known/jwks.json` (RFC 7517)."""

    @app.get("/.well-known/jwks.json")
    @access("public")
    def jwks() -> Response:
        body = orjson.dumps(app.extensions["tokens"].jwks())
        response = Response(body, content_type="application/jwk-set+json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response
