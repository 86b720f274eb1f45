"""Results, turnout and records of a published poll."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response

from api.access import access, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.db import db
from api.etags import tagged, tagged_body
from api.negotiation import wanted_type
from api.pages import PageQuery, cut_page, page_of, read_cursor
from api.polls.result_schemas import PollTurnout, RecordSchema, ResultSchema
from api.polls.result_sheets import as_csv
from api.polls.visiting import poll_shown_to, takes_a_pass
from api.problems import NotAcceptable
from api.spreadsheets import CSV
from api.wiring import wiring
from mvote.polls.errors import ResultsNotAvailable
from mvote.polls.live import LiveResult, live_result, shows_live
from mvote.polls.results import (
    PublishedResult,
    not_available,
    published_records,
    published_result,
    turnout_by,
)
from mvote.polls.turnout import ballots_so_far

blp = Blueprint("results", "results", description="Results, turnout, records.")

JSON = "application/json"
BEFORE_PUBLICATION = ("open", "closing", "closed", "counted")


def _published(poll_id: uuid.UUID) -> PublishedResult:
    session = db.session()
    poll = poll_shown_to(session, poll_id, caller_or_nobody())
    if poll.frozen_at is None:
        raise not_available(session, poll)
    return published_result(session, poll, wiring().polls.of(session, poll_id))


def _shown(poll_id: uuid.UUID) -> PublishedResult | LiveResult:
    """The published result, or what is counted so far where that is shown."""
    session = db.session()
    poll = poll_shown_to(session, poll_id, caller_or_nobody())
    definition = wiring().polls.of(session, poll_id) if poll.frozen_at else None
    if definition is not None and shows_live(poll, definition):
        return live_result(session, definition)
    return _published(poll_id)


@blp.get("/polls/<uuid:poll_id>/results")
@access("anybody")
@takes_a_pass
@may_raise(ResultsNotAvailable, NotAcceptable)
@blp.response(200, ResultSchema)
@blp.alt_response(200, schema={"type": "string"}, content_type=CSV, success=True)
@blp.alt_response(304, description="Not modified")
def show_result(poll_id: uuid.UUID) -> Response:
    """The result: turnout, and votes of each option; as JSON or CSV by `Accept`.

    Of a poll with live results also while it is open: `live` is true then, and `as_of` says up to
    which size of the log was counted. A new figure comes with a new batch of ballots only.
    """
    wanted = wanted_type(JSON, CSV)
    found = _shown(poll_id)
    if wanted == CSV:
        return tagged_body(as_csv(found), "text/csv; charset=utf-8")
    return tagged(ResultSchema().dump(_as_json(found)))


def _as_json(found: PublishedResult | LiveResult) -> dict[str, Any]:
    return {
        "poll_id": found.definition.poll_id,
        "definition_hash": found.definition.hash.hex(),
        "method": found.definition.question.method,
        "turnout": found.turnout(),
        "too_few": found.too_few,
        "options": found.options(),
        **found.facts(),
    }


@blp.get("/polls/<uuid:poll_id>/turnout")
@access("anybody")
@takes_a_pass
@may_raise(ResultsNotAvailable)
@blp.response(200, PollTurnout)
@blp.alt_response(304, description="Not modified")
def show_turnout(poll_id: uuid.UUID) -> Response:
    """How many took part: while nothing is published, the ballots of the log's signed checkpoint.

    Afterwards also by area and by age, where enough did.
    """
    session = db.session()
    poll = poll_shown_to(session, poll_id, caller_or_nobody())
    if poll.state in BEFORE_PUBLICATION:
        figures = {"ballots": ballots_so_far(session, poll.id)}
    else:
        figures = _published(poll_id).turnout()
    turnout = {"poll_id": poll.id, "turnout": figures}
    return tagged(PollTurnout().dump(turnout | turnout_by(session, poll_id)))


@blp.get("/polls/<uuid:poll_id>/records")
@access("anybody")
@takes_a_pass
@may_raise(ResultsNotAvailable)
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(RecordSchema, "RecordPage"))
def list_of_records(query: dict[str, Any], poll_id: uuid.UUID) -> dict[str, Any]:
    """Cast vote records, sorted by content: empty where the definition publishes totals only."""
    found = _published(poll_id)
    [after] = read_cursor(query["cursor"], int) or [-1]
    limit = query["limit"]
    rows = [*published_records(db.session(), found.definition, after=after, limit=limit + 1)]
    page, more = cut_page(rows, limit, lambda row: (row[0],))
    return {"items": [{"selections": selections} for _, selections in page], "next_cursor": more}
