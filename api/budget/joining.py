"""Co-authors, merging and splitting."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow.validate import Length

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.budget.proposal_schemas import MOST_PARTS, OwnProposalSchema, ProposalSchema
from api.budget.proposals import WAITS, agreed
from api.budget.showing import shown, tagged_proposal, text_for, views_of
from api.db import db, transaction
from api.fields import Strict, Uuid
from api.idempotency import idempotent
from api.pages import PageQuery, cut_page, page_of, place_of
from mvote.base import database_time
from mvote.budget.agreeing import disagree, merge, split
from mvote.budget.co_authors import accept, invite, leave
from mvote.budget.looking_up import own_proposal
from mvote.budget.proposal_errors import NotAProposer, NotReadyToSubmit
from mvote.budget.proposal_lists import own_proposals
from mvote.errors import ImpossibleTransition, NotAllowed

blp = Blueprint("joining", "joining", description="Co-authors, merging and splitting.")


class InvitationRequest(Strict):
    citizen_id = Uuid(required=True, metadata={"description": "`id` in their `GET /me`."})


class MergeRequest(Strict):
    into = Uuid(required=True)


class SplitRequest(Strict):
    parts = ma.fields.List(Uuid(), required=True, validate=Length(2, MOST_PARTS), metadata={
        "description": "Drafts that were made with `split_from`."
    })  # fmt: skip


@blp.get("/me/proposals")
@access("citizen")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(OwnProposalSchema, "OwnProposalPage"))
def list_of_my_proposals(query: dict[str, Any]) -> dict[str, Any]:
    """The caller's own proposals, drafts too, and those they are asked to be a co-author of."""
    session, limit = db.session(), query["limit"]
    before = place_of(query["cursor"])
    found = own_proposals(session, citizen_id=caller().id, before=before, limit=limit + 1)
    page, more = cut_page(found, limit, lambda row: (row[0].id,))
    texts = [(each, text_for(session, each, caller())) for each, _ in page]
    views = views_of(session, texts, database_time(session))
    items = [
        view | {"accepted": is_author} for view, (_, is_author) in zip(views, page, strict=True)
    ]
    return {"items": items, "next_cursor": more}


@blp.post("/proposals/<uuid:proposal_id>/co-authors")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.arguments(InvitationRequest)
@blp.response(200, ProposalSchema)
def invite_a_co_author(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Ask a citizen to be a co-author; they are one once they accept."""
    with transaction() as session:
        proposal = own_proposal(session, proposal_id, caller().id)
        invite(session, proposal=proposal, citizen_id=body["citizen_id"], by=caller().id)
        view = shown(session, proposal, caller())
    return tagged_proposal(view)


@blp.post("/proposals/<uuid:proposal_id>/co-authors/accept")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition, NotAProposer)
@idempotent
@blp.response(200, ProposalSchema)
def accept_to_be_a_co_author(proposal_id: uuid.UUID) -> Response:
    """Become the co-author that one was asked to be."""
    with transaction() as session:
        proposal = accept(session, proposal_id=proposal_id, by=caller().id)
        session.flush()
        view = shown(session, proposal, caller())
    return tagged_proposal(view)


@blp.delete("/proposals/<uuid:proposal_id>/co-authors/me")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition)
@blp.response(204)
def be_no_co_author(proposal_id: uuid.UUID) -> Response:
    """Decline, or be an author no longer; the last author withdraws the proposal instead."""
    with transaction() as session:
        leave(session, proposal_id=proposal_id, by=caller().id)
    return Response(status=204)


@blp.post("/proposals/<uuid:proposal_id>/merge")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.arguments(MergeRequest)
@blp.response(200, ProposalSchema)
@blp.alt_response(202, **WAITS, success=True)
def merge_proposals(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Merge it into another of the cycle: every author of both must call this.

    Its authors and supporters become those of the other, each person once.
    """
    with transaction() as session:
        left = merge(session, proposal_id=proposal_id, into=body["into"], by=caller().id)
        return agreed(session, proposal_id, left)


@blp.post("/proposals/<uuid:proposal_id>/split")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition, NotReadyToSubmit)
@idempotent
@blp.arguments(SplitRequest)
@blp.response(200, ProposalSchema)
@blp.alt_response(202, **WAITS, success=True)
def split_a_proposal(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Let drafts made from it take its place: every author must call this.

    The parts are submitted with it; its authors and supporters become those of each.
    """
    with transaction() as session:
        left = split(session, proposal_id=proposal_id, parts=body["parts"], by=caller().id)
        return agreed(session, proposal_id, left)


@blp.delete("/proposals/<uuid:proposal_id>/agreements/me")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition)
@blp.response(204)
def take_my_agreement_back(proposal_id: uuid.UUID) -> Response:
    """Agree no longer to withdraw, merge or split it, while other authors have not all agreed."""
    with transaction() as session:
        disagree(session, proposal_id=proposal_id, by=caller().id)
    return Response(status=204)
