"""The inbox of the caller."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import Response

from api.access import access, caller
from api.blueprint import Blueprint
from api.budget.inbox_schemas import InboxQuery, ReceivedSchema, UnreadSchema
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from api.languages import language
from api.pages import cut_page, page_of, read_cursor
from mvote.base import instant
from mvote.budget.telling.inbox import (
    Place,
    Received,
    inbox_of,
    mark_all_read,
    mark_read,
    unread_count,
)
from mvote.budget.telling.words import told
from mvote.languages import TEXT_LANGUAGES

blp = Blueprint("inbox", "inbox", description="What the caller was told.")


@blp.get("/me/inbox")
@access("citizen")
@blp.arguments(InboxQuery, location="query")
@blp.response(200, page_of(ReceivedSchema, "InboxPage"))
def list_of_my_inbox(query: dict[str, Any]) -> dict[str, Any]:
    """What the caller was told of own and supported proposals, of cycles they follow, of seats they
    were given as a reserve, and of own polls: reports, a roll that was given up, codes revoked."""
    limit = query["limit"]
    found = inbox_of(
        db.session(),
        citizen_id=caller().id,
        only_unread=query["unread"],
        before=_place(query["cursor"]),
        limit=limit + 1,
    )
    page, more = cut_page(found, limit, lambda last: (instant(last.bulletin.at), last.bulletin.id))
    return {"items": [_shown(each) for each in page], "next_cursor": more}


def _shown(received: Received) -> dict[str, Any]:
    bulletin = received.bulletin
    named = ("id", "kind", "at", "cycle_id", "proposal_id", "poll_id", "seat_id", "due_at")
    return {name: getattr(bulletin, name) for name in named} | {
        "read_at": received.read_at,
        "reference": received.reference,
        "references": bulletin.facts.get("references", []),
        "update_n": bulletin.facts.get("n"),
        "text": {each: told(received, each) for each in TEXT_LANGUAGES},
        "message": told(received, language()),
    }


def _place(cursor: str | None) -> Place | None:
    """Where the page before ended. Raises InvalidParameter."""
    place = read_cursor(cursor, dt.datetime, uuid.UUID)
    return (place[0], place[1]) if place else None


@blp.put("/me/inbox/<uuid:bulletin_id>/read")
@access("citizen")
@blp.response(200, UnreadSchema)
def read_one_of_my_inbox(bulletin_id: uuid.UUID) -> Response:
    """Mark one as read; how many are not yet."""
    with transaction() as session:
        mark_read(session, citizen_id=caller().id, bulletin_id=bulletin_id)
        left = unread_count(session, citizen_id=caller().id)
    return tagged({"unread": left})


@blp.post("/me/inbox/read")
@access("citizen")
@idempotent
@blp.response(200, UnreadSchema)
def read_all_of_my_inbox() -> Response:
    """Mark all as read that lies there now."""
    with transaction() as session:
        mark_all_read(session, citizen_id=caller().id)
        left = unread_count(session, citizen_id=caller().id)
    return tagged({"unread": left})
