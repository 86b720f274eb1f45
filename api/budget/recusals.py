"""Recusals: declared by members, detected by their interests; public at once."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response

from api.access import access, caller, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.budget.review_schemas import RecusalRequest, RecusalSchema, SeatInterestsSchema
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from api.pages import PageQuery, page_from, page_of
from geo.neighbourhood import CityNeighbourhood
from mvote.budget.looking_up import proposal_known_to
from mvote.budget.reviewing.interests import declared_interests
from mvote.budget.reviewing.recusal import Recusal
from mvote.budget.reviewing.recusing import recusals_of
from mvote.budget.reviewing.stepping_aside import declare_interests_of, own_seat, step_aside
from mvote.budget.seat import Seat
from mvote.errors import NotAllowed

blp = Blueprint("recusals", "recusals", description="Who has no part in a proposal.")
AROUND = CityNeighbourhood()


def _view(recusal: Recusal, seat: Seat) -> dict[str, Any]:
    facts = {name: getattr(recusal, name) for name in ("seat_id", "ground", "how", "at")}
    return facts | {"committee_id": seat.committee_id, "pseudonym": seat.pseudonym}


@blp.post("/proposals/<uuid:proposal_id>/recusals")
@access("citizen")
@may_raise(NotAllowed)
@idempotent
@blp.arguments(RecusalRequest)
@blp.response(201, RecusalSchema)
def step_aside_from_a_proposal(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Have no part in a proposal, for members; public at once, and never undone.

    Whoever is recused reads no scores, counts in no quorum, and their vote is annulled.
    """
    with transaction() as session:
        made = step_aside(session, proposal_id=proposal_id, citizen_id=caller().id, **body)
        return tagged(RecusalSchema().dump(_view(*made)), status=201)


@blp.get("/proposals/<uuid:proposal_id>/recusals")
@access("anybody")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(RecusalSchema, "RecusalPage"))
def list_of_recusals(query: dict[str, Any], proposal_id: uuid.UUID) -> dict[str, Any]:
    """Who is recused from a proposal, by pseudonym, on what ground, in their order."""
    session, viewer = db.session(), caller_or_nobody()
    proposal_known_to(session, proposal_id, viewer.id if viewer else None)
    page, more = page_from(recusals_of(session, proposal_id), query)
    return {"items": [_view(*each) for each in page], "next_cursor": more}


@blp.get("/committees/<uuid:committee_id>/seats/me/interests")
@access("citizen")
@blp.response(200, SeatInterestsSchema)
@blp.alt_response(304, description="Not modified")
def show_my_interests(committee_id: uuid.UUID) -> Response:
    """What the caller has declared since they sit; shown to nobody else."""
    session = db.session()
    seat = own_seat(session, committee_id=committee_id, citizen_id=caller().id)
    return tagged(declared_interests(session, seat))


@blp.put("/committees/<uuid:committee_id>/seats/me/interests")
@access("citizen")
@blp.arguments(SeatInterestsSchema)
@blp.response(200, SeatInterestsSchema)
def declare_my_interests(body: dict[str, Any], committee_id: uuid.UUID) -> Response:
    """Declare organisations, dongs, and points that matter to one; they hold in the whole cycle.

    Whatever project lies too near recuses the caller at once, in public by one word; the interests
    themselves are shown to nobody.
    """
    with transaction() as session:
        seat = declare_interests_of(
            session, committee_id=committee_id, citizen_id=caller().id, interests=body,
            around=AROUND,
        )  # fmt: skip
        return tagged(declared_interests(session, seat))
