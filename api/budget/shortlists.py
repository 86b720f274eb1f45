"""Ranked lists that a committee decides on in one recorded vote."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.budget.judgment_schemas import JudgmentVoteRequest
from api.budget.shortlist_schemas import (
    NewShortlist,
    PullOutRequest,
    ShortlistSchema,
    ShortlistVoteSchema,
)
from api.budget.showing_judgments import list_votes_by_seat
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from api.pages import PageQuery, page_from, page_of
from geo.neighbourhood import CityNeighbourhood
from mvote.budget.deliberation.closing_lists import close_list
from mvote.budget.deliberation.errors import (
    OpinionsMissing,
    QuorumNotReached,
    VotingBegan,
    WindowNotOpen,
    WindowNotOver,
)
from mvote.budget.deliberation.listing import put_list
from mvote.budget.deliberation.shortlist import Shortlist
from mvote.budget.deliberation.shortlisting import (
    pull_out,
    pulled_out_of,
    shortlists_of,
    vote_on_list,
)
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.forming import committee_of
from mvote.budget.reviewing.errors import Recused
from mvote.errors import ImpossibleTransition, NotAllowed

blp = Blueprint("shortlists", "shortlists", description="Ranked lists in one recorded vote.")
AROUND = CityNeighbourhood()
PLAIN = (
    "id", "committee_id", "motion", "ranked", "not_chosen", "meeting_id", "state", "opened_at",
    "closed_at", "carried", "yes", "no", "abstain",
)  # fmt: skip


def _view(session: Session, shortlist: Shortlist) -> dict[str, Any]:
    facts = {name: getattr(shortlist, name) for name in PLAIN}
    is_closed = shortlist.state == "closed"
    return facts | {
        "pulled_out": pulled_out_of(session, shortlist.id),
        "entitled": len(shortlist.roll or ()) if is_closed else None,
        "votes": list_votes_by_seat(session, shortlist) if is_closed else [],
    }


def _shown(session: Session, shortlist: Shortlist) -> dict[str, Any]:
    dumped: dict[str, Any] = ShortlistSchema().dump(_view(session, shortlist))
    return dumped


@blp.post("/committees/<uuid:committee_id>/shortlists")
@access("citizen")
@may_raise(NotAllowed, PhaseNotOpen, ImpossibleTransition, VotingBegan)
@idempotent
@blp.arguments(NewShortlist)
@blp.response(201, ShortlistSchema)
def put_a_list_to_the_vote(body: dict[str, Any], committee_id: uuid.UUID) -> Response:
    """The chair puts a ranked list to the vote; it takes the place of one nobody voted on yet."""
    with transaction() as session:
        shortlist = put_list(
            session, committee_id=committee_id, citizen_id=caller().id, around=AROUND, **body
        )
        return tagged(_shown(session, shortlist), status=201)


@blp.get("/committees/<uuid:committee_id>/shortlists")
@access("public")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(ShortlistSchema, "ShortlistList"))
def list_of_shortlists(query: dict[str, Any], committee_id: uuid.UUID) -> dict[str, Any]:
    """The committee's lists, the first one first, with what was pulled out of each."""
    session = db.session()
    committee = committee_of(session, committee_id)
    page, more = page_from(shortlists_of(session, committee.id), query)
    return {"items": [_view(session, each) for each in page], "next_cursor": more}


@blp.post("/shortlists/<uuid:shortlist_id>/pull-outs")
@access("citizen")
@may_raise(NotAllowed, Recused, ImpossibleTransition)
@idempotent
@blp.arguments(PullOutRequest)
@blp.response(200, ShortlistSchema)
def pull_a_project_out(body: dict[str, Any], shortlist_id: uuid.UUID) -> Response:
    """Any member may pull a project out of the list; it is judged alone."""
    with transaction() as session:
        shortlist = pull_out(session, shortlist_id=shortlist_id, citizen_id=caller().id, **body)
        return tagged(_shown(session, shortlist))


@blp.put("/shortlists/<uuid:shortlist_id>/vote")
@access("citizen")
@may_raise(NotAllowed, PhaseNotOpen, ImpossibleTransition, WindowNotOpen)
@blp.arguments(JudgmentVoteRequest)
@blp.response(200, ShortlistVoteSchema)
def vote_on_a_list(body: dict[str, Any], shortlist_id: uuid.UUID) -> Response:
    """A member's vote on the whole list; it counts for no project they are recused from."""
    with transaction() as session:
        vote = vote_on_list(session, shortlist_id=shortlist_id, citizen_id=caller().id, **body)
        return tagged(ShortlistVoteSchema().dump(vote))


@blp.post("/shortlists/<uuid:shortlist_id>/judgment")
@access("citizen")
@may_raise(
    NotAllowed, PhaseNotOpen, ImpossibleTransition, OpinionsMissing, WindowNotOver,
    QuorumNotReached,
)  # fmt: skip
@idempotent
@blp.response(200, ShortlistSchema)
def close_a_list(shortlist_id: uuid.UUID) -> Response:
    """The chair closes the vote on the list: what is ranked is approved, what was not chosen is
    rejected, each where its own count carries it. Not carried, the list decides nothing."""
    with transaction() as session:
        shortlist = close_list(
            session, shortlist_id=shortlist_id, citizen_id=caller().id, around=AROUND
        )
        return tagged(_shown(session, shortlist))
