"""Assessments: what departments find of proposals, two officers for each."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow.validate import Length, OneOf, Range

from api.access import access, caller, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.budget.proposal_schemas import ProposalSchema
from api.budget.showing import shown, tagged_proposal
from api.db import db, transaction
from api.etags import tagged
from api.fields import Instant, Integer, LocalText, ShownText, Strict, String, Uuid, Verbatim
from api.idempotency import idempotent
from api.pages import page_of
from mvote.budget.assessing import assess, assessment_shown_to, transfer
from mvote.budget.assessment import CHECKS, FINDINGS, Assessment
from mvote.budget.contacting import contacts_for
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.returning import return_to_authors
from mvote.budget.revision import DEAREST
from mvote.errors import ImpossibleTransition, NotAllowed
from mvote.wording import say

blp = Blueprint("assessments", "assessments", description="What departments find of proposals.")


class CheckSchema(Strict):
    finding = String(required=True, validate=OneOf(FINDINGS))
    reason = LocalText(max_length=2_000, required=True)


class SiteVisitSchema(Strict):
    on = ma.fields.Date(required=True, format="iso")
    notes = LocalText(max_length=2_000)


class AssessmentRequest(Strict):
    lawful = ma.fields.Nested(CheckSchema, required=True)
    within_competence = ma.fields.Nested(CheckSchema, required=True)
    feasible = ma.fields.Nested(CheckSchema, required=True)
    no_duplicate = ma.fields.Nested(CheckSchema, required=True)
    land_available = ma.fields.Nested(CheckSchema, required=True)
    assessed_amount = Integer(required=True, validate=Range(0, DEAREST))
    min_useful_amount = Integer(load_default=None, allow_none=True, validate=Range(0, DEAREST))
    budget_line = String(load_default=None, allow_none=True, validate=Length(1, 200))
    site_visit = ma.fields.Nested(SiteVisitSchema)

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        least = data.get("min_useful_amount")
        if least is not None and least > data.get("assessed_amount", DEAREST):
            raise ma.ValidationError(say("More than assessed_amount."), "min_useful_amount")


class ShownSiteVisit(ma.Schema):
    on = ma.fields.Date(required=True)
    notes = ShownText()


class ShownCheck(ma.Schema):
    finding = ma.fields.String(required=True, validate=OneOf(FINDINGS))
    reason = ShownText(required=True)


class AssessmentSchema(ma.Schema):
    """Public once a second officer has confirmed it."""

    proposal_id = ma.fields.UUID(required=True)
    revision = ma.fields.Integer(required=True)
    department_id = ma.fields.UUID(required=True)
    lawful = ma.fields.Nested(ShownCheck, required=True)
    within_competence = ma.fields.Nested(ShownCheck, required=True)
    feasible = ma.fields.Nested(ShownCheck, required=True)
    no_duplicate = ma.fields.Nested(ShownCheck, required=True)
    land_available = ma.fields.Nested(ShownCheck, required=True)
    outcome = ma.fields.String(required=True, validate=OneOf(["feasible", "infeasible"]))
    assessed_amount = ma.fields.Integer(required=True)
    min_useful_amount = ma.fields.Integer(required=True, allow_none=True)
    budget_line = ma.fields.String(required=True, allow_none=True)
    site_visit = Verbatim(ShownSiteVisit, required=True, allow_none=True)
    found_at = Instant(required=True)
    confirmed_at = Instant(required=True, allow_none=True)


class TransferRequest(Strict):
    department_id = Uuid(required=True)
    reason = LocalText(max_length=2_000, required=True)


class ReturnRequest(Strict):
    missing = LocalText(max_length=5_000, required=True)
    due_at = Instant(metadata={"description": "By default the cycle's `return_days` from now."})


class ContactSchema(ma.Schema):
    contact = ma.fields.String(required=True)


FOUND = {"schema": AssessmentSchema, "description": "Found; a second officer must confirm."}


def _found_in(body: dict[str, Any]) -> dict[str, Any]:
    """The body as columns of an Assessment."""
    visit = body.get("site_visit")
    if visit is not None:
        visit = visit | {"on": visit["on"].isoformat()}
    return {
        **{name: body[name]["finding"] for name in CHECKS},
        "reasons": {name: body[name]["reason"] for name in CHECKS},
        **{name: body[name] for name in ("assessed_amount", "min_useful_amount", "budget_line")},
        "site_visit": visit,
    }


def shown_assessment(assessment: Assessment) -> dict[str, Any]:
    """The assessment as JSON."""
    checks = {
        name: {"finding": getattr(assessment, name), "reason": assessment.reasons[name]}
        for name in CHECKS
    }
    outcome = "feasible" if assessment.is_feasible else "infeasible"
    names = [name for name in AssessmentSchema().fields if name not in (*CHECKS, "outcome")]
    facts = {name: getattr(assessment, name) for name in names}
    dumped: dict[str, Any] = AssessmentSchema().dump(facts | checks | {"outcome": outcome})
    return dumped


@blp.put("/proposals/<uuid:proposal_id>/assessment")
@access("officer")
@may_raise(ImpossibleTransition, PhaseNotOpen)
@blp.arguments(AssessmentRequest)
@blp.response(200, AssessmentSchema)
@blp.alt_response(202, **FOUND, success=True)
def assess_a_proposal(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Say what the department finds; the same from a second officer of it confirms it.

    A proposal that no department has is taken by that of the first officer. What is confirmed as
    infeasible is rejected.
    """
    with transaction() as session:
        found = assess(session, proposal_id=proposal_id, by=caller(), found=_found_in(body))
        view = shown_assessment(found)
    return tagged(view, status=200 if found.confirmed_by else 202)


