"""Standing behind a proposal."""

from __future__ import annotations

import uuid

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.budget.proposal_schemas import SupportSchema
from api.db import db, transaction
from api.etags import tagged
from mvote.budget.looking_up import proposal_known_to
from mvote.budget.proposal_people import supporters_counted
from mvote.budget.supporting import support, supports, withdraw_support
from mvote.errors import ImpossibleTransition

blp = Blueprint("supports", "supports", description="Standing behind a proposal.")


def _answer(session: Session, proposal_id: uuid.UUID) -> Response:
    mine = supports(session, proposal_id=proposal_id, citizen_id=caller().id)
    number = supporters_counted(session, [proposal_id]).get(proposal_id, 0)
    return tagged({"supported": mine, "supports": number})


@blp.get("/proposals/<uuid:proposal_id>/support")
@access("citizen")
@blp.response(200, SupportSchema)
@blp.alt_response(304, description="Not modified")
def show_my_support(proposal_id: uuid.UUID) -> Response:
    """Whether the caller stands behind the proposal, and how many do."""
    session = db.session()
    proposal_known_to(session, proposal_id, caller().id)
    return _answer(session, proposal_id)


@blp.put("/proposals/<uuid:proposal_id>/support")
@access("citizen")
@may_raise(ImpossibleTransition)
@blp.response(200, SupportSchema)
def support_a_proposal(proposal_id: uuid.UUID) -> Response:
    """Stand behind a proposal, each person once, until it is frozen for the ballot."""
    with transaction() as session:
        support(session, proposal_id=proposal_id, citizen_id=caller().id)
        return _answer(session, proposal_id)


@blp.delete("/proposals/<uuid:proposal_id>/support")
@access("citizen")
@may_raise(ImpossibleTransition)
@blp.response(200, SupportSchema)
def support_it_no_longer(proposal_id: uuid.UUID) -> Response:
    """Stand behind it no longer."""
    with transaction() as session:
        withdraw_support(session, proposal_id=proposal_id, citizen_id=caller().id)
        return _answer(session, proposal_id)
