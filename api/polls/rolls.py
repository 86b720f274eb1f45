"""Importing who is asked by name, from the files that organisers have; never listed again."""

from __future__ import annotations

import uuid
from typing import Any, BinaryIO

from flask import Response, current_app, request

from api.access import access, caller
from api.approvals import done_or_asked, two_officers
from api.blueprint import Blueprint, may_raise
from api.bodies import BINARY, OCTETS, body_as_file, takes
from api.db import db, transaction
from api.etags import tagged
from api.idempotency import answered_once, takes_a_key
from api.pausing import pause_of_this_process
from api.polls.roll_schemas import RollQuery, RollReport, RollSummary
from api.wiring import wiring
from mvote.errors import ImpossibleTransition, NotAllowed, Overloaded
from mvote.languages import side_by_side
from mvote.people.citizens import Citizen
from mvote.polls.rolls.errors import REJECTED, RollTooLarge, RollUnreadable
from mvote.polls.rolls.importing import (
    LARGEST_FILE,
    Desk,
    RollFile,
    check_may_import,
    count_reading,
    entries_of,
    keep_roll,
    read_roll,
    roll_of,
)
from mvote.polls.rolls.reading import Choice, Kind

blp = Blueprint("rolls", "rolls", description="Rolls: those whom a poll asks by name.")
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS: dict[str, Kind] = {CSV: "csv", XLSX: "xlsx"}
ZIP = b"PK\x03\x04"
"""So begins every XLSX file, and no list of numbers."""
BODY = {
    CSV: {"schema": BINARY | {"description": "UTF-8, UTF-16 or CP949 (EUC-KR)."}},
    XLSX: {"schema": BINARY},
    OCTETS: {"schema": BINARY | {"description": "Either; its first bytes tell which."}},
}


def desk() -> Desk:
    """What importing a roll needs, as this process is set up."""
    return Desk(
        phones=current_app.extensions["phones"],
        keys=wiring().roll_keys,
        keystore=wiring().keystore,
        region=wiring().settings.phone_region,
        breathe=pause_of_this_process(),
    )


@blp.post("/polls/<uuid:poll_id>/roll")
@access("citizen")
@may_raise(NotAllowed, ImpossibleTransition, RollUnreadable, RollTooLarge, Overloaded)
@takes_a_key
@takes(LARGEST_FILE, *KINDS, OCTETS)
@blp.doc(requestBody={"required": True, "content": BODY})
@blp.arguments(RollQuery, location="query")
@blp.response(201, RollReport)
@blp.alt_response(200, schema=RollReport, description="A dry run: nothing was kept.", success=True)
@two_officers(blp)
def import_a_roll(query: dict[str, Any], poll_id: uuid.UUID) -> Response:
    """Give a draft its roll: CSV or XLSX with a column of phone numbers, 64 MiB at most.

    Try it with `dry_run` first: rows that cannot be read are left out, each with its reason. Kept
    of a number is a keyed hash. A government's roll is replaced by two officers, both of whom
    send the same file; once the poll is opened nobody replaces it. Thirty files are read an hour.
    """
    by = caller()
    most = check_may_import(db.session(), poll_id=poll_id, by=by)
    db.session().close()  # the connection goes back: sending and reading take their time
    with transaction() as session:
        count_reading(session, by=by)
    choice = Choice(sheet=query["sheet"], column=query["column"])
    with body_as_file() as file:
        kind, invites = _kind_of(file), query["invite"]
        found = read_roll(file, kind, desk=desk(), choice=choice, invites=invites, most=most)
    if query["dry_run"]:
        return tagged(_shown(found, dry_run=True))
    check_may_import(db.session(), poll_id=poll_id, by=by)  # still, before it gets a key
    db.session().close()
    entries = entries_of(poll_id, found, desk())
    return answered_once(found.sha256, lambda: _kept(poll_id, by, found, entries))


def _kind_of(file: BinaryIO) -> Kind:
    """What the caller says that it is, or else what it begins like."""
    begins = file.read(len(ZIP))
    file.seek(0)
    return KINDS.get(request.mimetype) or ("xlsx" if begins == ZIP else "csv")


def _kept(poll_id: uuid.UUID, by: Citizen, found: RollFile, entries: dict[bytes, str]) -> Response:
    with transaction() as session:
        waits = keep_roll(
            session,
            poll_id=poll_id,
            by=by,
            found=found,
            entries=entries,
            desk=desk(),
        )
        return done_or_asked(session, waits, lambda: _shown(found, dry_run=False), status=201)


def _shown(found: RollFile, *, dry_run: bool) -> dict[str, Any]:
    report = found.report
    reasons = [
        {"reason": reason, "title": side_by_side(REJECTED[reason]), "rows": rows}
        for reason, rows in report.reasons.most_common()
    ]
    rejected = [
        each._asdict() | {"title": side_by_side(REJECTED[each.reason])} for each in report.rejected
    ]
    dumped: dict[str, Any] = RollReport().dump(
        {
            **vars(report),
            "dry_run": dry_run,
            "file_sha256": found.sha256.hex(),
            "rejected_total": report.rejected_total,
            "rejected": rejected,
            "reasons": reasons,
        }
    )
    return dumped


@blp.get("/polls/<uuid:poll_id>/roll/summary")
@access("citizen")
@may_raise(NotAllowed)
@blp.response(200, RollSummary)
def show_roll_summary(poll_id: uuid.UUID) -> dict[str, Any]:
    """How many are on the roll, and when it was imported; for the poll's own people."""
    roll = roll_of(db.session(), poll_id=poll_id, by=caller())
    return vars(roll) | {"file_sha256": roll.file_sha256.hex()}
