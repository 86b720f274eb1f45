"""Reviewing: what is left for a member, opinions, the discussion between two rounds."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response

from api.access import access, caller, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.budget.recusals import AROUND
from api.budget.review_schemas import (
    DiscussedSchema,
    GivenOutSchema,
    LeftSchema,
    OpinionRequest,
    OpinionSchema,
)
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from api.pages import PageQuery, cut_page, page_of, place_of, read_cursor
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.looking_up import proposal_known_to
from mvote.budget.planning import own_cycle
from mvote.budget.reviewing.discussing import note_discussion
from mvote.budget.reviewing.errors import NotUnderReview, OpinionFrozen, Recused
from mvote.budget.reviewing.giving_out import give_out
from mvote.budget.reviewing.left import left_for
from mvote.budget.reviewing.opining import give_opinion
from mvote.budget.reviewing.reading import Place, opinions_for
from mvote.budget.reviewing.stepping_aside import note_own_recusal
from mvote.errors import ImpossibleTransition, NotAllowed

blp = Blueprint("reviews", "reviews", description="Reviewing proposals.")


@blp.get("/me/reviews")
@access("citizen")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(LeftSchema, "LeftPage"))
def list_of_my_reviews(query: dict[str, Any]) -> dict[str, Any]:
    """What is left for the caller: proposals that wait for their opinion, and until when."""
    session, limit = db.session(), query["limit"]
    after = place_of(query["cursor"])
    found = left_for(session, citizen_id=caller().id, after=after, limit=limit + 1)
    page, more = cut_page(found, limit, lambda left: (left.review_id,))
    return {"items": page, "next_cursor": more}


@blp.put("/proposals/<uuid:proposal_id>/opinion")
@access("citizen")
@may_raise(NotAllowed, PhaseNotOpen, NotUnderReview, Recused, OpinionFrozen)
@blp.arguments(OpinionRequest)
@blp.response(200, OpinionSchema)
def hand_in_an_opinion(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """A member's scores, each with its reason, in the round that is open.

    The first opinion is blind, and frozen at once: from then on its writer reads the others'. The
    second, after the discussion, may be given anew until the judgment.
    """
    who: dict[str, Any] = {"citizen_id": caller().id, "around": AROUND}
    with transaction() as session:
        note_own_recusal(session, proposal_id=proposal_id, **who)
    with transaction() as session:
        given = give_opinion(session, proposal_id=proposal_id, **who, **body)
    return tagged(OpinionSchema().dump(given))


@blp.get("/proposals/<uuid:proposal_id>/opinions")
@access("anybody")
@may_raise(Recused)
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(OpinionSchema, "OpinionPage"))
def list_of_opinions(query: dict[str, Any], proposal_id: uuid.UUID) -> dict[str, Any]:
    """What may be read of the opinions: all, by seat, once the proposal is judged; before that a
    member's own, and with it those of whoever was asked with them."""
    session, limit = db.session(), query["limit"]
    reader = caller_or_nobody()
    reader_id = reader.id if reader else None
    found = opinions_for(
        session,
        proposal=proposal_known_to(session, proposal_id, reader_id),
        citizen_id=reader_id,
        around=AROUND,
        after=_place(query["cursor"]),
        most=limit + 1,
    )
    page, more = cut_page(found, limit, lambda last: (last.review_id, last.number, last.round))
    return {"items": page, "next_cursor": more}


def _place(cursor: str | None) -> Place | None:
    """Where the page before ended. Raises InvalidParameter."""
    place = read_cursor(cursor, uuid.UUID, int, int)
    return (place[0], place[1], place[2]) if place else None


@blp.post("/proposals/<uuid:proposal_id>/discussion")
@access("citizen")
@may_raise(NotAllowed, PhaseNotOpen, NotUnderReview, Recused, ImpossibleTransition)
@idempotent
@blp.response(201, DiscussedSchema)
def open_the_second_round(proposal_id: uuid.UUID) -> Response:
    """The chair records that the committee has discussed it: first opinions are over.

    Where the chair is recused, the lowest seat with a vote does.
    """
    with transaction() as session:
        review = note_discussion(
            session, proposal_id=proposal_id, citizen_id=caller().id, around=AROUND
        )
        return tagged(DiscussedSchema().dump(review), status=201)


@blp.post("/cycles/<uuid:cycle_id>/assignments")
@access("officer")
@may_raise(NotAllowed, PhaseNotOpen)
@idempotent
@blp.response(200, GivenOutSchema)
def give_reviews_out(cycle_id: uuid.UUID) -> Response:
    """Let committees begin to review what has come to them, and draw by lot who reads what.

    It happens by itself, too, while the cycle reviews.
    """
    with transaction() as session:
        cycle = own_cycle(session, cycle_id, caller())
        made = give_out(session, cycle=cycle, around=AROUND, by=caller().id)
        return tagged(GivenOutSchema().dump(made))
