"""Subcommittees: what members prefer, and the committee divided among them."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow.validate import Length

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.db import db, transaction
from api.etags import tagged
from api.fields import Instant, Strict, Uuid
from api.idempotency import idempotent
from api.pages import PageQuery, page_from, page_of
from mvote.budget.committee_errors import NothingToDivide
from mvote.budget.forming import committee_of, own_committee
from mvote.budget.subcommittees.division import Division
from mvote.budget.subcommittees.seating import divisions_of, prefer, seat_in_subcommittees
from mvote.errors import ImpossibleTransition, NotAllowed

blp = Blueprint("divisions", "divisions", description="Members divided among subcommittees.")
MOST_WISHES = 100


class PreferencesRequest(Strict):
    subcommittees = ma.fields.List(
        Uuid(),
        required=True,
        validate=Length(max=MOST_WISHES),
        metadata={"description": "Committees, the dearest first."},
    )


class PreferencesSchema(ma.Schema):
    subcommittees = ma.fields.List(ma.fields.UUID(), attribute="committees", required=True)
    stated_at = Instant(required=True)


class DividedMember(ma.Schema):
    number = ma.fields.Integer(required=True, metadata={"description": "Of the seat."})
    pseudonym = ma.fields.String(required=True)
    wishes = ma.fields.List(ma.fields.List(ma.fields.String()), required=True, metadata={
        "description": "What was asked for; then by the headings named in the application; then by"
        " district. Each the dearest first."
    })  # fmt: skip
    kept = ma.fields.Boolean(required=True)
    subcommittee = ma.fields.String(required=True)


class DivisionSchema(ma.Schema):
    """All from which anybody repeats it: lots are SHA-256("mvote/lot/1" ‖ seed ‖ pseudonym)."""

    format = ma.fields.String(required=True)
    n = ma.fields.Integer(required=True)
    held_at = Instant(required=True)
    seed = ma.fields.String(required=True)
    subcommittees = ma.fields.List(ma.fields.String(), required=True)
    members = ma.fields.List(ma.fields.Nested(DividedMember), required=True)


def _view(division: Division) -> dict[str, Any]:
    return division.document | {"n": division.n, "held_at": division.held_at}


@blp.put("/committees/<uuid:committee_id>/preferences/me")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition)
@blp.arguments(PreferencesRequest)
@blp.response(200, PreferencesSchema)
def prefer_subcommittees(body: dict[str, Any], committee_id: uuid.UUID) -> Response:
    """A member says which subcommittees they would rather sit in. Public with the division."""
    with transaction() as session:
        stated = prefer(
            session, committee_id=committee_id, citizen_id=caller().id,
            committees=body["subcommittees"],
        )  # fmt: skip
        return tagged(PreferencesSchema().dump(stated))


@blp.post("/committees/<uuid:committee_id>/divisions")
@access("officer")
@may_raise(NotAllowed, ImpossibleTransition, NothingToDivide)
@idempotent
@blp.response(201, DivisionSchema)
def divide_a_committee(committee_id: uuid.UUID) -> Response:
    """Give every member a seat in a subcommittee: evenly, by preference, heading or district, lot.

    Whoever has a seat in one keeps it, so that it can be done again for those who moved up.
    """
    with transaction() as session:
        committee = own_committee(session, committee_id, caller())
        division = seat_in_subcommittees(session, committee=committee, by=caller().id)
        return tagged(DivisionSchema().dump(_view(division)), status=201)


@blp.get("/committees/<uuid:committee_id>/divisions")
@access("public")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(DivisionSchema, "DivisionList"))
def list_of_divisions(query: dict[str, Any], committee_id: uuid.UUID) -> dict[str, Any]:
    """How the members were divided, the first time first, with all that decided it."""
    session = db.session()
    committee = committee_of(session, committee_id)
    page, more = page_from(divisions_of(session, committee.id), query)
    return {"items": [_view(each) for each in page], "next_cursor": more}
