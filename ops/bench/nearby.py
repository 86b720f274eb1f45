"""Polls near me, over HTTP, among a thousand and among a hundred thousand open polls."""

from __future__ import annotations

import http.client
import json
import random
import statistics
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import psycopg

from mvote.base import utc_now
from ops.bench.polls import content
from ops.bench.stage import Installation
from ops.machine import SetupError

QUESTIONS = 400
WARM_UP = 60
RADIUS_M = 2000
SEOUL = ((37.46, 37.66), (126.82, 127.14))
SQL = Path(__file__).parent / "nearby.sql"


def fill(installation: Installation, polls: int) -> None:
    """Open so many polls more, all over Seoul, past the guards and in one go."""
    with psycopg.connect(installation.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        with psycopg.ClientCursor(connection) as cursor:
            given = {"polls": polls, "content": json.dumps(content())}
            cursor.execute(SQL.read_text("utf-8"), given)
        connection.execute("VACUUM ANALYZE")


def median_ms(port: int) -> float:
    """The median time of an answer, asked for one after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    places = _places()
    for _ in range(WARM_UP):
        _ask(connection, next(places))
    return statistics.median(_ask(connection, next(places)) for _ in range(QUESTIONS))


def _places() -> Iterator[tuple[float, float]]:
    """The same places in every run."""
    chance = random.Random(1392)  # noqa: S311 - no secret
    while True:
        yield chance.uniform(*SEOUL[0]), chance.uniform(*SEOUL[1])


def _ask(connection: http.client.HTTPConnection, place: tuple[float, float]) -> float:
    """How long one answer takes, in milliseconds."""
    position: dict[str, object] = {"lat": place[0], "lon": place[1], "accuracy_m": 20}
    position["captured_at"] = utc_now().isoformat()
    body = json.dumps({"position": position, "radius_m": RADIUS_M})
    began = time.perf_counter()
    connection.request("POST", "/v1/polls/nearby", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    took = time.perf_counter() - began
    if response.status != HTTPStatus.OK:
        raise SetupError(f"polls nearby: {response.status} {answer[:300]!r}")
    return took * 1000
