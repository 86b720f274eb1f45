"""Proposals that came on paper: entered by officers, for people who need no account."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow.validate import Length

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.budget.proposal_schemas import ProposalFields, ProposalSchema
from api.budget.proposals import PLACES, known_cycle
from api.budget.showing import shown, tagged_proposal
from api.db import transaction
from api.fields import Instant, LocalText, String
from api.idempotency import idempotent
from mvote.budget.entering import Sheet, enter_from_paper, forget_author, read_sheet
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.proposal_errors import NotReadyToSubmit
from mvote.errors import NotAllowed

blp = Blueprint("paper", "paper", description="Proposals that came on paper.")
ON_THE_SHEET = {"person", "contact", "received_on"}


class PaperProposal(ProposalFields):
    """A whole proposal, and whose it is: name and contact are for officers alone."""

    title = LocalText(max_length=200, required=True)
    person = String(required=True, validate=Length(1, 100), metadata={
        "description": "Who signed the sheet, and was found to be somebody who may propose."
    })  # fmt: skip
    received_on = ma.fields.Date(required=True, format="iso")


class SheetSchema(ma.Schema):
    person = ma.fields.String(required=True, allow_none=True)
    contact = ma.fields.String(required=True, allow_none=True)
    received_on = ma.fields.Date(required=True)
    department_id = ma.fields.UUID(required=True)
    at = Instant(required=True)
    forgotten_at = Instant(required=True, allow_none=True)


@blp.post("/cycles/<uuid:cycle_id>/paper-proposals")
@access("officer")
@may_raise(PhaseNotOpen, NotAllowed, NotReadyToSubmit)
@idempotent
@blp.arguments(PaperProposal)
@blp.response(201, ProposalSchema)
def enter_a_paper_proposal(body: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """Enter and submit a proposal that came on paper; the department acts for its author."""
    sheet = Sheet(
        **{"contact": None} | {name: body.pop(name) for name in ON_THE_SHEET & body.keys()}
    )
    with transaction() as session:
        proposal = enter_from_paper(
            session,
            cycle=known_cycle(session, cycle_id),
            by=caller(),
            content=body,
            sheet=sheet,
            places=PLACES,
        )
        view = shown(session, proposal, None)
    return tagged_proposal(view, status=201)


@blp.get("/proposals/<uuid:proposal_id>/paper")
@access("officer")
@blp.response(200, SheetSchema)
def show_the_sheet(proposal_id: uuid.UUID) -> dict[str, Any]:
    """Whose a proposal is that came on paper, for the officers who deal with it; journalled."""
    with transaction() as session:
        entry = read_sheet(session, proposal_id=proposal_id, officer=caller())
        return {name: getattr(entry, name) for name in SheetSchema().fields}


@blp.delete("/proposals/<uuid:proposal_id>/paper")
@access("officer")
@blp.response(204)
def forget_the_author(proposal_id: uuid.UUID) -> Response:
    """Forget the author's name and contact, as they may ask; the proposal stays."""
    with transaction() as session:
        forget_author(session, proposal_id=proposal_id, officer=caller())
    return Response(status=204)
