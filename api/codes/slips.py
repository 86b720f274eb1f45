"""Packages of slips for a steward: made, printed once, counted, revoked."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
import orjson
from flask import Response
from marshmallow.validate import Range
from sqlalchemy.orm import Session

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.bodies import BINARY
from api.codes.posters import PDF
from api.codes.views import check_author_has_room, check_may_make_codes, known_code, url_with_value
from api.db import db, transaction
from api.fields import Instant, Integer
from api.idempotency import idempotent
from api.rendering import rendered
from api.wiring import wiring
from geo.sites import site_of
from mvote.base import utc_now
from mvote.errors import ImpossibleTransition, NotAllowed, Overloaded
from mvote.languages import side_by_side
from mvote.polls.onsite.caps import SLIPS
from mvote.polls.onsite.errors import SlipsGone, TooManyOnSite
from mvote.polls.onsite.slips import (
    MOST_SLIPS,
    SlipPackage,
    begin_printing,
    end_printing,
    finish_export,
    make_package,
    package_of,
    packages_of,
    revoke_package,
    shown_package,
    slips_to_print,
)
from mvote.wording import say
from qr.codes import new_site_code

blp = Blueprint("slips", "codes", description="Slips that a steward hands out.")
PROGRAM = "qr.slips"
NOTE = say("This slip is good once.")


class NewSlips(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    count = Integer(required=True, validate=Range(1, MOST_SLIPS))


class SlipsSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    code = ma.fields.String(required=True)
    number = ma.fields.Integer(required=True, metadata={"description": "Stands on every slip"})
    size = ma.fields.Integer(required=True)
    used = ma.fields.Integer(required=True)
    created_at = Instant(required=True)
    exported_at = Instant(required=True, allow_none=True, metadata={"description": "When printed"})
    revoked_at = Instant(required=True, allow_none=True)


class SlipsPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(SlipsSchema), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blp.post("/codes/<code>/slips")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition, TooManyOnSite)
@idempotent
@blp.arguments(NewSlips)
@blp.response(201, SlipsSchema)
def make_slips(wanted: dict[str, Any], code: str) -> dict[str, Any]:
    """Make a package of slips for a `steward` code; by an officer, or by the poll's author."""
    slips = [new_site_code() for _ in range(wanted["count"])]
    with transaction() as session:
        found, poll = known_code(session, code)
        check_may_make_codes(poll)
        check_author_has_room(session, SLIPS, poll, wanted["count"])
        secrets = wiring().gate.secrets
        package = make_package(
            session, code=found, slips=slips, secrets=secrets, actor_id=caller().id
        )
        return shown_package(package)


@blp.get("/codes/<code>/slips")
@access("citizen")
@may_raise(NotAllowed)
@blp.response(200, SlipsPage)
def list_slips(code: str) -> dict[str, Any]:
    """The code's packages and how many slips of each were used; which and when nobody knows."""
    session = db.session()
    found, poll = known_code(session, code)
    check_may_make_codes(poll)
    return {"items": packages_of(session, found), "next_cursor": None}


@blp.post("/slips/<uuid:package_id>/print")
@access("citizen")
@may_raise(NotAllowed, SlipsGone, Overloaded)
@blp.response(200, BINARY, content_type=PDF)
def print_slips(package_id: uuid.UUID) -> Response:
    """The package as PDF, eight slips to a sheet of A4: this once. The slips are then forgotten.

    They admit from now on. Is the file lost, revoke the package and make another.
    """
    with transaction() as session:  # it ends here: who waits for the PDF must keep no connection
        package = _known_package(session, package_id)
        document = orjson.dumps(_document(session, package))
        begin_printing(session, package=package, now=utc_now())
    try:
        pdf = rendered(PROGRAM, document)
        with transaction() as session:
            finish_export(session, package=package_of(session, package_id), actor_id=caller().id)
    finally:
        with transaction() as session:
            end_printing(session, package_id)
    return Response(pdf, content_type=PDF)


@blp.delete("/slips/<uuid:package_id>")
@access("citizen")
@may_raise(NotAllowed)
@blp.response(204)
def revoke_slips(package_id: uuid.UUID) -> None:
    """Revoke a package: none of its slips admits any more, printed or not."""
    with transaction() as session:
        package = _known_package(session, package_id)
        revoke_package(session, package=package, actor_id=caller().id)


def _known_package(session: Session, package_id: uuid.UUID) -> SlipPackage:
    """The package, to those who may make codes there. Raises NotFound, NotAllowed."""
    package = package_of(session, package_id)
    _, poll = known_code(session, package.code)
    check_may_make_codes(poll)
    return package


def _document(session: Session, package: SlipPackage) -> dict[str, Any]:
    code, poll = known_code(session, package.code)
    values = slips_to_print(package, wiring().gate.secrets)
    return {
        "name": f"mvote {code.code} {package.number}",
        "title": poll.content["title"],
        "site": site_of(session, code.site_id).name,
        "note": side_by_side(NOTE),
        "package": package.number,
        "slips": [{"value": each, "url": url_with_value(code, each)} for each in values],
    }
