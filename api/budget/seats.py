"""Applying for a seat, sitting, and leaving."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response

from api.access import access, caller
from api.approvals import done_or_asked, two_officers
from api.blueprint import Blueprint, may_raise
from api.budget.committee_schemas import (
    ApplicationRequest,
    Chair,
    CommitteeSchema,
    NewSeat,
    Vacating,
)
from api.budget.committees import shown
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from api.people.export_schemas import AppliedSchema
from api.wiring import wiring
from mvote.approvals import one_at_a_time
from mvote.budget.applying import (
    PSEUDONYM_KEY,
    apply_for_seat,
    own_application,
    withdraw_application,
)
from mvote.budget.committee_errors import AlreadySeated, ApplicationsClosed, NotAnApplicant
from mvote.budget.dismissing import dismiss
from mvote.budget.forming import committee_of, own_committee
from mvote.budget.seating import appoint, fill_vacant_seats, leave, name_chair
from mvote.errors import ImpossibleTransition, NotAllowed

blp = Blueprint("seats", "seats", description="Applying for a seat, sitting, and leaving.")


def _key() -> bytes:
    return wiring().keystore.get(PSEUDONYM_KEY)


@blp.post("/committees/<uuid:committee_id>/applications")
@access("citizen")
@may_raise(ApplicationsClosed, NotAnApplicant)
@idempotent
@blp.arguments(ApplicationRequest)
@blp.response(201, AppliedSchema)
def apply_for_a_seat(body: dict[str, Any], committee_id: uuid.UUID) -> Response:
    """Apply, or apply anew with what is known now, until applications close."""
    with transaction() as session:
        made = apply_for_seat(
            session, committee_id=committee_id, citizen_id=caller().id, key=_key(), **body
        )
        view = AppliedSchema().dump(made)
    return tagged(view, status=201)


@blp.get("/committees/<uuid:committee_id>/applications/me")
@access("citizen")
@blp.response(200, AppliedSchema)
@blp.alt_response(304, description="Not modified")
def show_my_application(committee_id: uuid.UUID) -> Response:
    """The caller's own application; nobody else's is shown to anybody."""
    found = own_application(db.session(), committee_id=committee_id, citizen_id=caller().id)
    return tagged(AppliedSchema().dump(found))


@blp.delete("/committees/<uuid:committee_id>/applications/me")
@access("citizen")
@may_raise(ApplicationsClosed)
@blp.response(204)
def apply_no_longer(committee_id: uuid.UUID) -> Response:
    """Withdraw the application, until applications close."""
    with transaction() as session:
        withdraw_application(session, committee_id=committee_id, citizen_id=caller().id)
    return Response(status=204)


@blp.delete("/committees/<uuid:committee_id>/seats/me")
@access("citizen")
@may_raise(ImpossibleTransition)
@blp.response(204)
def leave_my_seat(committee_id: uuid.UUID) -> Response:
    """Give up one's seat, or one's place among the reserves; the next reserve moves up."""
    with transaction() as session:
        one_at_a_time(session, committee_id)
        leave(session, committee=committee_of(session, committee_id), citizen_id=caller().id)
    return Response(status=204)


@blp.post("/committees/<uuid:committee_id>/seats")
@access("officer")
@may_raise(NotAllowed, AlreadySeated, ImpossibleTransition)
@idempotent
@blp.arguments(NewSeat)
@blp.response(201, CommitteeSchema)
def appoint_to_a_seat(body: dict[str, Any], committee_id: uuid.UUID) -> Response:
    """Give a seat that no lot gives: to an expert, to an official, with or without a vote."""
    with transaction() as session:
        committee = own_committee(session, committee_id, caller())
        appoint(session, committee=committee, key=_key(), by=caller().id, **body)
        return tagged(shown(session, committee), status=201)


@blp.post("/committees/<uuid:committee_id>/seats/<uuid:seat_id>/vacate")
@access("officer")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.arguments(Vacating)
@blp.response(200, CommitteeSchema)
@two_officers(blp)
def vacate_a_seat(body: dict[str, Any], committee_id: uuid.UUID, seat_id: uuid.UUID) -> Response:
    """End a membership, with a reason; the next reserve moves up if the quotas still hold. Two
    officers, of whom the first is of the cycle's department."""
    with transaction() as session:
        waits = dismiss(session, committee_id=committee_id, seat_id=seat_id, by=caller(), **body)
        committee = committee_of(session, committee_id)
        return done_or_asked(session, waits, lambda: shown(session, committee))


@blp.post("/committees/<uuid:committee_id>/move-up")
@access("officer")
@may_raise(NotAllowed)
@idempotent
@blp.response(200, CommitteeSchema)
def move_reserves_up(committee_id: uuid.UUID) -> Response:
    """Fill seats that fell vacant with an account: reserves move up if the quotas still hold."""
    with transaction() as session:
        committee = own_committee(session, committee_id, caller())
        fill_vacant_seats(session, committee=committee, by=caller().id)
        return tagged(shown(session, committee))


@blp.put("/committees/<uuid:committee_id>/chair")
@access("officer")
@may_raise(NotAllowed)
@blp.arguments(Chair)
@blp.response(200, CommitteeSchema)
def name_the_chair(body: dict[str, Any], committee_id: uuid.UUID) -> Response:
    """Record whom the committee has put in the chair."""
    with transaction() as session:
        committee = own_committee(session, committee_id, caller())
        name_chair(session, committee=committee, by=caller().id, **body)
        return tagged(shown(session, committee))
