"""The public notices of a poll."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from marshmallow.validate import OneOf

from api.access import access, caller_or_nobody
from api.blueprint import Blueprint
from api.db import db
from api.fields import Instant, ShownText
from api.pages import page_of
from api.polls.visiting import poll_shown_to, takes_a_pass
from mvote.polls.notices import KINDS, Notice, notices_of

blp = Blueprint("notices", "notices", description="What was done to a poll beside its plan.")


class NoticeSchema(ma.Schema):
    """A notice: `hash`, an entry of the poll's log, is SHA-256 of `content` in RFC 8785 form."""

    n = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True, validate=OneOf(KINDS))
    at = Instant(required=True)
    text = ShownText(required=True, allow_none=True)
    hash = ma.fields.String(required=True)
    content = ma.fields.Dict(required=True)


@blp.get("/polls/<uuid:poll_id>/notices")
@access("anybody")
@takes_a_pass
@blp.response(200, page_of(NoticeSchema, "NoticeList"))
def list_of_notices(poll_id: uuid.UUID) -> dict[str, Any]:
    """All that was done to the poll beside its plan, in its order."""
    session = db.session()
    poll_shown_to(session, poll_id, caller_or_nobody())
    return {
        "items": [as_shown(notice) for notice in notices_of(session, poll_id)],
        "next_cursor": None,
    }


def as_shown(notice: Notice) -> dict[str, Any]:
    """A notice for NoticeSchema."""
    said = notice.document
    return {
        "n": notice.n,
        "kind": said["kind"],
        "at": notice.at,
        "text": said.get("text"),
        "hash": notice.hash.hex(),
        "content": said,
    }
