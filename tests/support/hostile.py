"""What every refusal must be, whoever provokes it: a problem in their language, without a trace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.test import TestResponse

from tests.support.census import census
from tests.support.world import Person, World

HANGUL = re.compile(r"[가-힣]")
LEAKS = re.compile(
    r"Traceback|sqlalchemy|psycopg|marshmallow|orjson|Error\(|Exception| at 0x", re.IGNORECASE
)


@contextmanager
def no_trace(world: World, *, but: str = "") -> Iterator[None]:
    """See that what is done inside writes nothing, *but* perhaps to the one table."""
    before = census(world.admin_url)
    yield
    after = census(world.admin_url)
    assert {name for name in after if after[name] != before.get(name)} <= {but}


def everything(world: World) -> Person:
    """A citizen who is an officer and an administrator."""
    officer = world.officer()
    with_roles = world.client.get("/v1/me", headers=officer.headers).get_json()["roles"]
    posts = [{"role": "officer", "department_id": with_roles[0]["department_id"]}]
    body = {"roles": [*posts, {"role": "administrator"}]}
    answer = world.client.put(
        f"/v1/citizens/{officer.id}/roles", json=body, headers=world.administrator().headers
    )
    assert answer.status_code == 200
    return officer


def check_problem(answer: TestResponse, status: int, code: str, language: str) -> dict[str, Any]:
    """The problem, seen to be one: status, code, language, and nothing of our insides."""
    text = answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json", text
    problem: dict[str, Any] = answer.get_json()
    assert (answer.status_code, problem["code"]) == (status, code), text
    assert problem["status"] == status
    assert not LEAKS.search(text), text
    assert_language(problem["title"], language)
    return problem


def assert_language(text: str, language: str) -> None:
    assert bool(HANGUL.search(text)) == (language == "ko"), text


def both(world: World, method: str, path: str, status: int, code: str, **more: Any) -> TestResponse:
    """The answer in English, once those in both languages are seen to be proper."""
    headers = more.pop("headers", {})
    for language in ("ko", "en"):
        answer = world.client.open(
            path, method=method, headers=headers | {"Accept-Language": language}, **more
        )
        check_problem(answer, status, code, language)
    return answer
