"""Rolls: importing 200,000 rows of a spreadsheet, and asking against a roll of a million."""

from __future__ import annotations

import datetime as dt
import io
import resource
import statistics
import time
import zipfile
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask

from mvote.ballotbox.stock import fill_stock
from mvote.base import utc_now
from mvote.people.granting import Post, add_department, grant
from mvote.people.registering import register_many
from ops.bench.polls import content
from ops.bench.stage import Installation
from ops.machine import SetupError

ROWS, MILLION = 200_000, 1_000_000
ASKERS, WARM_UP = 300, 50
FIRST = 10_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARTS = {
    "xl/workbook.xml": '<workbook><sheets><sheet name="1" id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<R><Relationship Id="r1" Target="worksheets/1.xml"/></R>',
}


def measure_rolls(here: Installation, app: Flask) -> dict[str, float]:
    """How long an import takes in the web process, and what memory it adds; how long a voter waits
    for the answer whether they may vote, of whom every second is on the roll."""
    with here.acting_as("counter") as session:
        fill_stock(session, here.keystore("counter"), wanted=2)
    officer = _officer(here, app)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took, _ = _imported(app, officer, _workbook(ROWS), XLSX)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    million, poll = _imported(app, officer, _csv(MILLION), "text/csv")
    _post(app, officer, f"/v1/polls/{poll}/open", HTTPStatus.OK)
    numbers = [f"+8210{FIRST + n * MILLION * 2 // ASKERS}" for n in range(ASKERS)]
    with here.acting_as("api") as session:
        askers = register_many(session, numbers=numbers, phones=app.extensions["phones"])
    times = [_ask(app, _headers(app, each), poll) for each in askers]
    return {
        "roll_import_200000_s": took,
        "roll_import_mib": grown / 1024,
        "roll_import_1000000_csv_s": million,
        "roll_eligibility_p50_ms": statistics.median(times[WARM_UP:]),
    }


def _officer(here: Installation, app: Flask) -> dict[str, str]:
    with here.acting_as("api") as session:
        phones = app.extensions["phones"]
        [citizen_id] = register_many(session, numbers=["+821099999999"], phones=phones)
        department = add_department(session, name={"ko": "명부과", "en": "Rolls"}, by=None)
        grant(session, citizen_id=citizen_id, post=Post("officer", department.id))
    return _headers(app, citizen_id)


def _headers(app: Flask, citizen_id: Any) -> dict[str, str]:
    token = app.extensions["tokens"].issue(citizen_id, now=utc_now())
    return {"Authorization": f"Bearer {token}"}


def _imported(app: Flask, by: dict[str, str], file: bytes, kind: str) -> tuple[float, str]:
    closes_at = (utc_now() + dt.timedelta(days=1)).isoformat()
    body = content(eligibility={"roll": True}, closes_at=closes_at)
    poll = _post(app, by, "/v1/polls", HTTPStatus.CREATED, json=body)["id"]
    began = time.perf_counter()
    path = f"/v1/polls/{poll}/roll"
    _post(app, by, path, HTTPStatus.CREATED, data=file, content_type=kind)
    return time.perf_counter() - began, poll


def _ask(app: Flask, by: dict[str, str], poll: str) -> float:
    began = time.perf_counter()
    _post(app, by, f"/v1/polls/{poll}/eligibility", HTTPStatus.OK, json={})
    return (time.perf_counter() - began) * 1000


def _post(app: Flask, by: dict[str, str], path: str, status: HTTPStatus, **sent: Any) -> Any:
    answer = app.test_client().post(path, headers=by, **sent)
    if answer.status_code != status:
        raise SetupError(f"{path}: {answer.get_data(as_text=True)}")
    return answer.get_json()


def _csv(rows: int) -> bytes:
    return "\r\n".join(["phone", *_numbers(rows)]).encode()


def _numbers(rows: int) -> Iterator[str]:
    return (f"010-{(FIRST + n) // 10_000}-{n % 10_000:04d}" for n in range(rows))


def _workbook(rows: int) -> bytes:
    """A sheet of names, numbers and addresses."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        for name, part in PARTS.items():
            book.writestr(name, part)
        with book.open("xl/worksheets/1.xml", "w") as sheet:
            sheet.write(b"<worksheet><sheetData>")
            for n, row in enumerate([("name", "phone", "address"), *_people(rows)], 1):
                cells = "".join(f'<c t="inlineStr"><is><t>{each}</t></is></c>' for each in row)
                sheet.write(f'<row r="{n}">{cells}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
    return file.getvalue()


def _people(rows: int) -> Iterator[tuple[str, str, str]]:
    return ((f"홍길동{n}", each, f"종로구 {n}") for n, each in enumerate(_numbers(rows)))
