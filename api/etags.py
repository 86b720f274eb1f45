"""Versions over HTTP: a tag on what is read, and proof of what was read before it is changed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

import orjson
from flask import Response, request

from api.problems import VersionRequired
from mvote.errors import StaleVersion


def tag_of(body: bytes) -> str:
    """The strong tag of a representation."""
    return hashlib.sha256(body).hexdigest()[:24]


def tag_of_document(document: Any) -> str:
    """The tag of what a document says, in whatever order: as it came in and as the database gives
    it back, which sorts members its own way."""
    return tag_of(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))


def tagged(document: Any, *, status: int = 200) -> Response:
    """*document* as JSON with its ETag; 304 if the caller has it already."""
    body, tag = orjson.dumps(document), tag_of_document(document)
    return tagged_body(body, "application/json", status=status, tag=tag)


def tagged_body(
    body: bytes, content_type: str, *, status: int = 200, tag: str | None = None
) -> Response:
    """*body* with its ETag; 304 if the caller has it already."""
    response = Response(body, status, content_type=content_type)
    response.set_etag(tag or tag_of(body))
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept, Authorization, Room-Pass"
    if request.method in ("GET", "HEAD"):
        response.make_conditional(request)
    return response


def tagged_apart(
    document: dict[str, Any], apart: Collection[str], *, status: int = 200
) -> Response:
    """*document* as JSON; its ETag begins with that of what it says without *apart*: what others
    change in it, while one writes. 304 if the caller has it already."""
    tag = f"{_stem(document, apart)}-{tag_of_document(document)}"
    return tagged_body(orjson.dumps(document), "application/json", status=status, tag=tag)


def tagged_as_read(
    document: dict[str, Any], besides: Collection[str], *, status: int = 200
) -> Response:
    """*document* as JSON with the ETag that reading it gives, which says nothing of *besides*."""
    body, tag = orjson.dumps(document), _stem(document, besides)
    return tagged_body(body, "application/json", status=status, tag=tag)


def _stem(document: dict[str, Any], apart: Collection[str]) -> str:
    stays = {name: value for name, value in document.items() if name not in apart}
    return tag_of_document(stays)


def check_if_match(document: dict[str, Any], apart: Collection[str] = ()) -> None:
    """See that the caller changes what they have read, whatever became of what stands *apart*.

    Raises VersionRequired, StaleVersion.
    """
    if not request.if_match:
        raise VersionRequired
    read = {(each or "").partition("-")[0] for each in request.if_match.as_set()}
    if _stem(document, apart) not in read and not request.if_match.star_tag:
        raise StaleVersion
