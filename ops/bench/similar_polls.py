"""Open polls that ask nearly the same as a draft would, over HTTP, among twenty thousand."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import random
import statistics
import time
from http import HTTPStatus
from itertools import product

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from api.db import new_engine, transaction
from mvote.base import new_id, utc_now
from mvote.budget.bigrams import bigrams
from mvote.people.registering import register
from mvote.polls.poll import Poll
from ops.bench.similar import HOW, QUESTIONS, WARM_UP, WHAT, WHERE
from ops.bench.stage import Installation, quiet_app
from ops.machine import SetupError

POLLS = 20_000
TITLES = [f"{where} {what} {how}, 할까요?" for where, what, how in product(WHERE, WHAT, HOW)]
QUESTION = {
    "text": {"ko": "어떻게 생각하세요?"},
    "kind": "single",
    "options": [{"key": key, "title": {"ko": key}} for key in ("yes", "no")],
    "min_selections": 1,
    "max_selections": 1,
}


def fill(installation: Installation) -> str:
    """Open so many polls, past the guards and in one go; the token of somebody who may ask."""
    chance, now = random.Random(2026), utc_now()  # noqa: S311 - no secret
    polls = [
        {
            "id": new_id(),
            "author_id": new_id(),
            "origin": "citizen",
            "state": "open",
            "content": {"title": {"ko": title}, "question": QUESTION},
            "title_bigrams": bigrams(title),
            "opens_at": now,
            "frozen_at": now,
            "closes_at": now + dt.timedelta(days=1),
        }
        for title in chance.choices(TITLES, k=POLLS)
    ]
    engine = new_engine(installation.admin_url.replace("postgresql:", "postgresql+psycopg:", 1))
    with Session(engine) as session, transaction(session):
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(insert(Poll), polls)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
    app = quiet_app(installation)
    with app.app_context(), installation.acting_as("api") as session:
        citizen = register(session, number="+821012345678", phones=app.extensions["phones"])
    return str(app.extensions["tokens"].issue(citizen, now=utc_now()))


def median_ms(port: int, token: str) -> float:
    """The median time of an answer, asked for one after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    asked = random.Random(1392).choices(TITLES, k=WARM_UP + QUESTIONS)  # noqa: S311 - no secret
    return statistics.median([_ask(connection, token, each) for each in asked][WARM_UP:])


def _ask(connection: http.client.HTTPConnection, token: str, title: str) -> float:
    """How long one answer takes, in milliseconds."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"title": title, "question": "어떻게 생각하세요?"})
    began = time.perf_counter()
    connection.request("POST", "/v1/polls/similar", body, headers)
    response = connection.getresponse()
    answer = response.read()
    took = time.perf_counter() - began
    if response.status != HTTPStatus.OK or b"score" not in answer:
        raise SetupError(f"similar polls: {response.status} {answer[:300]!r}")
    return took * 1000
