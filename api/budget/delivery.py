"""Delivery: how far the city is with what was enacted."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.budget.delivery_schemas import (
    DeliveryQuery,
    ProgressSchema,
    UpdateRequest,
    UpdateSchema,
)
from api.budget.proposals import known_cycle
from api.budget.showing import PATHS
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import idempotent
from api.pages import PageQuery, cut_page, page_of, place_of, read_cursor
from mvote.base import database_time
from mvote.budget.delivering.progress import Progress, progress_of
from mvote.budget.delivering.update import ProjectUpdate, corrections_of, updates_of
from mvote.budget.delivering.updating import update_project
from mvote.budget.looking_up import proposal_known_to
from mvote.errors import ImpossibleTransition, NotAllowed

blp = Blueprint("delivery", "delivery", description="How far the city is with what was enacted.")
PLAIN = (
    "proposal_id", "n", "corrects", "department_id", "text", "percent", "spent", "milestones", "at",
)  # fmt: skip


def shown_update(update: ProjectUpdate, corrected_by: list[int]) -> dict[str, Any]:
    """The update, as UpdateSchema takes it."""
    pictures = [each | {"url": PATHS["pictures"] + each["sha256"]} for each in update.pictures]
    facts = {name: getattr(update, name) for name in PLAIN}
    return facts | {"pictures": pictures, "corrected_by": corrected_by}


@blp.post("/proposals/<uuid:proposal_id>/updates")
@access("officer")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.arguments(UpdateRequest)
@blp.response(201, UpdateSchema)
def update_a_project(said: dict[str, Any], proposal_id: uuid.UUID) -> Response:
    """Say how far an enacted project is. It is never changed: an error is corrected by the next."""
    with transaction() as session:
        update = update_project(session, proposal_id=proposal_id, by=caller(), said=said)
        view = UpdateSchema().dump(shown_update(update, []))
    return tagged(view, status=201)


@blp.get("/proposals/<uuid:proposal_id>/updates")
@access("public")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(UpdateSchema, "UpdatePage"))
def list_of_updates(query: dict[str, Any], proposal_id: uuid.UUID) -> dict[str, Any]:
    """What was said of the project since it was enacted, newest first; the newest counts."""
    session, limit = db.session(), query["limit"]
    proposal_known_to(session, proposal_id, None)
    [before] = read_cursor(query["cursor"], int) or [None]
    found = updates_of(session, proposal_id, before=before, limit=limit + 1)
    page, more = cut_page(found, limit, lambda update: (update.n,))
    corrections = corrections_of(session, proposal_id)
    return {
        "items": [shown_update(each, corrections.get(each.n, [])) for each in page],
        "next_cursor": more,
    }


@blp.get("/cycles/<uuid:cycle_id>/delivery")
@access("public")
@blp.arguments(DeliveryQuery, location="query")
@blp.response(200, page_of(ProgressSchema, "DeliveryPage"))
def list_of_deliveries(query: dict[str, Any], cycle_id: uuid.UUID) -> dict[str, Any]:
    """Every project that is delivered and how far it is; `overdue=true`: what the city is late
    with."""
    session, limit = db.session(), query["limit"]
    found = progress_of(
        session,
        cycle=known_cycle(session, cycle_id),
        now=database_time(session),
        only_overdue=query["overdue"],
        before=place_of(query["cursor"]),
        limit=limit + 1,
    )
    page, more = cut_page(found, limit, lambda progress: (progress.proposal.id,))
    return {"items": [_shown_progress(each) for each in page], "next_cursor": more}


def _shown_progress(each: Progress) -> dict[str, Any]:
    proposal, update = each.proposal, each.update
    said = ("department_id", "percent", "spent", "milestones")
    nothing: dict[str, Any] = dict.fromkeys(said) | {"milestones": []}
    nothing_yet = nothing | {"department_id": proposal.department_id}
    return {
        "proposal_id": proposal.id,
        "reference": proposal.reference,
        "title": each.text.content["title"],
        "state": proposal.state,
        "amount": each.amount,
        **({name: getattr(update, name) for name in said} if update else nothing_yet),
        "updated_at": update.at if update else None,
        "overdue": each.overdue_since is not None,
        "overdue_since": each.overdue_since,
    }
