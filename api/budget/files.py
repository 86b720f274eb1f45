"""Pictures and attachments: sent first, named by their SHA-256 afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import marshmallow as ma
from flask import Response, request

from api.access import access, caller
from api.blueprint import Blueprint, Decorator
from api.bodies import BINARY, OCTETS, takes
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import answered_once, takes_a_key
from api.pausing import apart_of_this_process
from api.turns import Turns
from mvote.base import utc_now
from mvote.budget.file_tries import count_try
from mvote.budget.files import (
    LARGEST_KEPT,
    LARGEST_PDF,
    PDF,
    PER_DAY,
    PICTURE_TYPES,
    check_pdf,
    file_of,
    files_kept_today,
    keep_file,
)
from mvote.errors import Fault, InvalidRequest, NotFound, TooManyRequests
from mvote.wording import say
from qr.pictures import NoPicture, drawn_anew

blp = Blueprint("files", "files", description="Pictures and attachments.")
LARGEST_PICTURE = 2 * 1024 * 1024
NO_PICTURES = {
    "no-picture": say("This is no picture."), "too-large": say("It has too many pixels."),
    "moving": say("It moves; only still pictures are taken."),
}  # fmt: skip
SHA256 = re.compile(r"[0-9a-f]{64}")
TOO_HEAVY = say("Drawn anew, its file is too large; send a smaller picture.")
looking = Turns(2, patience_s=5.0)
Seen = TypeVar("Seen")


class KeptFile(ma.Schema):
    url = ma.fields.String(required=True)
    sha256 = ma.fields.String(required=True)


def body_of(*media_types: str) -> Decorator:
    """Tell the contract of a body that is no JSON."""
    content = {media_type: {"schema": BINARY} for media_type in media_types}
    return blp.doc(requestBody={"required": True, "content": content})


def _looked_at(look: Callable[[], Seen]) -> Seen:
    """What *look* finds in a file, beside the loop and in turn; each try counts, whatever it is.

    No connection to the database is held meanwhile. Raises TooManyRequests, Overloaded.
    """
    with transaction() as session:
        count_try(session, citizen_id=caller().id, now=utc_now())
    with looking.one():
        return apart_of_this_process()(look)


def _drawn(sent: bytes) -> tuple[bytes, str]:
    """The picture drawn anew and its media type. Raises InvalidRequest."""
    try:
        content, media_type = drawn_anew(sent)
    except NoPicture as broken:
        raise InvalidRequest(Fault("", NO_PICTURES[str(broken)])) from None
    if len(content) > LARGEST_KEPT:
        raise InvalidRequest(Fault("", TOO_HEAVY))
    return content, media_type


def _kept(content: bytes, media_type: str, folder: str) -> Response:
    with transaction() as session:
        if files_kept_today(session, caller().id) >= PER_DAY:
            raise TooManyRequests(retry_after_s=3600)
        digest = keep_file(session, content=content, media_type=media_type, by=caller().id).hex()
    return tagged({"url": f"/v1/{folder}/{digest}", "sha256": digest}, status=201)


def _served(sha256: str, *media_types: str) -> Response:
    if not SHA256.fullmatch(sha256):
        raise NotFound
    found = file_of(db.session(), bytes.fromhex(sha256), *media_types)
    response = Response(found.content, content_type=found.media_type)
    response.set_etag(sha256)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.make_conditional(request)
    return response


@blp.post("/images")
@access("citizen")
@takes(LARGEST_PICTURE, *PICTURE_TYPES, OCTETS)
@takes_a_key
@body_of(*PICTURE_TYPES, OCTETS)
@blp.response(201, KeptFile)
def send_a_picture() -> Response:
    """Send a PNG, JPEG or WebP of 2 MiB at most; it is drawn anew, its metadata are gone."""
    sent = request.get_data()
    content, media_type = _looked_at(partial(_drawn, sent))
    return answered_once(sent, lambda: _kept(content, media_type, "images"))


@blp.get("/images/<sha256>")
@access("public")
@blp.response(200, BINARY, content_type="image/png")
@blp.alt_response(200, schema=BINARY, content_type="image/jpeg", success=True)
@blp.alt_response(200, schema=BINARY, content_type="image/webp", success=True)
@blp.alt_response(304, description="Not modified")
def show_picture(sha256: str) -> Response:
    """A picture, by the SHA-256 of its bytes."""
    return _served(sha256, *PICTURE_TYPES)


@blp.post("/attachments")
@access("citizen")
@takes(LARGEST_PDF, PDF)
@takes_a_key
@body_of(PDF)
@blp.response(201, KeptFile)
def send_an_attachment() -> Response:
    """Send a PDF of 10 MiB at most; one that says openly that it runs programs or has files in
    it is refused. What lies in compressed parts of it is not looked into."""
    content = request.get_data()
    _looked_at(partial(check_pdf, content))
    return answered_once(content, lambda: _kept(content, PDF, "attachments"))


@blp.get("/attachments/<sha256>")
@access("public")
@blp.response(200, BINARY, content_type=PDF)
@blp.alt_response(304, description="Not modified")
def show_attachment(sha256: str) -> Response:
    """An attachment, by the SHA-256 of its bytes; to be saved, not shown within a page."""
    response = _served(sha256, PDF)
    response.headers["Content-Disposition"] = f'attachment; filename="{sha256[:12]}.pdf"'
    return response
