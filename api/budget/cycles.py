"""Cycles: planned by a department, public from the first, run by the clock."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.approvals import done_or_asked, two_officers
from api.blueprint import Blueprint, may_raise, needs_version
from api.budget.schemas import (
    CycleChanges,
    CyclesQuery,
    CycleSummary,
    CycleView,
    NewCycle,
    PhaseRequest,
)
from api.db import db, transaction
from api.etags import check_if_match, tagged
from api.idempotency import idempotent
from api.pages import cut_page, page_of, place_of
from api.wiring import wiring
from mvote.base import database_time, instant
from mvote.budget.balloting.few_ballots import warnings_in
from mvote.budget.cycle import Cycle, cycle_notices
from mvote.budget.dates import Dates
from mvote.budget.deciding.cycle_lot import lots_of
from mvote.budget.imported import ImportedElection
from mvote.budget.moving import move_dates, phase_dates, revised_dates
from mvote.budget.planning import (
    cycle_of,
    list_cycles,
    own_cycle,
    plan_cycle,
    revise_cycle,
    start_cycle,
)
from mvote.errors import ImpossibleTransition, NotAllowed, Text
from mvote.polls.drafting import Author

blp = Blueprint("cycles", "cycles", description="Cycles of the participatory budget.")


def shown(session: Session, cycle: Cycle) -> dict[str, Any]:
    """The cycle as JSON, for a response with an ETag."""
    notices = [_notice(each.document) for each in cycle_notices(session, cycle.id)]
    view = cycle.definition | _summary(cycle, database_time(session)) | {"warnings": []}
    if cycle.state != "imported":
        view["warnings"] = [each.shown() for each in warnings_in(cycle.definition)]
    else:
        view["imported"] = _imported(session.get_one(ImportedElection, cycle.id))
    dumped: dict[str, Any] = CycleView().dump(
        view | {"notices": notices, "lots": lots_of(session, cycle.id)}
    )
    return dumped


def _notice(told: dict[str, Any]) -> dict[str, Any]:
    named = ("format", "cycle_id", "kind", "at", "changes", "text")
    facts = {name: told[name] for name in told if name not in named}
    return {"text": None, "changes": [], "facts": facts} | told


def _imported(election: ImportedElection) -> dict[str, Any]:
    return {
        "vote_type": election.vote_type,
        "rule": dict(election.meta)["rule"],
        "ballots": election.num_votes,
        "sha256": election.sha256.hex(),
    }


def _summary(cycle: Cycle, now: dt.datetime) -> dict[str, Any]:
    named = ("id", "version", "department_id", "time_zone", "created_at", "started_at",
             "title", "currency", "budget_year", "budget_limit")  # fmt: skip
    return {name: getattr(cycle, name) for name in named} | {
        "status": cycle.status_at(now),
        "phase": cycle.phase_at(now),
        "phases": cycle.definition["phases"],
    }


@blp.post("/cycles")
@access("officer")
@idempotent
@blp.arguments(NewCycle)
@blp.response(201, CycleView)
def plan_a_cycle(definition: dict[str, Any]) -> Response:
    """Plan a cycle. Whatever contradicts itself is refused, every contradiction named."""
    with transaction() as session:
        cycle = plan_cycle(
            session,
            author=Author.of(caller()),
            definition=definition,
            time_zone=wiring().settings.city_time_zone,
        )
        view = shown(session, cycle)
    return tagged(view, status=201)


@blp.get("/cycles")
@access("public")
@blp.arguments(CyclesQuery, location="query")
@blp.response(200, page_of(CycleSummary, "CyclePage"))
def list_of_cycles(query: dict[str, Any]) -> dict[str, Any]:
    """All cycles, newest first, drafts too."""
    session, limit = db.session(), query["limit"]
    found = list_cycles(
        session, budget_year=query["budget_year"], before=place_of(query["cursor"]), limit=limit
    )
    page, more = cut_page(found, limit)
    now = database_time(session)
    return {"items": [_summary(cycle, now) for cycle in page], "next_cursor": more}


@blp.get("/cycles/<uuid:cycle_id>")
@access("public")
@blp.response(200, CycleView)
@blp.alt_response(304, description="Not modified")
def show_cycle(cycle_id: uuid.UUID) -> Response:
    """One cycle with all its rules, and what was moved since it began."""
    session = db.session()
    return tagged(shown(session, cycle_of(session, cycle_id)))


@blp.patch("/cycles/<uuid:cycle_id>")
@access("officer")
@needs_version
@may_raise(NotAllowed, ImpossibleTransition)
@blp.arguments(CycleChanges)
@blp.response(200, CycleView)
@two_officers(blp)
def revise_a_cycle(changes: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """Change a draft, by its department; of a running cycle only dates, by two officers."""
    with transaction() as session:
        cycle = cycle_of(session, cycle_id)
        if cycle.state == "draft":
            cycle = own_cycle(session, cycle_id, caller())
            check_if_match(shown(session, cycle))
            revise_cycle(session, cycle=cycle, changes=changes, actor_id=caller().id)
            return tagged(shown(session, cycle))
        check_if_match(shown(session, cycle))
        return _moved(session, cycle, revised_dates(cycle, changes), None)


@blp.post("/cycles/<uuid:cycle_id>/phase")
@access("officer")
@may_raise(NotAllowed, ImpossibleTransition)
@idempotent
@blp.arguments(PhaseRequest)
@blp.response(200, CycleView)
@two_officers(blp)
def start_or_move_a_phase(body: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """Start a draft (its department), or begin or move a phase of a running cycle (two officers).

    `kind` alone lets that phase begin now; the one before it ends. What is wrong is named by its
    pointer into the cycle.
    """
    kind = body.get("kind")
    dates: Dates = {name: instant(body[name]) for name in ("opens_at", "closes_at") if name in body}
    with transaction() as session:
        cycle = cycle_of(session, cycle_id)
        if cycle.state == "running" and kind is not None:
            moved = phase_dates(session, cycle, kind, dates)
            return _moved(session, cycle, moved, body.get("text"))
        cycle = own_cycle(session, cycle_id, caller())
        start_cycle(session, cycle=cycle, kind=kind, dates=dates, actor_id=caller().id)
        return tagged(shown(session, cycle))


def _moved(session: Session, cycle: Cycle, dates: dict[str, str], why: Text | None) -> Response:
    """The cycle once its dates are moved, or what waits for a second officer."""
    if not dates:
        return tagged(shown(session, cycle))
    waits = move_dates(session, cycle_id=cycle.id, by=caller(), dates=dates, why=why)
    return done_or_asked(session, waits, lambda: shown(session, cycle))
