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
from mvote.people.registering import register
from mvote.polls.marks import marks_of
from mvote.polls.poll import Poll
from ops.bench.similar import HOW, QUESTIONS, WARM_UP, WHAT, WHERE
from ops.bench.stage import Installation, quiet_app
from ops.machine import SetupError

POLLS = 20_000
WHERE_IN_ENGLISH = [f"{each}-dong" for each in (
    "Hyoja", "Sajik", "Samcheong", "Buam", "Pyeongchang", "Muak", "Gyonam", "Gahoe", "Ihwa",
    "Hyehwa", "Changsin", "Sungin", "Cheongun", "Pirun", "Nuha", "Tongin", "Ogin", "Chebu",
    "Jeokseon", "Naeja",
)] + [
    "Mangwon market", "Hongje stream", "Bulgwang stream", "Anyang stream", "Jungnang stream",
    "Namsan", "Bukhansan trail", "World Cup park", "Boramae park", "Seoul forest",
    "Seongsan bridge", "Ichon station", "Guro station", "Sillim station", "Noryangjin",
    "Gasan-dong", "Bongcheon-dong", "Sanggye-dong", "Ssangmun-dong",
]  # fmt: skip
WHAT_IN_ENGLISH = (
    "shade at bus stops", "playgrounds of nurseries", "lights in alleys",
    "signals in the ground of crossings", "small libraries", "heating in halls for the elderly",
    "alarm bells in public toilets", "bicycle racks", "benches to rest",
    "chargers for electric cars", "village gardens", "study rooms for the young",
    "railings along streams", "ways to school", "gardens on roofs", "shelters from heat",
    "bins for recycling", "closed circuit cameras", "streets of murals",
    "ramps for wheelchairs", "outdoor exercise machines", "dog playgrounds", "rain barrels",
    "roofs of traditional markets", "workshops for young founders", "jobs for the elderly",
    "lights in underpasses", "village bus lines",
)  # fmt: skip
HOW_IN_ENGLISH = (
    "Build", "Tidy up", "Repair", "Have more", "Lay out", "Replace", "Improve",
    "Improve surroundings of", "Build additional", "Newly open", "Remodel", "Support",
)  # fmt: skip
TITLES = [
    {"ko": f"{where} {what} {how}, 할까요?", "en": f"{to} {it} at {at}?"}
    for (where, what, how), (at, it, to) in zip(
        product(WHERE, WHAT, HOW),
        product(WHERE_IN_ENGLISH, WHAT_IN_ENGLISH, HOW_IN_ENGLISH),
        strict=True,
    )
]
QUESTION = {
    "text": {"ko": "어떻게 생각하세요?", "en": "What do you think?"},
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
            "content": {"title": title, "question": QUESTION},
            "title_bigrams": marks_of(title).pairs,
            "title_words": marks_of(title).words,
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


def _ask(connection: http.client.HTTPConnection, token: str, title: dict[str, str]) -> float:
    """How long one answer takes, in milliseconds."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"title": title, "question": QUESTION["text"]})
    began = time.perf_counter()
    connection.request("POST", "/v1/polls/similar", body, headers)
    response = connection.getresponse()
    answer = response.read()
    took = time.perf_counter() - began
    if response.status != HTTPStatus.OK or b"score" not in answer:
        raise SetupError(f"similar polls: {response.status} {answer[:300]!r}")
    return took * 1000
