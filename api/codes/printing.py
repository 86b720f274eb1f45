"""The code as a picture: PNG and SVG, with the readable code beneath."""

from __future__ import annotations

from flask import Response

from api.access import access
from api.blueprint import Blueprint
from api.bodies import BINARY
from api.codes.views import known_code, url_of
from api.db import db
from api.etags import tagged_body
from qr.codes import display_site_code
from qr.image import symbol_png, symbol_svg

blp = Blueprint("printing", "codes", description="Codes as pictures.")


@blp.get("/codes/<code>/image.png")
@access("anybody")
@blp.response(200, BINARY, content_type="image/png")
@blp.alt_response(304, description="Not modified")
def download_code_as_png(code: str) -> Response:
    """The QR code as PNG, error correction H, quiet zone of four modules."""
    found, _ = known_code(db.session(), code)
    picture = symbol_png(url_of(found), caption=display_site_code(found.code))
    return tagged_body(picture, "image/png")


@blp.get("/codes/<code>/image.svg")
@access("anybody")
@blp.response(200, {"type": "string"}, content_type="image/svg+xml")
@blp.alt_response(304, description="Not modified")
def download_code_as_svg(code: str) -> Response:
    """The QR code as SVG."""
    found, poll = known_code(db.session(), code)
    titles = poll.content["title"]
    title = titles.get("ko") or titles["en"]
    picture = symbol_svg(url_of(found), title=title, caption=display_site_code(found.code))
    return tagged_body(picture, "image/svg+xml; charset=utf-8")