@blp.get("/proposals/<uuid:proposal_id>/assessment")
@access("anybody")
@blp.response(200, AssessmentSchema)
@blp.alt_response(304, description="Not modified")
def show_assessment(proposal_id: uuid.UUID) -> Response:
    """The assessment; while only one officer has found it, for officers alone."""
    found = assessment_shown_to(db.session(), proposal_id, caller_or_nobody())
    return tagged(shown_assessment(found))


@blp.get("/proposals/<uuid:proposal_id>/contacts")
@access("officer")
@may_raise(NotAllowed)
@blp.response(200, page_of(ContactSchema, "ContactList"))
def list_of_contacts(proposal_id: uuid.UUID) -> dict[str, Any]:
    """How its authors can be reached: for officers of its department. Who looks is journalled."""
    with transaction() as session:
        found = contacts_for(session, proposal_id=proposal_id, by=caller())
    return {"items": [{"contact": each} for each in found], "next_cursor": None}


@blp.post("/proposals/<uuid:proposal_id>/transfer")
@access("officer")
@may_raise(ImpossibleTransition, PhaseNotOpen)
@idempotent
@blp.arguments(TransferRequest)
@blp.response(200, ProposalSchema)
def transfer_a_proposal(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Hand it to another department; the clock runs on."""
    with transaction() as session:
        proposal = transfer(session, proposal_id=proposal_id, by=caller(), **body)
        view = shown(session, proposal, caller())
    return tagged_proposal(view)


@blp.post("/proposals/<uuid:proposal_id>/return")
@access("officer")
@may_raise(ImpossibleTransition, PhaseNotOpen)
@idempotent
@blp.arguments(ReturnRequest)
@blp.response(200, ProposalSchema)
def return_a_proposal(body: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Send it back to its authors: what is missing, and until when it must come again."""
    with transaction() as session:
        proposal = return_to_authors(
            session,
            proposal_id=proposal_id,
            by=caller(),
            missing=body["missing"],
            due_at=body.get("due_at"),
        )
        view = shown(session, proposal, caller())
    return tagged_proposal(view)
