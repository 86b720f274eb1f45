"""Departments and roles, for administrators; verified attributes, for officers."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, current_app, request
from sqlalchemy.orm import Session

from api.access import access, caller, caller_id
from api.blueprint import Blueprint, may_raise
from api.db import db, transaction
from api.etags import check_if_match, tagged
from api.idempotency import idempotent
from api.pages import PageQuery, cut_page, page_of, place_of
from api.people.schemas import (
    CitizenSchema,
    DepartmentSchema,
    NewDepartmentSchema,
    RolesRequest,
    VerificationSchema,
)
from mvote.base import utc_now
from mvote.errors import NotFound, StaleVersion
from mvote.people.accounts import account_of, locked
from mvote.people.citizens import Citizen, Department
from mvote.people.declaring import verify
from mvote.people.granting import Post, add_department, departments_after, set_roles

blp = Blueprint("administering", "administering", description="Departments, roles, verification.")
DepartmentPage = page_of(DepartmentSchema, "DepartmentPage")
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` that was read; then nothing is changed if it is no longer true.",
}


def _shown(session: Session, citizen: Citizen) -> dict[str, Any]:
    account = account_of(session, citizen=citizen, phones=current_app.extensions["phones"])
    dumped: dict[str, Any] = CitizenSchema().dump(account)
    return dumped


def _alone_with(session: Session, citizen_id: uuid.UUID) -> Citizen:
    """The citizen to change, as the caller has read them, if the caller says what they read."""
    citizen = locked(session, citizen_id)
    if citizen is None:
        raise NotFound
    if request.if_match:
        check_if_match(_shown(session, citizen))
    return citizen


@blp.get("/departments")
@access("administrator")
@blp.arguments(PageQuery, location="query")
@blp.response(200, DepartmentPage)
def list_departments(query: dict[str, Any]) -> dict[str, Any]:
    """The departments, the oldest first."""
    after, limit = place_of(query["cursor"]), query["limit"]
    page, more = cut_page(departments_after(db.session(), after, limit=limit + 1), limit)
    return {"items": page, "next_cursor": more}


@blp.post("/departments")
@access("administrator")
@idempotent
@blp.arguments(NewDepartmentSchema)
@blp.response(201, DepartmentSchema)
def create_department(body: dict[str, Any]) -> Department:
    """A new department."""
    with transaction() as session:
        return add_department(session, name=body["name"], by=caller_id())


@blp.get("/departments/<uuid:department_id>")
@access("public")
@blp.response(200, DepartmentSchema)
def show_department(department_id: uuid.UUID) -> Department:
    """The department that a cycle, a proposal, a delivery or a report names by its id."""
    department = db.session().get(Department, department_id)
    if department is None:
        raise NotFound
    return department


@blp.get("/citizens/<uuid:citizen_id>")
@access("officer")
@blp.response(200, CitizenSchema)
@blp.alt_response(304, description="Not modified")
def show_citizen(citizen_id: uuid.UUID) -> Response:
    """What a citizen declared, and what of it is verified; for whoever verifies."""
    session = db.session()
    citizen = session.get(Citizen, citizen_id)
    if citizen is None:
        raise NotFound
    return tagged(_shown(session, citizen))


@blp.put("/citizens/<uuid:citizen_id>/roles")
@access("administrator")
@may_raise(StaleVersion)
@blp.doc(parameters=[IF_MATCH])
@blp.arguments(RolesRequest)
@blp.response(200, CitizenSchema)
def put_roles(body: dict[str, Any], citizen_id: uuid.UUID) -> Response:
    """Let a citizen hold exactly these roles. `If-Match` is heeded if it is sent."""
    posts = [Post(each["role"], each["department_id"]) for each in body["roles"]]
    with transaction() as session:
        citizen = _alone_with(session, citizen_id)
        set_roles(session, citizen_id=citizen.id, posts=posts, by=caller())
        view = _shown(session, citizen)
    return tagged(view)


@blp.put("/citizens/<uuid:citizen_id>/attributes")
@access("officer")
@may_raise(StaleVersion)
@blp.doc(parameters=[IF_MATCH])
@blp.arguments(VerificationSchema)
@blp.response(200, CitizenSchema)
def put_attributes(body: dict[str, Any], citizen_id: uuid.UUID) -> Response:
    """Set attributes as verified by the caller; others stay. `If-Match` is heeded if sent."""
    with transaction() as session:
        citizen = _alone_with(session, citizen_id)
        verify(
            session,
            citizen_id=citizen.id,
            values=body["attributes"],
            how=body["verified_how"],
            by=caller(),
            areas=current_app.extensions["areas"],
            now=utc_now(),
        )
        view = _shown(session, citizen)
    return tagged(view)
