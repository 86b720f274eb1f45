"""The report of a cycle: from the ideas to what was built; as JSON, as CSV, and on a map."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from flask import Response
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.access import access
from api.blueprint import Blueprint, may_raise
from api.budget.proposal_lists import CSV_TEXT, as_geometry
from api.budget.proposals import PLACES, known_cycle
from api.budget.report_schemas import ReportSchema
from api.db import db, reading
from api.etags import tagged
from api.negotiation import wanted_type
from api.places.negotiating import GEOJSON, JSON
from api.places.sites import FEATURES
from api.problems import NotAcceptable
from api.spreadsheets import CSV, MARK, lines_of_sheet
from geo.areas import list_areas
from mvote.base import database_time
from mvote.budget.cycle import Cycle
from mvote.budget.delivering.imported_report import reported_from_file
from mvote.budget.delivering.report import Reported, Votes, released_votes, reported
from mvote.budget.delivering.stages import STAGES
from mvote.budget.delivering.sums import Sum, Summary
from mvote.budget.pabulib.head import MOST_PROJECTS

blp = Blueprint("reports", "reports", description="What became of a cycle's proposals.")
MOST_DISTRICTS = 1_000
AT_ONCE = 500
"""Rows are read and written in such portions: nobody else waits while a long report is made."""
COLUMNS = (
    "reference", "state", "title_ko", "title_en", "heading", "kind", "area_codes", "amount",
    "assessed_amount", "funded_amount", "enacted_amount", "votes", "department_id", "percent",
    "spent", *STAGES, "id",
)  # fmt: skip


@blp.get("/cycles/<uuid:cycle_id>/report")
@access("public")
@may_raise(NotAcceptable)
@blp.response(200, ReportSchema)
@blp.alt_response(200, schema=FEATURES, content_type=GEOJSON, success=True)
@blp.alt_response(200, **CSV_TEXT, success=True)
@blp.alt_response(304, description="Not modified")
def show_report(cycle_id: uuid.UUID) -> Response:
    """How many proposals came how far, by heading and district; as CSV and GeoJSON each of them.

    Votes stand in it once a contest is allocated, and never before. Of an imported cycle it knows
    the projects, their votes, and who was funded; money is in the currency's smallest unit there.
    """
    wanted = wanted_type(JSON, GEOJSON, CSV)
    session = db.session()
    cycle = known_cycle(session, cycle_id)
    votes = released_votes(session, cycle)
    session.close()  # the connection goes back: a long report takes its time
    if wanted == JSON:
        return tagged(_summary(cycle))
    report = WholeReport(cycle, votes, db.engine)
    pieces = report.as_csv() if wanted == CSV else report.as_map()
    content_type = f"{CSV}; charset=utf-8" if wanted == CSV else GEOJSON
    return Response(pieces, content_type=content_type, headers={"Vary": "Accept"})


class WholeReport:
    """All proposals of a cycle, read and given out in portions: no connection is held between two,
    and nobody else waits until a long report is made."""

    def __init__(self, cycle: Cycle, votes: Votes, engine: Engine) -> None:
        self.cycle, self.votes, self.engine = cycle, votes, engine

    def portions(self) -> Iterator[Sequence[Reported]]:
        after = 0
        while True:
            with reading(self.engine) as session:
                found = self._portion(session, after)
            if found:
                yield found
            if len(found) < AT_ONCE:
                return
            after = found[-1].number

    def _portion(self, session: Session, after: int) -> Sequence[Reported]:
        if self.cycle.state == "imported":
            return reported_from_file(session, self.cycle, after=after, limit=MOST_PROJECTS)
        now = database_time(session)
        return reported(session, self.cycle, now=now, after=after, limit=AT_ONCE)

    def as_csv(self) -> Iterator[bytes]:
        yield MARK + lines_of_sheet([COLUMNS])
        for portion in self.portions():
            cells = (_plain(row, self.votes) for row in portion)
            yield lines_of_sheet([[each[name] for name in COLUMNS] for each in cells])

    def as_map(self) -> Iterator[bytes]:
        """RFC 7946, in pieces; a feature without geometry for what has no place."""
        yield b'{"type":"FeatureCollection","features":['
        between = b""
        for portion in self.portions():
            places = [(row.id, row.revision) for row in portion if row.id]
            with reading(self.engine) as session:
                shapes = PLACES.shapes(session, revisions=places)
            for row in portion:
                where = shapes.get(row.id, []) if row.id else []
                yield between + orjson.dumps(_feature(row, where, self.votes))
                between = b","
        yield b'],"next_cursor":null}'


def _summary(cycle: Cycle) -> dict[str, Any]:
    with reading() as session:
        districts = list_areas(session, kind="gu", limit=MOST_DISTRICTS)
    summary = Summary(cycle, [each.area_code for each in districts])
    for portion in WholeReport(cycle, {}, db.engine).portions():
        for row in portion:
            summary.add(row)
    named = ("title", "budget_year", "currency", "budget_limit")
    headings = {each["key"]: each for each in cycle.definition.get("headings") or ()}
    report = {name: getattr(cycle, name) for name in named} | {
        "cycle_id": cycle.id,
        "total": _shown(summary.total),
        "by_state": summary.states,
        "by_heading": [
            _shown(found) | {"heading": key, **_named(headings[key])}
            for key, found in summary.headings.items()
        ],
        "by_district": [
            _shown(summary.areas[each.area_code]) | {"area_code": each.area_code, "name": each.name}
            for each in districts
        ],
    }
    dumped: dict[str, Any] = ReportSchema().dump(report)
    return dumped


def _named(heading: dict[str, Any]) -> dict[str, Any]:
    return {name: heading.get(name) for name in ("title", "parent")}


def _shown(found: Sum) -> dict[str, Any]:
    stages = {
        stage: {"projects": found.projects[stage], "amount": found.amounts[stage]}
        for stage in STAGES
    }
    return {"stages": stages, "spent": found.spent}


def _plain(row: Reported, votes: Votes) -> dict[str, Any]:
    """A row of the sheet; `votes` by source, `citizens 12; committee 3`."""
    counted = votes.get(row.reference, {})
    return {
        **_facts(row),
        "title_ko": row.title.get("ko", ""),
        "title_en": row.title.get("en", ""),
        "area_codes": " ".join(row.area_codes),
        "votes": "; ".join(f"{key} {number}" for key, number in counted.items()),
        **{stage: "yes" if stage in row.stages else "no" for stage in STAGES},
    }


def _facts(row: Reported) -> dict[str, Any]:
    named = ("reference", "state", "heading", "kind", "amount", "assessed_amount", "funded_amount",
             "enacted_amount", "percent", "spent")  # fmt: skip
    return {name: getattr(row, name) for name in named} | {
        "id": str(row.id) if row.id else None,
        "department_id": str(row.department_id) if row.department_id else None,
    }


def _feature(row: Reported, shapes: list[Any], votes: Votes) -> dict[str, Any]:
    more = {"title": row.title, "area_codes": row.area_codes, "stages": row.stages,
            "votes": votes.get(row.reference)}  # fmt: skip
    return {
        "type": "Feature",
        "id": str(row.id) if row.id else row.reference,
        "properties": _facts(row) | more,
        "geometry": as_geometry(shapes),
    }
