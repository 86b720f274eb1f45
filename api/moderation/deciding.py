"""The officers' queue of reported polls, their decisions, and what the public may count."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from api.moderation.schemas import CaseSchema, NewDecision, SummarySchema
from api.pages import PageQuery, page_of, read_cursor, write_cursor
from api.polls.views import grounds_of, views_of
from api.wiring import wiring
from mvote.base import database_time, instant
from mvote.errors import ImpossibleTransition, NotFound
from mvote.moderation.deciding import decide
from mvote.moderation.errors import CaseChanged, NeverHeldBack, NotImpartial
from mvote.moderation.queue import Place, Queued, queue, queued, summary
from mvote.polls.listing import for_a_list
from mvote.polls.poll import Poll

blp = Blueprint("moderation", "moderation", description="What was reported.")


@blp.get("/moderation")
@access("officer")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(CaseSchema, "CasePage"))
def list_of_cases(query: dict[str, Any]) -> dict[str, Any]:
    """Reported polls: those held back first, then others that wait, then the decided.

    Private polls that somebody inside has reported are here, too. Never who reported.
    """
    session, limit = db.session(), query["limit"]
    found = queue(session, behind=_place(query["cursor"]), limit=limit + 1)
    page = found[:limit]
    return {
        "items": _shown(session, page),
        "next_cursor": _cursor(page[-1]) if len(found) > limit else None,
    }


@blp.post("/moderation/<uuid:poll_id>")
@access("officer")
@may_raise(NotFound, NotImpartial, CaseChanged, ImpossibleTransition, NeverHeldBack)
@idempotent
@blp.arguments(NewDecision)
@blp.response(200, CaseSchema)
def decide_a_case(decided: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """Release a reported poll, or keep it out of the lists; the author is told the reason.

    `version` is that of the case as the officer has read it. An officer decides on no poll that
    they made or reported. To end a poll there is `/void`.
    """
    with transaction() as session:
        case = decide(
            session, poll_id=poll_id, officer=caller(), desk=wiring().moderation, **decided
        )
        [view] = _shown(session, [queued(session, case)])
        dumped = CaseSchema().dump(view)
    return tagged(dumped)


@blp.get("/moderation/summary")
@access("public")
@blp.response(200, SummarySchema)
def show_summary() -> dict[str, Any]:
    """How many polls were reported, held back, released and kept out of lists, and how fast."""
    return summary(db.session()) | {"reports_to_hold": wiring().moderation.to_hold}


def _shown(session: Session, page: Sequence[Queued]) -> list[dict[str, Any]]:
    ids = [each.case.poll_id for each in page]
    polls = for_a_list(session, select(Poll).where(Poll.id.in_(ids)))
    views = {view["id"]: view for view in views_of(session, polls, database_time(session))}
    names = ("state", "version", "waiting", "waiting_since", "held_at")
    return [
        {name: getattr(each.case, name) for name in names}
        | {
            "poll": views[each.case.poll_id],
            "grounds": grounds_of(each.grounds),
            "texts": [{"ground": one.ground, "text": one.text} for one in each.texts],
            "left_out_before": [
                {"id": one.poll.id, "title": one.poll.content["title"]}
                | {"score": one.score, "state": one.state}
                for one in each.before
            ],
            "decisions": [
                {name: getattr(one, name) for name in ("decision", "reason", "at", "held_at")}
                | {"grounds": grounds_of(one.grounds)}
                for one in each.decisions
            ],
        }
        for each in page
    ]


def _cursor(last: Queued) -> str:
    rank, since, poll_id = last.place
    return write_cursor(rank, instant(since), str(poll_id))


def _place(cursor: str | None) -> Place | None:
    """Where the page before ended. Raises InvalidParameter."""
    place = read_cursor(cursor, int, dt.datetime, uuid.UUID)
    return (place[0] % 3, place[1], place[2]) if place else None
