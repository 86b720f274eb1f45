"""Proposals: drafting, reading, writing on, submitting, withdrawing, appealing."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller, caller_or_nobody
from api.blueprint import Blueprint, may_raise, needs_version
from api.budget.proposal_schemas import (
    AppealRequest,
    NewProposal,
    ProposalChanges,
    ProposalSchema,
)
from api.budget.showing import CHANGED_BY_OTHERS, shown, tagged_proposal
from api.db import db, transaction
from api.etags import check_if_match, tagged
from api.fields import Instant, ShownText
from api.idempotency import idempotent
from api.pages import page_of
from geo.proposals import CityProposalPlaces
from mvote.budget.agreeing import withdraw
from mvote.budget.cycle import Cycle
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.looking_up import cycle_of, own_proposal, proposal_known_to
from mvote.budget.proposal_errors import (
    AppealOver,
    CannotCarryOver,
    NotAProposer,
    NothingRevised,
    NotReadyToSubmit,
    TooManyProposalDrafts,
)
from mvote.budget.proposing import draft_proposal, revise_proposal, submit_proposal
from mvote.budget.returning import appeal
from mvote.budget.revision import submitted_revisions
from mvote.errors import ImpossibleTransition, NotAllowed, NotFound

blp = Blueprint("proposals", "proposals", description="Proposals of citizens.")
PLACES = CityProposalPlaces()


class AgreementSchema(ma.Schema):
    """The answer while other authors have not yet called the same."""

    waiting_for = ma.fields.Integer(required=True, metadata={
        "description": "So many authors must still call exactly the same."
    })  # fmt: skip


class RevisionSchema(ma.Schema):
    n = ma.fields.Integer(required=True)
    submitted_at = Instant(required=True)
    title = ShownText(required=True)
    amount = ma.fields.Integer(required=True)
    content = ma.fields.Dict(required=True)


WAITS = {"schema": AgreementSchema, "description": "Noted; other authors must follow."}


def known_cycle(session: Session, cycle_id: uuid.UUID) -> Cycle:
    """The cycle, once it was started. Raises NotFound."""
    cycle = session.get(Cycle, cycle_id)
    if cycle is None or cycle.state == "draft":
        raise NotFound
    return cycle


def agreed(session: Session, proposal_id: uuid.UUID, left: int) -> Response:
    """The proposal after what all its authors agreed to, or how many have not yet."""
    if left:
        return tagged({"waiting_for": left}, status=202)
    return tagged_proposal(
        shown(session, proposal_known_to(session, proposal_id, caller().id), caller())
    )


@blp.post("/cycles/<uuid:cycle_id>/proposals")
@access("citizen")
@may_raise(
    NotAProposer, TooManyProposalDrafts, CannotCarryOver, PhaseNotOpen, NotAllowed,
    ImpossibleTransition,
)  # fmt: skip
@idempotent
@blp.arguments(NewProposal)
@blp.response(201, ProposalSchema)
def draft_a_proposal(content: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """Draft a proposal in a cycle that takes them; only its authors see it until they submit."""
    apart = {name: content.pop(name, None) for name in ("contact", "carried_from", "split_from")}
    with transaction() as session:
        proposal = draft_proposal(
            session,
            cycle=known_cycle(session, cycle_id),
            author_id=caller().id,
            content=content,
            places=PLACES,
            **apart,
        )
        view = shown(session, proposal, caller())
    return tagged_proposal(view, status=201)


@blp.get("/proposals/<uuid:proposal_id>")
@access("anybody")
@blp.response(200, ProposalSchema)
@blp.alt_response(304, description="Not modified")
def show_proposal(proposal_id: uuid.UUID) -> Response:
    """One proposal. What was never submitted is shown to its own people only."""
    session, viewer = db.session(), caller_or_nobody()
    proposal = proposal_known_to(session, proposal_id, viewer.id if viewer else None)
    return tagged_proposal(shown(session, proposal, viewer))


@blp.get("/proposals/<uuid:proposal_id>/revisions")
@access("public")
@blp.response(200, page_of(RevisionSchema, "RevisionList"))
def list_of_revisions(proposal_id: uuid.UUID) -> dict[str, Any]:
    """Every text of it that was submitted, as it was then."""
    session = db.session()
    proposal_known_to(session, proposal_id, None)
    items = [
        {
            "n": each.n,
            "submitted_at": each.submitted_at,
            "title": each.content["title"],
            "amount": each.amount,
            "content": each.content,
        }
        for each in submitted_revisions(session, proposal_id)
    ]
    return {"items": items, "next_cursor": None}


@blp.patch("/proposals/<uuid:proposal_id>")
@access("citizen")
@needs_version
@may_raise(NotAllowed, ImpossibleTransition)
@blp.arguments(ProposalChanges)
@blp.response(200, ProposalSchema)
def revise_a_proposal(changes: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Write on a draft, or on what was returned: null takes a member away, others stay."""
    with transaction() as session:
        proposal = own_proposal(session, proposal_id, caller().id)
        check_if_match(shown(session, proposal, caller()), CHANGED_BY_OTHERS)
        revise_proposal(
            session,
            proposal=proposal,
            cycle=cycle_of(session, proposal),
            by=caller().id,
            changes=changes,
            places=PLACES,
        )
        view = shown(session, proposal, caller())
    return tagged_proposal(view)


@blp.post("/proposals/<uuid:proposal_id>/submit")
@access("citizen")
@may_raise(
    NotAllowed, ImpossibleTransition, NotAProposer, NotReadyToSubmit, NothingRevised, PhaseNotOpen
)
@idempotent
@blp.response(200, ProposalSchema)
def submit_a_proposal(proposal_id: uuid.UUID) -> Response:
    """Submit it: its text is frozen and public, and it has a reference to be quoted by."""
    with transaction() as session:
        proposal = own_proposal(session, proposal_id, caller().id)
        cycle = cycle_of(session, proposal)
        submit_proposal(session, proposal=proposal, cycle=cycle, by=caller().id)
        view = shown(session, proposal, caller())
    return tagged_proposal(view)


@blp.post("/proposals/<uuid:proposal_id>/withdraw")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.response(200, ProposalSchema)
@blp.alt_response(202, **WAITS, success=True)
def withdraw_a_proposal(proposal_id: uuid.UUID) -> Response:
    """Withdraw it, before it is frozen for the ballot: every author must call this."""
    with transaction() as session:
        left = withdraw(session, proposal_id=proposal_id, by=caller().id)
        return agreed(session, proposal_id, left)


@blp.post("/proposals/<uuid:proposal_id>/appeal")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition, AppealOver)
@idempotent
@blp.arguments(AppealRequest)
@blp.response(200, ProposalSchema)
def appeal_a_rejection(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Have a rejection judged anew by people who took no part: once, within the cycle's days."""
    with transaction() as session:
        proposal = own_proposal(session, proposal_id, caller().id)
        appeal(session, proposal=proposal, by=caller().id, grounds=body["grounds"])
        view = shown(session, proposal, caller())
    return tagged_proposal(view)
