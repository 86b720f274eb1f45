"""Finding proposals: lists (JSON, GeoJSON, CSV), and those that are similar to one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.budget.proposal_schemas import (
    ProposalSchema,
    ProposalsQuery,
    SimilarSchema,
)
from api.budget.proposals import PLACES, known_cycle
from api.budget.showing import text_for, views_of
from api.db import db
from api.negotiation import wanted_type
from api.pages import cut_page, page_of, place_of
from api.places.negotiating import GEOJSON, JSON
from api.places.sites import FEATURES
from api.problems import NotAcceptable
from api.spreadsheets import CSV, sheet_of
from mvote.base import database_time, instant
from mvote.budget.looking_up import proposal_known_to
from mvote.budget.proposal_lists import Listed, Wanted, list_proposals, listed
from mvote.budget.similar import similar_to

blp = Blueprint("finding_proposals", "finding_proposals", description="Finding proposals.")
MOST_ROWS = 1_000
"""So many are read at once for the sheet, which has them all."""
COLUMNS = (
    "reference", "state", "title_ko", "title_en", "heading", "kind", "amount",
    "running_cost_per_year", "supports", "area_codes", "submitted_at", "id",
)  # fmt: skip
CSV_TEXT = {"schema": {"type": "string"}, "content_type": CSV}


@blp.get("/cycles/<uuid:cycle_id>/proposals")
@access("public")
@may_raise(NotAcceptable)
@blp.arguments(ProposalsQuery, location="query")
@blp.response(200, page_of(ProposalSchema, "ProposalPage"))
@blp.alt_response(200, schema=FEATURES, content_type=GEOJSON, success=True)
@blp.alt_response(200, **CSV_TEXT, success=True)
def list_of_proposals(query: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """What was submitted in the cycle, newest first; also as GeoJSON, and all of it as CSV."""
    wanted = wanted_type(JSON, GEOJSON, CSV)
    session = db.session()
    known_cycle(session, cycle_id)
    before = place_of(query["cursor"])
    if wanted == CSV:
        sheet = sheet_of(_rows(session, cycle_id, query, before))
        return _answer(sheet, f"{CSV}; charset=utf-8")
    limit = query["limit"]
    found = _found(session, cycle_id, query, before, limit + 1)
    page, more = cut_page(found, limit, lambda row: (row[0].id,))
    body = _as_map(session, page) if wanted == GEOJSON else {"items": _dumped(session, page)}
    return _answer(orjson.dumps(body | {"next_cursor": more}), wanted)


def _found(
    session: Session,
    cycle_id: uuid.UUID,
    query: dict[str, Any],
    before: uuid.UUID | None,
    limit: int,
) -> list[Listed]:
    wanted = Wanted(
        state=query["state"],
        heading=query["heading"],
        kind=query["kind"],
        area_code=query["area"],
        department_id=query["department"],
        words=query["q"],
        overdue=query["overdue"],
        before=before,
        limit=limit,
    )
    now = database_time(session)
    return list(list_proposals(session, cycle_id=cycle_id, wanted=wanted, now=now))


def _answer(body: bytes, media_type: str) -> Response:
    return Response(body, content_type=media_type, headers={"Vary": "Accept"})


def _dumped(session: Session, page: Sequence[Listed]) -> list[dict[str, Any]]:
    views = views_of(session, page, database_time(session))
    dumped: list[dict[str, Any]] = ProposalSchema(many=True).dump(views)
    return dumped


def _as_map(session: Session, page: Sequence[Listed]) -> dict[str, Any]:
    """RFC 7946: a feature for each proposal, without geometry where it has no place."""
    shapes = PLACES.shapes(session, revisions=[(each.id, text.n) for each, text in page])
    features = [
        {
            "type": "Feature",
            "id": view["id"],
            "properties": {name: view[name] for name in view if name != "places"},
            "geometry": as_geometry(shapes.get(proposal.id, [])),
        }
        for (proposal, _), view in zip(page, _dumped(session, page), strict=True)
    ]
    return {"type": "FeatureCollection", "features": features}


def as_geometry(shapes: list[Any]) -> Any:
    """One GeoJSON geometry of all *shapes*; null without any."""
    if len(shapes) < 2:
        return shapes[0] if shapes else None
    return {"type": "GeometryCollection", "geometries": shapes}


def _rows(
    session: Session, cycle_id: uuid.UUID, query: dict[str, Any], before: uuid.UUID | None
) -> Iterator[Sequence[Any]]:
    yield COLUMNS
    while found := _found(session, cycle_id, query, before, MOST_ROWS):
        for view in views_of(session, found, database_time(session)):
            yield [_plain(view)[name] for name in COLUMNS]
        before = found[-1][0].id
        session.expunge_all()  # however many there are, few are held at once


def _plain(view: dict[str, Any]) -> dict[str, Any]:
    return view | {
        "title_ko": view["title"].get("ko", ""),
        "title_en": view["title"].get("en", ""),
        "area_codes": " ".join(view["area_codes"]),
        "submitted_at": instant(view["submitted_at"]),
    }


@blp.get("/proposals/<uuid:proposal_id>/similar")
@access("anybody")
@blp.response(200, page_of(SimilarSchema, "SimilarProposals"))
def list_of_similar_proposals(proposal_id: uuid.UUID) -> dict[str, Any]:
    """Proposals of this and earlier cycles that read like it or would stand near it.

    Each with what became of it; the likest first. Authors may ask before they submit.
    """
    session, viewer = db.session(), caller_or_nobody()
    proposal = proposal_known_to(session, proposal_id, viewer.id if viewer else None)
    revision = text_for(session, proposal, viewer)
    found = similar_to(session, proposal=proposal, revision=revision, places=PLACES)
    texts = listed(session, [each.proposal_id for each in found])
    now = database_time(session)
    items = [
        {
            "id": other.id,
            "cycle_id": other.cycle_id,
            "reference": other.reference,
            "title": text.content["title"],
            "state": other.state_at(now),
            "amount": text.amount,
            "likeness": round(each.likeness, 3),
            "distance_m": None if each.distance_m is None else round(each.distance_m, 1),
        }
        for each in found
        for other, text in [texts[each.proposal_id]]
    ]
    return {"items": items, "next_cursor": None}
