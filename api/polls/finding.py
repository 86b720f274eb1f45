"""Finding polls: the list, and what is asked near here."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.access import access
from api.blueprint import Blueprint
from api.db import db
from api.pages import cut_page, page_of, place_of
from api.polls.examples import NEARBY
from api.polls.schemas import NearbyPolls, NearbyRequest, PollSchema, PollsQuery
from api.polls.views import views_of
from geo.nearby import nearby
from mvote.base import database_time
from mvote.polls.listing import Wanted, for_a_list, in_lists, list_polls
from mvote.polls.poll import Poll

blp = Blueprint("finding", "finding", description="Finding polls.")
LIVING = ("open", "scheduled")


@blp.get("/polls")
@access("public")
@blp.arguments(PollsQuery, location="query")
@blp.response(200, page_of(PollSchema, "PollPage"))
def list_of_polls(query: dict[str, Any]) -> dict[str, Any]:
    """All polls but drafts, private ones and those that are held back, newest first.

    Of a question with more than 100 options the first 100 are here, and its `options_left_out` says
    how many more `GET /polls/{id}` has.
    """
    session = db.session()
    now = database_time(session)
    wanted = Wanted(
        status=query["status"],
        origin=query["origin"],
        area_code=query["area"],
        words=query["q"],
        before=place_of(query["cursor"]),
        limit=query["limit"],
    )
    found = list_polls(session, wanted=wanted, now=now)
    page, more = cut_page(found, wanted.limit)
    return {"items": views_of(session, page, now), "next_cursor": more}


@blp.post("/polls/nearby")
@access("public")
@blp.arguments(NearbyRequest, example=NEARBY)
@blp.response(200, NearbyPolls)
def find_polls_nearby(request: dict[str, Any]) -> dict[str, Any]:
    """Polls that are open or announced near here, nearest first. The position is forgotten."""
    session = db.session()
    here, radius_m, limit = request["position"], request["radius_m"], request["limit"]
    found = nearby(session, lat=here["lat"], lon=here["lon"], radius_m=radius_m, limit=limit)
    now = database_time(session)
    polls = _living_ones(session, [poll_id for poll_id, _ in found], now)
    views = {view["id"]: view for view in views_of(session, polls, now)}
    items = [
        views[poll_id] | {"distance_m": round(distance, 1)}
        for poll_id, distance in found
        if poll_id in views
    ]
    return {"items": items, "next_cursor": None}


def _living_ones(session: Session, ids: list[uuid.UUID], now: dt.datetime) -> list[Poll]:
    polls = for_a_list(session, select(Poll).where(Poll.id.in_(ids), in_lists()))
    return [poll for poll in polls if poll.status_at(now) in LIVING]
