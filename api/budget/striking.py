"""Striking projects from the ballot."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.approvals import done_or_asked, two_officers
from api.blueprint import Blueprint, may_raise
from api.budget.proposal_schemas import ProposalSchema
from api.budget.showing import shown
from api.db import transaction
from api.fields import LocalText, Strict
from api.idempotency import idempotent
from mvote.budget.looking_up import proposal_known_to
from mvote.budget.striking import strike
from mvote.errors import ImpossibleTransition

blp = Blueprint("striking", "striking", description="Striking projects from the ballot.")


class StrikeRequest(Strict):
    text = LocalText(max_length=2_000, required=True)


@blp.post("/proposals/<uuid:proposal_id>/strike")
@access("officer")
@may_raise(ImpossibleTransition)
@idempotent
@blp.arguments(StrikeRequest)
@blp.response(200, ProposalSchema)
@two_officers(blp)
def strike_a_proposal(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Strike a project from the ballot, with a public reason: it is never funded. Two officers."""
    with transaction() as session:
        waits = strike(session, proposal_id=proposal_id, by=caller().id, reason=body["text"])
        return done_or_asked(session, waits, lambda: _shown(session, proposal_id))


def _shown(session: Session, proposal_id: uuid.UUID) -> dict[str, Any]:
    return shown(session, proposal_known_to(session, proposal_id, None), caller())
