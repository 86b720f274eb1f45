"""Committees: formed by the cycle's department, drawn by lot in public."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, current_app
from sqlalchemy.orm import Session

from api.access import access, caller
from api.approvals import done_or_asked, two_officers
from api.blueprint import Blueprint, may_raise
from api.budget.committee_schemas import (
    CommitteeSchema,
    DrawChecked,
    DrawRequest,
    LowerTargets,
    NewCommittee,
)
from api.db import db, reading, transaction
from api.etags import tagged, tagged_body
from api.idempotency import idempotent
from api.pages import PageQuery, page_of, place_of, write_cursor
from mvote.budget.applying import applicants_counted
from mvote.budget.committee import Committee
from mvote.budget.committee_errors import AlreadyDrawn, DrawNotDue, TargetsFixed
from mvote.budget.drawing.errors import QuotasImpossible, SecretNotCommitted
from mvote.budget.forming import (
    committee_of,
    committees_of,
    form_committee,
    lower_targets,
    own_committee,
    targets_of,
)
from mvote.budget.holding_draws import (
    check_draw,
    draw_file,
    draw_file_names,
    hold_draw,
    record_draw,
)
from mvote.budget.planning import cycle_of, own_cycle
from mvote.budget.seat import CommitteeDraw
from mvote.budget.seating import reserves_of, seats_of
from mvote.errors import NotAllowed

blp = Blueprint("committees", "committees", description="Committees, drawn by lot.")
CHECKED = {"schema": DrawChecked, "description": "With `dry_run`: the pool can meet the targets."}
DRAW_FILE = {"type": "object", "description": "Canonical JSON (RFC 8785)."}
PLAIN = (
    "id", "cycle_id", "name", "kind", "headings", "area_codes", "starts_on", "ends_on",
    "age_bands", "created_at",
)  # fmt: skip


def shown(session: Session, committee: Committee) -> dict[str, Any]:
    """The committee as JSON, for a response with an ETag."""
    dumped: dict[str, Any] = CommitteeSchema().dump(_view(session, committee))
    return dumped


def _view(session: Session, committee: Committee) -> dict[str, Any]:
    return {name: getattr(committee, name) for name in PLAIN} | {
        "draw": _draw(session, committee) if committee.commitment else None,
        "seats": seats_of(session, committee.id),
        "reserves": reserves_of(session, committee.id),
    }


def _draw(session: Session, committee: Committee) -> dict[str, Any]:
    held = session.get(CommitteeDraw, committee.id)
    names = draw_file_names(session, committee)
    return {
        "commitment": (committee.commitment or b"").hex(),
        "public_source": committee.public_source,
        "applications_close_at": committee.applications_close_at,
        "public_value_at": committee.public_value_at,
        "targets": targets_of(session, committee.id),
        "applicants": applicants_counted(session, committee.id),
        "held_at": held.held_at if held else None,
        "files": [f"/v1/committees/{committee.id}/draw/{name}" for name in names],
    }


@blp.post("/cycles/<uuid:cycle_id>/committees")
@access("officer")
@may_raise(NotAllowed)
@idempotent
@blp.arguments(NewCommittee)
@blp.response(201, CommitteeSchema)
def form_a_committee(body: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """Form a committee; where it is drawn, with the commitment to the seed before anybody applies.

    `kind` is what the cycle's `review` calls its bodies.
    """
    draw = body.pop("draw", None) or {}
    targets = draw.pop("targets", None)
    if draw:
        draw["commitment"] = bytes.fromhex(draw["commitment"])
    with transaction() as session:
        cycle = own_cycle(session, cycle_id, caller())
        committee = form_committee(
            session, cycle=cycle, by=caller().id, facts=body | draw, targets=targets,
            areas=current_app.extensions["areas"],
        )  # fmt: skip
        return tagged(shown(session, committee), status=201)


@blp.get("/cycles/<uuid:cycle_id>/committees")
@access("public")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(CommitteeSchema, "CommitteePage"))
def list_of_committees(query: dict[str, Any], cycle_id: uuid.UUID) -> dict[str, Any]:
    """The committees of a cycle, the oldest first."""
    session, limit = db.session(), query["limit"]
    cycle = cycle_of(session, cycle_id)
    after = place_of(query["cursor"])
    found = committees_of(session, cycle.id, after=after, limit=limit + 1)
    page = found[:limit]
    more = len(found) > limit
    return {
        "items": [_view(session, each) for each in page],
        "next_cursor": write_cursor(str(page[-1].id)) if more else None,
    }


@blp.get("/committees/<uuid:committee_id>")
@access("public")
@blp.response(200, CommitteeSchema)
@blp.alt_response(304, description="Not modified")
def show_committee(committee_id: uuid.UUID) -> Response:
    """Who sits, by pseudonym, who is in reserve, and everything about the draw."""
    session = db.session()
    return tagged(shown(session, committee_of(session, committee_id)))


@blp.put("/committees/<uuid:committee_id>/targets")
@access("officer")
@may_raise(TargetsFixed)
@blp.arguments(LowerTargets)
@blp.response(200, CommitteeSchema)
@two_officers(blp)
def lower_the_targets(body: dict[str, Any], committee_id: uuid.UUID) -> Response:
    """Lower quotas, with a public reason, until the public value is known. Two officers."""
    with transaction() as session:
        waits = lower_targets(
            session, committee_id=committee_id, by=caller(), targets=body["targets"],
            why=body["text"],
        )  # fmt: skip
        committee = committee_of(session, committee_id)
        return done_or_asked(session, waits, lambda: shown(session, committee))


@blp.post("/committees/<uuid:committee_id>/draw")
@access("officer")
@may_raise(NotAllowed, DrawNotDue, AlreadyDrawn, SecretNotCommitted, QuotasImpossible)
@idempotent
@blp.arguments(DrawRequest)
@blp.response(201, CommitteeSchema)
@blp.alt_response(200, **CHECKED, success=True)
def draw_a_committee(body: dict[str, Any], committee_id: uuid.UUID) -> Response:
    """Hold the draw: reveal `seed`, name the public value, and repeat the published `targets`."""
    if body["dry_run"]:
        with reading() as session:
            pool = check_draw(
                session, committee_id=committee_id, by=caller(), targets=body.get("targets")
            )
        return tagged({"pool": pool})
    with reading() as session:  # it may take seconds, for which nobody should wait
        held = hold_draw(
            session, committee_id=committee_id, by=caller(), targets=body["targets"],
            secret=bytes.fromhex(body["seed"]), public_value=body["public_value"],
        )  # fmt: skip
    with transaction() as session:
        committee = own_committee(session, committee_id, caller())
        record_draw(session, committee=committee, held=held, by=caller().id)
        return tagged(shown(session, committee), status=201)


@blp.get("/committees/<uuid:committee_id>/draw/<string:name>")
@access("public")
@blp.response(200, DRAW_FILE, content_type="application/json")
@blp.alt_response(304, description="Not modified")
def show_draw_file(committee_id: uuid.UUID, name: str) -> Response:
    """A file of the draw, its exact bytes: pool and rule once applications have closed."""
    return tagged_body(draw_file(db.session(), committee_id, name), "application/json")
