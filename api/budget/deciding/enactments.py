"""The council's amounts."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.approvals import done_or_asked, two_officers
from api.blueprint import Blueprint, may_raise
from api.budget.deciding.schemas import EnactmentRequest, EnactmentSchema
from api.db import db, transaction
from api.etags import tagged
from mvote.budget.deciding.enacting import enact, enactment_of, moved_up_for
from mvote.budget.errors import PhaseNotOpen
from mvote.errors import ImpossibleTransition

blp = Blueprint("enactments", "enactments", description="What the council makes of it.")


@blp.put("/proposals/<uuid:proposal_id>/enactment")
@access("officer")
@may_raise(ImpossibleTransition, PhaseNotOpen)
@blp.arguments(EnactmentRequest)
@blp.response(200, EnactmentSchema)
@two_officers(blp)
def enact_a_project(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Enter the council's amount: enacted, reduced, or dropped with 0. Two officers.

    What is dropped frees its money: the reserve list moves up in its order, as far as it fits.
    """
    with transaction() as session:
        waits = enact(
            session, proposal_id=proposal_id, by=caller(), amount=body["amount"],
            why=body.get("text"),
        )  # fmt: skip
        return done_or_asked(session, waits, lambda: _shown(session, proposal_id))


@blp.get("/proposals/<uuid:proposal_id>/enactment")
@access("public")
@blp.response(200, EnactmentSchema)
@blp.alt_response(304, description="Not modified")
def show_enactment(proposal_id: uuid.UUID) -> Response:
    """What the council made of a project, and who moved up for it."""
    return tagged(_shown(db.session(), proposal_id))


def _shown(session: Session, proposal_id: uuid.UUID) -> dict[str, Any]:
    proposal, enactment = enactment_of(session, proposal_id)
    named = ("proposal_id", "state", "funded_amount", "amount", "text", "at")
    facts = {name: getattr(enactment, name) for name in named}
    moved = [each.reference for each in moved_up_for(session, proposal_id)]
    dumped: dict[str, Any] = EnactmentSchema().dump(
        facts | {"reference": proposal.reference, "moved_up": moved}
    )
    return dumped
