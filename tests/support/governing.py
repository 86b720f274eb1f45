"""Acts of two officers, as tests ask for them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.ballotbox.shuffling import close_poll
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


FUNCTIONS = {
    "close": "close_poll_early",
    "extend": "extend_poll",
    "void": "void_poll",
    "draw": "draw_tie",
}
Deed = Callable[[Session], bool]


def asked(world: World, poll: dict[str, Any], verb: str, **body: Any) -> Deed:
    """An act that one officer has asked for: what the second one lets the database do."""
    answer = call(world, poll, verb, world.officer(), **body)
    assert answer.status_code == 202
    second = world.officer()
    bound = {"poll": poll["id"], "approval": answer.get_json()["approval_id"], "by": second.id}
    act = text(f"SELECT {FUNCTIONS[verb]}(:poll, :approval, :by)")
    return lambda session: bool(session.execute(act, bound).scalar_one())


def done(world: World, deed: Deed) -> bool:
    """Do it in a transaction of its own."""
    with Session(world.engines["api"]) as session, transaction(session):
        return deed(session)


def closed_by_worker(world: World, poll: dict[str, Any]) -> bool:
    with Session(world.engines["shuffler"]) as session, transaction(session):
        return close_poll(session, uuid.UUID(poll["id"]))


def state(world: World) -> str:
    return str(world.rows("SELECT state FROM poll")[0][0])


@contextmanager
def superuser(world: World) -> Iterator[psycopg.Connection[Any]]:
    """Changes past every guard, committed one by one."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


@contextmanager
def twin(owner: Session, function: str, old: str, new: str) -> Iterator[None]:
    """The function with a part of it put otherwise, and as it was afterwards."""
    shown = text("SELECT pg_get_functiondef(CAST(:name AS regproc))")
    whole = str(owner.execute(shown, {"name": function}).scalar_one())
    assert old in whole
    put(owner, whole.replace(old, new))
    try:
        yield
    finally:
        put(owner, whole)


def put(owner: Session, definition: str) -> None:
    """Create or replace a function."""
    owner.connection().exec_driver_sql(definition.replace("%", "%%"))
    owner.commit()


def spoil(world: World, change: str) -> None:
    """Change what nobody but a superuser could, past every guard."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(change.encode())
