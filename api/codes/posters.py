"""Posters to print: of one code, or of all sites of a poll; set apart, and once."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

import marshmallow as ma
import orjson
from flask import Response
from marshmallow.validate import OneOf, Range
from sqlalchemy.orm import Session

from api.access import access, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.bodies import BINARY
from api.codes.hints import HINTS
from api.codes.periods import period
from api.codes.views import known_code, url_of
from api.db import db
from api.etags import tagged_body
from api.fields import Integer, String
from api.made_once import MadeOnce
from api.rendering import render
from api.wiring import wiring
from geo.sites import sites_of
from mvote.base import database_time
from mvote.errors import NotFound, Overloaded
from mvote.languages import side_by_side
from mvote.polls.drafting import poll_known_to
from mvote.polls.poll import Poll
from mvote.polls.site_codes import SiteCode, codes_to_hang
from mvote.wording import say
from qr.poster import SIZES

blp = Blueprint("posters", "posters", description="Posters to print.")
PDF = "application/pdf"
PROGRAM = "qr.poster"
EDITION = b"2"
"""Another one when the look of posters changes: what was kept is then made anew."""
AT_ONCE = 500
posters = MadeOnce(pattern="*.pdf", most_bytes=256 * 1024**2, patience_s=5.0)


SCAN = say("Scan with your phone’s camera")
CHECK = say(
    "Check that the address that opens begins with {beginning}"
    " If it does not, leave it and tell the staff."
)


class PosterQuery(ma.Schema):
    size = String(load_default="a4", validate=OneOf(SIZES))


class BatchQuery(PosterQuery):
    part = Integer(
        load_default=1,
        validate=Range(1, 1_000),
        metadata={"description": f"Which {AT_ONCE} of a poll with more sites than that"},
    )


@blp.get("/codes/<code>/poster.pdf")
@access("anybody")
@may_raise(Overloaded)
@blp.arguments(PosterQuery, location="query")
@blp.response(200, BINARY, content_type=PDF)
@blp.alt_response(304, description="Not modified")
def download_poster(query: dict[str, Any], code: str) -> Response:
    """The code's poster, A4 or A3, in Korean and English, tagged (PDF/UA-1)."""
    session = db.session()
    found, poll = known_code(session, code)
    if found.is_over_at(database_time(session)):
        raise NotFound
    return _printed(session, poll, [found], query["size"])


@blp.get("/polls/<uuid:poll_id>/posters.pdf")
@access("anybody")
@may_raise(Overloaded)
@blp.arguments(BatchQuery, location="query")
@blp.response(200, BINARY, content_type=PDF)
@blp.alt_response(304, description="Not modified")
def download_posters(query: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """A poster for each site of the poll that has an active code, a page each; links first.

    Of a poll with more than 500 sites `part` 1 has the first 500, and so on; 404 beyond the last.
    """
    session = db.session()
    poll = poll_known_to(session, poll_id, caller_or_nobody())
    first = (query["part"] - 1) * AT_ONCE
    found = codes_to_hang(
        session, poll_id=poll.id, now=database_time(session), limit=AT_ONCE, offset=first
    )
    if not found:
        raise NotFound
    return _printed(session, poll, found, query["size"])


def _printed(session: Session, poll: Poll, codes: Sequence[SiteCode], size: str) -> Response:
    document = orjson.dumps(_document(session, poll, codes, size))
    session.close()  # the connection goes back: who waits for the PDF must not keep it
    name = hashlib.sha256(EDITION + document).hexdigest()[:24]
    path = wiring().settings.var / "posters" / f"{poll.id}-{name}.pdf"
    made = posters.at_hand(path, partial(render, PROGRAM, document, path))
    return tagged_body(made.read_bytes(), PDF)


def _document(session: Session, poll: Poll, codes: Sequence[SiteCode], size: str) -> dict[str, Any]:
    title = poll.content["title"]
    sites = sites_of(session, {code.site_id for code in codes})
    of_all = {
        "title": title,
        "scan": side_by_side(SCAN),
        "period": period(poll.opens_at, poll.closes_at, wiring().settings.city_time_zone),
    }
    asks_presence = poll.content.get("presence", {}).get("rule", "none") != "none"
    pages = [
        of_all
        | {
            "url": (url := url_of(code)),
            "code": code.code,
            "site": sites[code.site_id].name,
            "address": sites[code.site_id].address,
            "hint": side_by_side(HINTS[code.kind]) if asks_presence else None,
            "check": side_by_side(CHECK.format(beginning=f"{url.partition('/q/')[0]}/q/")),
        }
        for code in codes
    ]
    return {"size": size, "title": title.get("ko") or title["en"], "posters": pages}
