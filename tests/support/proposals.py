"""Cycles that take proposals, and proposals in whatever state a test needs them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.base import instant, utc_now
from mvote.people.declaring import declare
from mvote.people.granting import Post, add_department, grant
from tests.support.people import KnownAreas
from tests.support.world import Person, World

KINDS = ("proposing", "assessing", "reviewing", "balloting", "deciding", "delivering")
DEFINITION: dict[str, Any] = {
    "title": {"ko": "주민참여예산"},
    "currency": "KRW",
    "budget_year": 2027,
    "budget_limit": 1_000_000_000,
    "headings": [
        {"key": "city", "limit": 800_000_000},
        {"key": "parks", "parent": "city"},
        {"key": "local", "limit": 200_000_000},
    ],
    "kinds": [{"key": "works"}, {"key": "event"}],
    "cost_caps": [{"heading": "city", "kind": "event", "max": 30_000_000}],
    "proposers": {
        "basis": ["home", "work", "business", "study"],
        "organisations": True,
        "excluded": ["public_body_staff"],
    },
    "clocks": {"assess_days": 30, "return_days": 10, "appeal_days": 7, "appeal_decision_days": 14},
}
ITEM = {"item": "그늘막", "quantity": 3, "unit_price": 2_000_000, "amount": 6_000_000}
PROPOSAL: dict[str, Any] = {
    "title": "버스정류장 그늘막 설치",
    "problem": "여름에 그늘이 없습니다.",
    "description": "정류장 세 곳에 그늘막을 설치합니다.",
    "heading": "parks",
    "kind": "works",
    "cost_items": [ITEM],
}
AREAS = KnownAreas(["11110", "11"], ["11140", "11"])
YES = {"finding": "yes", "reason": "문제 없음"}
NO = {"finding": "no", "reason": "사유지입니다."}
CHECKS = ("lawful", "within_competence", "feasible", "no_duplicate", "land_available")
FEASIBLE: dict[str, Any] = {
    **dict.fromkeys(CHECKS, YES), "assessed_amount": 5_500_000, "min_useful_amount": 4_000_000,
    "budget_line": "가로시설물", "site_visit": {"on": "2026-05-02", "notes": "확인"},
}  # fmt: skip
INFEASIBLE = FEASIBLE | {"land_available": NO}


class Town:
    """A world with a running cycle and people who may propose in it."""

    def __init__(self, world: World, **changes: Any) -> None:
        self.world = world
        self.cycle_id = self.new_cycle(**changes)

    # cycles

    def new_cycle(self, **changes: Any) -> str:
        """A running cycle that takes proposals now."""
        cycle_id, start = uuid.uuid4(), utc_now() - dt.timedelta(hours=1)
        phases = [
            {
                "kind": kind,
                "opens_at": instant(start + dt.timedelta(days=30 * n)),
                "closes_at": instant(start + dt.timedelta(days=30 * (n + 1))),
            }
            for n, kind in enumerate(KINDS)
        ]
        definition = DEFINITION | {"phases": phases} | changes
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute(
                "INSERT INTO cycle (id, author_id, state, version, definition, time_zone,"
                " created_at) VALUES (%s, %s, 'draft', 1, %s, 'Asia/Seoul', now())",
                [cycle_id, uuid.uuid4(), Jsonb(definition)],
            )
            connection.execute("UPDATE cycle SET state = 'running' WHERE id = %s", [cycle_id])
        return str(cycle_id)

    def enter(self, phase: str, cycle_id: str | None = None) -> None:
        """Let the cycle be in *phase* and in no other."""
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("DELETE FROM cycle_phase WHERE cycle_id = %s", [self._or(cycle_id)])
            connection.execute(
                "INSERT INTO cycle_phase (cycle_id, kind, opens_at, closes_at)"
                " VALUES (%s, %s, now() - interval '1 day', now() + interval '30 days')",
                [self._or(cycle_id), phase],
            )

    def _or(self, cycle_id: str | None) -> str:
        return cycle_id or self.cycle_id

    # people

    def author(self) -> Person:
        """Somebody who lives in the city."""
        return self.citizen(home_area="11110")

    def citizen(self, **attributes: Any) -> Person:
        """Somebody of whom this is known; the areas need no map."""
        person = self.world.citizen()
        with Session(self.world.engines["api"]) as session, transaction(session):
            declare(session, citizen_id=person.id, values=attributes, areas=AREAS, now=utc_now())
        return person

    def officers(self, count: int = 2) -> list[Person]:
        """Officers of one department."""
        return officers_of_one(self.world, count)

    def department_of(self, officer: Person) -> str:
        me = self.world.client.get("/v1/me", headers=officer.headers).get_json()
        return str(me["roles"][0]["department_id"])

    # proposals

    def post(self, path: str, who: Person, **body: Any) -> TestResponse:
        """POST below /v1/proposals."""
        more: dict[str, Any] = {"json": body} if body else {}
        return self.world.client.post(f"/v1/proposals/{path}", headers=who.headers, **more)

    def draft(self, author: Person, cycle_id: str | None = None, **content: Any) -> dict[str, Any]:
        """A draft that could be submitted."""
        answer = self.try_draft(author, cycle_id, **content)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def try_draft(
        self, author: Person, cycle_id: str | None = None, **content: Any
    ) -> TestResponse:
        """What drafting is answered."""
        path = f"/v1/cycles/{self._or(cycle_id)}/proposals"
        return self.world.client.post(path, json=PROPOSAL | content, headers=author.headers)

    def submitted(
        self, author: Person, cycle_id: str | None = None, **content: Any
    ) -> dict[str, Any]:
        """A submitted proposal."""
        draft = self.draft(author, cycle_id, **content)
        answer = self.post(f"{draft['id']}/submit", author)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def get(self, proposal: dict[str, Any], who: Person | None = None) -> dict[str, Any]:
        """The proposal as it is shown now."""
        headers = who.headers if who else {}
        answer = self.world.client.get(f"/v1/proposals/{proposal['id']}", headers=headers)
        assert answer.status_code == 200
        return dict(answer.get_json())

    def revise(self, proposal: dict[str, Any], author: Person, **changes: Any) -> TestResponse:
        """PATCH what was read just before."""
        path = f"/v1/proposals/{proposal['id']}"
        read = self.world.client.get(path, headers=author.headers)
        headers = author.headers | {"If-Match": read.headers["ETag"]}
        return self.world.client.patch(path, json=changes, headers=headers)

    def assess(
        self, proposal: dict[str, Any], officer: Person, finding: dict[str, Any] = FEASIBLE
    ) -> TestResponse:
        """PUT an assessment."""
        path = f"/v1/proposals/{proposal['id']}/assessment"
        return self.world.client.put(path, json=finding, headers=officer.headers)

    def let_join(self, proposal: dict[str, Any], author: Person, other: Person) -> None:
        """Let *other* be a co-author, whoever may propose."""
        self.post(f"{proposal['id']}/co-authors", author, citizen_id=str(other.id))
        with Session(self.world.engines["api"]) as session, transaction(session):
            declare(
                session, citizen_id=other.id, values={"home_area": "11110"}, areas=AREAS,
                now=utc_now(),
            )  # fmt: skip
        assert self.post(f"{proposal['id']}/co-authors/accept", other).status_code == 200

    def rejected(self, author: Person) -> dict[str, Any]:
        """A proposal that two officers found infeasible."""
        proposal = self.submitted(author)
        for officer in self.officers():
            assert self.assess(proposal, officer, INFEASIBLE).status_code in (200, 202)
        return self.get(proposal)

    def put_in(self, proposal: dict[str, Any], state: str) -> None:
        """Let the proposal be in *state*, past the guard."""
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "UPDATE proposal SET state = %s, due_at = coalesce(due_at, now() + interval"
                " '1 day') WHERE id = %s",
                [state, proposal["id"]],
            )

    def let_time_run_out(self, proposal: dict[str, Any]) -> None:
        """Let what the proposal waits for be due a moment ago."""
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute(
                "UPDATE proposal SET due_at = now() - interval '1 second' WHERE id = %s",
                [proposal["id"]],
            )


def officers_of_one(world: World, count: int = 2) -> list[Person]:
    """So many officers of one new department."""
    people = world.citizens(count)
    with Session(world.engines["api"]) as session, transaction(session):
        department = add_department(session, name={"ko": "공원과"}, by=None)
        for person in people:
            grant(session, citizen_id=person.id, post=Post("officer", department.id))
    return people


def refused(answer: TestResponse) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.get_json()["code"]


@contextmanager
def as_owner(world: World) -> Iterator[psycopg.Connection]:
    """A connection with the rights of the database's owner, whom the guards hold, too."""
    with psycopg.connect(world.admin_url) as connection:
        connection.execute("SET ROLE mvote_owner")
        yield connection
