"""Acts of two officers, as tests ask for them."""

from __future__ import annotations

from typing import Any

import psycopg
from werkzeug.test import TestResponse

from tests.support.world import Person, World

REASON = {"text": {"ko": "선택지가 잘못 적혔습니다.", "en": "An option was misprinted."}}


def void(world: World, poll: dict[str, Any], officer: Person, **body: Any) -> TestResponse:
    path = f"/v1/polls/{poll['id']}/void"
    return world.client.post(path, json=body or REASON, headers=officer.headers)


def correct(world: World, poll: dict[str, Any], officer: Person, said: str) -> TestResponse:
    path = f"/v1/polls/{poll['id']}/notices"
    return world.client.post(path, json={"text": said}, headers=officer.headers)


def status(world: World, poll: dict[str, Any]) -> str:
    return str(world.client.get(f"/v1/polls/{poll['id']}").get_json()["status"])


def let_expire(world: World) -> None:
    """Put every request a day back, past its guard."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE approval SET asked_at = asked_at - interval '1 day',"
            " expires_at = expires_at - interval '1 day'"
        )


def call(world: World, poll: dict[str, Any], verb: str, by: Person, **body: Any) -> TestResponse:
    more: dict[str, Any] = {"json": body} if body else {}
    return world.client.post(f"/v1/polls/{poll['id']}/{verb}", headers=by.headers, **more)


def both(world: World, poll: dict[str, Any], verb: str, **body: Any) -> TestResponse:
    """Let two officers do it; the answer to the second."""
    assert call(world, poll, verb, world.officer(), **body).status_code == 202
    return call(world, poll, verb, world.officer(), **body)


def notices(world: World, poll: dict[str, Any]) -> list[dict[str, Any]]:
    answer = world.client.get(f"/v1/polls/{poll['id']}/notices")
    assert answer.status_code == 200
    return list(answer.get_json()["items"])
