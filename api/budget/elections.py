"""Elections as .pb files: imported by an administrator, allocated, given out again to anyone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO

from flask import Response, request

from api.access import access, caller_id
from api.blueprint import Blueprint, may_raise
from api.bodies import BINARY, body_as_file, spooled, takes
from api.budget.allocation_schemas import ContestQuery
from api.budget.cycles import shown
from api.budget.deciding.choosing import chosen_contest
from api.budget.schemas import CycleView
from api.db import db, reading, transaction
from api.etags import tagged
from api.idempotency import answered_once, takes_a_key
from api.problems import UnsupportedMediaType
from api.wiring import wiring
from mvote.budget.allocating.errors import AllocationImpossible, TooMuchWork
from mvote.budget.allocations import allocation_of
from mvote.budget.deciding.errors import OnlyTotalsKept
from mvote.budget.deciding.exporting import own_file
from mvote.budget.exporting import imported_file
from mvote.budget.importing import ReadElection, keep_election, read_election
from mvote.budget.pabulib.errors import BrokenPbFile
from mvote.budget.pabulib.rows import MOST_BYTES
from mvote.budget.planning import cycle_of
from mvote.polls.errors import ResultsNotAvailable

blp = Blueprint("elections", "elections", description="Elections as .pb files.")
PB = "text/plain"
PB_BODY = f"{PB}; charset=utf-8"
PB_TEXT = {"type": "string", "description": "A .pb file (pabulib.org/format), UTF-8."}


@blp.post("/cycles/import")
@access("administrator")
@may_raise(BrokenPbFile, AllocationImpossible, TooMuchWork)
@takes_a_key
@takes(MOST_BYTES, PB)
@blp.doc(requestBody={"required": True, "content": {PB_BODY: {"schema": PB_TEXT | BINARY}}})
@blp.response(201, CycleView)
def import_an_election() -> Response:
    """Import a .pb file of 64 MiB at most, ballots included, and allocate it by its own rule.

    A broken row is named, and nothing is imported then.
    """
    importer = caller_id()
    db.session().close()  # the connection goes back: sending and reading take their time
    with _body() as file, spooled() as packed:
        found = read_election(file, packed=packed, most_steps=wiring().settings.allocation_steps)
        return answered_once(found.sha256, lambda: _kept(found, importer))


def _kept(found: ReadElection, importer: uuid.UUID) -> Response:
    zone = wiring().settings.city_time_zone
    with transaction() as session:
        cycle = keep_election(session, found=found, author_id=importer, time_zone=zone)
        return tagged(shown(session, cycle), status=201)


@contextmanager
def _body() -> Iterator[BinaryIO]:
    """The body of the request as a file. Raises UnsupportedMediaType if it is not in UTF-8."""
    if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType
    with body_as_file() as file:
        yield file


@blp.get("/cycles/<uuid:cycle_id>/export.pb")
@access("public")
@may_raise(ResultsNotAvailable, OnlyTotalsKept)
@blp.arguments(ContestQuery, location="query")
@blp.response(200, PB_TEXT, content_type=PB)
def export_an_election(query: dict[str, Any], cycle_id: uuid.UUID) -> Response:
    """A contest with all its ballots as a .pb file. Voters are numbered, nothing tells of them.

    Only where every single ballot is public: in imported elections, and where `records` are full.
    """
    session = db.session()
    cycle = cycle_of(session, cycle_id)
    contest = chosen_contest(cycle, query["contest"])
    allocation = allocation_of(session, cycle=cycle, contest=contest)
    if cycle.state == "imported":
        lines = imported_file(session, cycle).lines(partial(reading, db.engine))
    else:
        lines = own_file(session, cycle=cycle, allocation=allocation)
    response = Response(lines, content_type=f"{PB}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{cycle.id}.pb"'
    return response
