"""Versions over HTTP: a tag on what is read, and proof of what was read before it is changed."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from flask import Response, request

from api.problems import VersionRequired
from mvote.errors import StaleVersion


def tag_of(body: bytes) -> str:
    """The strong tag of a representation."""
    return hashlib.sha256(body).hexdigest()[:24]


def tagged(document: Any, *, status: int = 200) -> Response:
    """*document* as JSON with its ETag; 304 if the caller has it already."""
    return tagged_body(orjson.dumps(document), "application/json", status=status)


def tagged_body(body: bytes, content_type: str, *, status: int = 200) -> Response:
    """*body* with its ETag; 304 if the caller has it already."""
    response = Response(body, status, content_type=content_type)
    response.set_etag(tag_of(body))
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept, Authorization, Room-Pass"
    if request.method in ("GET", "HEAD"):
        response.make_conditional(request)
    return response


def check_if_match(document: Any) -> None:
    """See that the caller changes what they have read. Raises VersionRequired, StaleVersion."""
    if not request.if_match:
        raise VersionRequired
    if not request.if_match.contains(tag_of(orjson.dumps(document))):
        raise StaleVersion
