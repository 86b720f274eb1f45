"""Left for me: 300 reviewers and 700 proposals, where everybody is to read everything."""

from __future__ import annotations

import http.client
import json
import statistics
import time
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

import psycopg
from flask import Flask

from geo.neighbourhood import CityNeighbourhood
from mvote.base import utc_now
from mvote.budget.cycle import Cycle
from mvote.budget.reviewing.giving_out import give_out
from ops.bench.processor import spent
from ops.bench.serving import serving
from ops.bench.stage import Installation
from ops.bench.voters import register_voters
from ops.machine import SetupError
from tests.support.budgets import around_now, definition_of
from tests.support.proposals import PROPOSAL

REVIEWERS, PROPOSALS, NEEDED = 300, 700, 3
WARM_UP = 50
PAGE = 20
SQL = Path(__file__).with_suffix(".sql")
EVERYBODY_READS_EVERYTHING = """
INSERT INTO review_assignment (review_id, seat_id, at)
    SELECT review.id, seat.id, now() FROM review CROSS JOIN seat
    ON CONFLICT DO NOTHING;
INSERT INTO opinion (review_id, seat_id, round, scores, at)
    SELECT review_id, seat_id, 1, '[]', now() FROM review_assignment
    WHERE mod(hashtext(review_id::text || seat_id::text), 2) = 0
"""


def measure_reviews(here: Installation, app: Flask) -> dict[str, float]:
    """How long a member waits for the first page of some 350 that are left for them, over HTTP;
    and how long it takes to draw by lot who reads what."""
    members = register_voters(here, app, REVIEWERS)
    cycle_id = _fill(here, members)
    given_out_s = _give_out(here, cycle_id)
    _crowd(here)
    now = utc_now()
    tokens = [app.extensions["tokens"].issue(member, now=now) for member in members]
    with serving(here) as server:
        _times_ms(server.port, tokens[:WARM_UP])
        before = spent(server.child.process.pid)
        times = _times_ms(server.port, tokens)
        each = spent(server.child.process.pid).since(before).each(len(tokens))
    return {
        "reviews_left_p50_ms": statistics.median(times),
        "reviews_left_p99_ms": statistics.quantiles(times, n=100)[98],
        "reviews_left_cpu_ms": (each.web + each.database) / 1000,
        "reviews_given_out_s": given_out_s,
    }


def _fill(here: Installation, members: Sequence[uuid.UUID]) -> uuid.UUID:
    cycle_id, definition = uuid.uuid4(), around_now(definition_of(2015), "reviewing")
    definition["review"] = definition["review"] | {"opinions_min": NEEDED}
    with psycopg.connect(here.admin_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO cycle (id, author_id, state, version, definition, time_zone, created_at)"
            " VALUES (%s, %s, 'draft', 1, %s, 'Asia/Seoul', now())",
            [cycle_id, uuid.uuid4(), json.dumps(definition)],
        )
        connection.execute("UPDATE cycle SET state = 'running'")
        connection.execute("SET session_replication_role = replica")
        with psycopg.ClientCursor(connection) as cursor:
            content = {name: {"ko": PROPOSAL[name]} for name in ("title", "problem", "description")}
            given = {
                "cycle_id": cycle_id, "citizens": list(members), "proposals": PROPOSALS,
                "content": json.dumps(content),
            }  # fmt: skip
            cursor.execute(SQL.read_text("utf-8"), given)
        connection.execute("VACUUM ANALYZE")
    return cycle_id


def _give_out(here: Installation, cycle_id: uuid.UUID) -> float:
    with here.acting_as("api") as session:
        cycle = session.get_one(Cycle, cycle_id)
        began = time.perf_counter()
        made = give_out(session, cycle=cycle, around=CityNeighbourhood(), by=None)
        took = time.perf_counter() - began
    if made.assignments != PROPOSALS * NEEDED:
        raise SetupError(f"{made.assignments} assignments")
    return took


def _crowd(here: Installation) -> None:
    """Everybody is to read everything, and has done half of it."""
    with psycopg.connect(here.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(EVERYBODY_READS_EVERYTHING.encode())
        connection.execute("VACUUM ANALYZE")


def _times_ms(port: int, tokens: Sequence[str]) -> list[float]:
    """How long each member's answer takes, one after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    return [_ask(connection, token) for token in tokens]


def _ask(connection: http.client.HTTPConnection, token: str) -> float:
    headers = {"Authorization": f"Bearer {token}"}
    began = time.perf_counter()
    connection.request("GET", "/v1/me/reviews", headers=headers)
    response = connection.getresponse()
    answer = response.read()
    took = time.perf_counter() - began
    if response.status != HTTPStatus.OK or len(json.loads(answer)["items"]) != PAGE:
        raise SetupError(f"left for me: {response.status} {answer[:300]!r}")
    return took * 1000
