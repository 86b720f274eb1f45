"""Enacted projects, what is said of them, and the keeper who tells it."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from typing import Any

import psycopg
from PIL import Image
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.base import utc_now
from mvote.budget.telling.telling import tell
from tests.support.proposals import Town
from tests.support.world import Person

FUNDED = 5_000_000
ENACTED = {"enacted": FUNDED, "reduced": 4_000_000, "dropped": 0}
"""What the council makes of it."""
PAST, SOON = "2026-03-02", "2099-03-02"
UPDATE: dict[str, Any] = {
    "text": "설계를 마쳤습니다.",
    "percent": 30,
    "spent": 1_500_000,
    "milestones": [
        {"title": "설계", "planned_on": "2026-02-01", "done_on": PAST},
        {"title": "착공", "planned_on": SOON},
    ],
}


def walk(town: Town, proposal: dict[str, Any], *states: str) -> None:
    """Let the proposal go through *states*, each step as the guard allows it."""
    with psycopg.connect(town.world.admin_url) as connection:
        for state in states:
            _let_it_rest_on_something(connection, proposal, state)
            connection.execute("SET ROLE mvote_owner")
            connection.execute(
                "UPDATE proposal SET state = %s, state_since = clock_timestamp(),"
                " version = version + 1 WHERE id = %s",
                [state, proposal["id"]],
            )
            connection.execute("RESET ROLE")


def _let_it_rest_on_something(
    connection: psycopg.Connection, proposal: dict[str, Any], state: str
) -> None:
    """Write what a decided state rests on, past its own guards."""
    connection.execute("SET session_replication_role = replica")
    if state in ("funded", "reserve", "not_funded"):
        connection.execute(
            "INSERT INTO project_decision (proposal_id, motion_id, rank, decision, amount,"
            " deviates) VALUES (%s, gen_random_uuid(), 1, %s, %s, false)",
            [proposal["id"], state, FUNDED if state == "funded" else 0],
        )
    elif state in ENACTED:
        connection.execute(
            "INSERT INTO enactment (proposal_id, state, amount, funded_amount, text, at)"
            ' VALUES (%s, %s, %s, %s, \'{"ko": "예산"}\', now())',
            [proposal["id"], state, ENACTED[state], FUNDED],
        )
    connection.execute("SET session_replication_role = origin")


def on_the_ballot(town: Town, author: Person, **content: Any) -> dict[str, Any]:
    """A proposal that was frozen for the ballot."""
    proposal = town.submitted(author, **content)
    town.put_in(proposal, "approved")
    walk(town, proposal, "on_ballot")
    return proposal


def enacted(town: Town, author: Person, officer: Person) -> dict[str, Any]:
    """A proposal of the officer's department whose budget is enacted."""
    proposal = town.submitted(author)
    assert town.assess(proposal, officer).status_code == 202
    town.put_in(proposal, "approved")
    walk(town, proposal, "on_ballot", "funded", "enacted")
    return proposal


def say(town: Town, proposal: dict[str, Any], officer: Person, **said: Any) -> TestResponse:
    """What an update is answered."""
    path = f"/v1/proposals/{proposal['id']}/updates"
    return town.world.client.post(path, json=UPDATE | said, headers=officer.headers)


def updates(town: Town, proposal: dict[str, Any]) -> list[dict[str, Any]]:
    """What everyone may read of it, newest first."""
    answer = town.world.client.get(f"/v1/proposals/{proposal['id']}/updates")
    assert answer.status_code == 200
    return list(answer.get_json()["items"])


def delivery(town: Town, **query: str) -> list[dict[str, Any]]:
    """The public list of what is delivered."""
    path = f"/v1/cycles/{town.cycle_id}/delivery"
    answer = town.world.client.get(path, query_string=query)
    assert answer.status_code == 200
    return list(answer.get_json()["items"])


def send_picture(town: Town, person: Person) -> str:
    """The SHA-256 of a picture that was sent."""
    stream = BytesIO()
    Image.new("RGB", (4, 3), (200, 30, 30)).save(stream, "PNG")
    answer = town.world.client.post(
        "/v1/images",
        data=stream.getvalue(),
        content_type="image/png",
        headers=person.headers,
    )
    assert answer.status_code == 201
    return str(answer.get_json()["sha256"])


def let_keeper_tell(town: Town) -> None:
    """Let the keeper tell what was not told yet."""
    with Session(town.world.engines["api"]) as session, transaction(session):
        tell(session)


def inbox(town: Town, person: Person, language: str = "ko", **query: Any) -> list[dict[str, Any]]:
    """What the person was told, newest first."""
    headers = person.headers | {"Accept-Language": language}
    answer = town.world.client.get("/v1/me/inbox", query_string=query, headers=headers)
    assert answer.status_code == 200
    return list(answer.get_json()["items"])


def told(town: Town, person: Person) -> list[str]:
    """The kinds of all that, oldest first."""
    return [each["kind"] for each in reversed(inbox(town, person, limit="100"))]


def follow(town: Town, person: Person, method: str = "put") -> TestResponse:
    """What following the cycle (or no longer: `delete`) is answered."""
    path = f"/v1/cycles/{town.cycle_id}/follow"
    return town.world.client.open(path, method=method.upper(), headers=person.headers)


def day(days: int) -> str:
    """A day so many days from now in UTC; at least two, as the city is ahead."""
    return (utc_now() + dt.timedelta(days=days)).date().isoformat()
