"""The polls I took part in."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.access import access, caller
from api.blueprint import Blueprint
from api.db import db
from api.fields import Instant, ShownText
from api.limits import limited_per_citizen
from api.pages import PageQuery, page_of, place_of, write_cursor
from api.wiring import wiring
from mvote.base import database_time
from mvote.polls.participations import polls_took_part_in

blp = Blueprint("participations", "participations", description="The polls I took part in.")


class ParticipationSchema(ma.Schema):
    poll_id = ma.fields.UUID(required=True)
    title = ShownText(required=True)
    status = ma.fields.String(required=True)
    closes_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)


@blp.get("/me/participations")
@access("citizen")
@limited_per_citizen
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(ParticipationSchema, "ParticipationPage"))
def list_of_participations(query: dict[str, Any]) -> dict[str, Any]:
    """Polls I took part in, newest first: never what I chose, nor when.

    A page may have fewer than `limit`, even none, where many polls lie between those that I took
    part in: the list is over when `next_cursor` is null.
    """
    session = db.session()
    found = polls_took_part_in(
        session,
        citizen_id=caller().id,
        keyring=wiring().box.keys,
        before=place_of(query["cursor"]),
        limit=query["limit"],
    )
    now = database_time(session)
    items = [
        {
            "poll_id": poll.id,
            "title": poll.content["title"],
            "status": poll.status_at(now),
            "closes_at": poll.closes_at,
            "closed_at": poll.closed_by(now),
        }
        for poll in found.polls
    ]
    return {"items": items, "next_cursor": write_cursor(str(found.next)) if found.next else None}
