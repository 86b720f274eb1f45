"""Pictures and attachments: sent first, named by their SHA-256 afterwards."""

from __future__ import annotations

import re

import marshmallow as ma
from flask import Response, request

from api.access import access, caller
from api.blueprint import Blueprint, Decorator
from api.bodies import takes
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from mvote.budget.files import (
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
BINARY = {"type": "string", "format": "binary"}


class FileSchema(ma.Schema):
    url = ma.fields.String(required=True)
    sha256 = ma.fields.String(required=True)


def body_of(*media_types: str) -> Decorator:
    """Tell the contract of a body that is no JSON."""
    content = {media_type: {"schema": BINARY} for media_type in media_types}
    return blp.doc(requestBody={"required": True, "content": content})


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
@takes(LARGEST_PICTURE, *PICTURE_TYPES)
@idempotent
@body_of(*PICTURE_TYPES)
@blp.response(201, FileSchema)
def send_a_picture() -> Response:
    """Send a PNG, JPEG or WebP of 2 MiB at most; it is drawn anew, its metadata are gone."""
    try:
        content, media_type = drawn_anew(request.get_data())
    except NoPicture as broken:
        raise InvalidRequest(Fault("", NO_PICTURES[str(broken)])) from None
    return _kept(content, media_type, "images")


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
@idempotent
@body_of(PDF)
@blp.response(201, FileSchema)
def send_an_attachment() -> Response:
    """Send a PDF of 10 MiB at most, without programs or hidden files in it."""
    content = request.get_data()
    check_pdf(content)
    return _kept(content, PDF, "attachments")


@blp.get("/attachments/<sha256>")
@access("public")
@blp.response(200, BINARY, content_type=PDF)
@blp.alt_response(304, description="Not modified")
def show_attachment(sha256: str) -> Response:
    """An attachment, by the SHA-256 of its bytes; to be saved, not shown within a page."""
    response = _served(sha256, PDF)
    response.headers["Content-Disposition"] = f'attachment; filename="{sha256[:12]}.pdf"'
    return response
