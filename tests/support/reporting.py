"""Reports of polls, and officers who look at them, ready to call."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.budget.telling.telling import tell
from mvote.moderation.case import Case
from tests.support.world import Person, World

REASON = {"ko": "규칙에 맞습니다.", "en": "It keeps to the rules."}


def try_report(
    world: World,
    poll: Mapping[str, Any],
    who: Person,
    ground: str = "advertising",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> TestResponse:
    """What somebody is answered who reports the poll."""
    body = {"poll_id": poll["id"], "ground": ground, **more}
    return world.client.post("/v1/reports", json=body, headers=who.headers | dict(headers or {}))


def reported(world: World, poll: Mapping[str, Any], times: int, **report: Any) -> list[Person]:
    """Let so many different people report the poll."""
    people = world.citizens(times)
    for each in people:
        answer = try_report(world, poll, each, **report)
        assert answer.status_code == 201, answer.get_data(as_text=True)
    return people


def citizens_poll(world: World, author: Person | None = None, **content: Any) -> dict[str, Any]:
    """An open poll of a citizen's own."""
    return world.open_poll(author or world.citizen(), **content)


def held_back(world: World, author: Person | None = None, **content: Any) -> dict[str, Any]:
    """A citizen's poll that enough people have reported."""
    poll = citizens_poll(world, author, **content)
    reported(world, poll, world.settings.reports_to_hold)
    assert shown(world, poll)["held_back"]
    return poll


def shown(world: World, poll: Mapping[str, Any], who: Person | None = None) -> dict[str, Any]:
    """The poll by its id."""
    answer = world.client.get(f"/v1/polls/{poll['id']}", headers=who.headers if who else {})
    assert answer.status_code == 200
    return dict(answer.get_json())


def decided(
    world: World,
    poll: Mapping[str, Any],
    decision: str,
    officer: Person | None = None,
    reason: Any = REASON,
    version: str | None = None,
) -> TestResponse:
    """What an officer is answered who decides, having read what there is, or *version* of it."""
    headers = (officer or world.officer()).headers
    read = version or version_of(world, poll)
    body = {"decision": decision, "reason": reason, "version": read}
    return world.client.post(f"/v1/moderation/{poll['id']}", json=body, headers=headers)


def version_of(world: World, poll: Mapping[str, Any]) -> str:
    """What the officers' queue gives as the version of the poll's case; "0.0" if there is none."""
    with Session(world.engines["api"]) as session:
        found = session.get(Case, uuid.UUID(poll["id"]))
        return found.version if found else "0.0"


def case_of(world: World, poll: Mapping[str, Any]) -> tuple[Any, ...]:
    """Its state, how many reports wait, and how often it was decided on."""
    query = "SELECT state, waiting, decided FROM moderation_case WHERE poll_id = %s"
    return tuple(world.rows(query, poll["id"])[0])


def is_listed(world: World, poll: Mapping[str, Any]) -> bool:
    """Whether anybody comes upon it."""
    return any(each["id"] == poll["id"] for each in polls_listed(world))


def polls_listed(world: World, query: str = "") -> Sequence[dict[str, Any]]:
    """What `GET /polls` lists."""
    return list(world.client.get(f"/v1/polls?limit=100{query}").get_json()["items"])


def inbox(world: World, who: Person) -> list[dict[str, Any]]:
    """What somebody was told, once the keeper has told it."""
    with Session(world.engines["api"]) as session, transaction(session):
        tell(session)
    answer = world.client.get("/v1/me/inbox", headers=who.headers)
    return list(answer.get_json()["items"])
