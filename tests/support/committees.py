"""Committees in whatever state a test needs them: open for applications, closed, drawn."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
from werkzeug.test import TestResponse

from mvote.base import instant, utc_now
from mvote.budget.drawing.lots import commitment_to
from tests.support.budgets import running
from tests.support.proposals import Town
from tests.support.world import Person, World

SECRET = bytes(range(32))
SEED = SECRET.hex()
VALUE = "4 24 27 35 37 45 + 15"
SOURCE = "로또 1061회 당첨번호, 2023-04-01 추첨"
BANDS = [
    {"value": "young", "min_age": None, "max_age": 39},
    {"value": "older", "min_age": 40, "max_age": None},
]


def quota(category: str, value: str, least: int = 0, most: int | None = None) -> dict[str, Any]:
    return {"name": value, "category": category, "values": [value], "min": least, "max": most}


EVEN: dict[str, Any] = {
    "seats": 2,
    "quotas": [quota("gender", "female", 1, 1), quota("gender", "male", 1, 1)],
    "reserves": 2,
    "reserve_quotas": [],
}


def draw_by(targets: dict[str, Any]) -> dict[str, Any]:
    """What is published of a draw in 12 days, for which people apply for 10."""
    now = utc_now()
    return {
        "commitment": commitment_to(SECRET).hex(),
        "public_source": SOURCE,
        "applications_close_at": instant(now + dt.timedelta(days=10)),
        "public_value_at": instant(now + dt.timedelta(days=12)),
        "targets": targets,
    }


class Hall:
    """A running cycle, the officer who forms its committees, and people who may sit in them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.officer = world.officer()
        self.cycle = running(world, "assessing", officer=self.officer)
        self._town = Town(world)

    def citizen(self, gender: str = "female", **attributes: Any) -> Person:
        """Somebody who lives in the city."""
        known = {"home_area": "11110", "gender": gender, "birth_year": 1990} | attributes
        return self._town.citizen(**known)

    def call(self, method: str, path: str, who: Person | None = None, **body: Any) -> TestResponse:
        """Any request below /v1."""
        headers = who.headers if who else {}
        more: dict[str, Any] = {"json": body} if method in ("POST", "PUT") else {}
        return self.world.client.open(f"/v1/{path}", method=method, headers=headers, **more)

    def form(self, who: Person | None = None, **changes: Any) -> TestResponse:
        """Form a committee that is drawn by lot; with `draw=None` its members are appointed."""
        plenary = {"name": "예산위원회", "kind": "plenary", "age_bands": BANDS}
        given = plenary | {"draw": draw_by(EVEN)} | changes
        body = {name: value for name, value in given.items() if value is not None}
        path = f"cycles/{self.cycle['id']}/committees"
        return self.call("POST", path, who or self.officer, **body)

    def formed(self, **targets: Any) -> str:
        """The id of a committee that takes applications."""
        given = {name: value for name, value in (EVEN | targets).items() if value is not None}
        answer = self.form(draw=draw_by(given))
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return str(answer.get_json()["id"])

    def apply(self, committee: str, who: Person, **body: Any) -> TestResponse:
        return self.call("POST", f"committees/{committee}/applications", who, **body)

    def applied(self, committee: str, *people: Person) -> list[str]:
        """The pseudonyms under which these people have now applied."""
        answers = [self.apply(committee, each) for each in people]
        assert {each.status_code for each in answers} == {201}
        return [each.get_json()["pseudonym"] for each in answers]

    def let_days_pass(self, committee: str, days: int) -> None:
        let_days_pass(self.world, committee, days)

    def draw(self, committee: str, who: Person | None = None, **changes: Any) -> TestResponse:
        body = {"seed": SEED, "public_value": VALUE, "targets": EVEN} | changes
        return self.call("POST", f"committees/{committee}/draw", who or self.officer, **body)

    def show(self, committee: str) -> dict[str, Any]:
        answer = self.call("GET", f"committees/{committee}")
        assert answer.status_code == 200
        return dict(answer.get_json())

    def drawn(self, *people: Person) -> str:
        """A committee of two that was drawn from these people."""
        committee = self.formed()
        self.applied(committee, *people)
        self.let_days_pass(committee, 13)
        answer = self.draw(committee)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return committee


def let_days_pass(world: World, committee: str, days: int) -> None:
    """Let everything about the committee have been published so many days earlier."""
    with psycopg.connect(world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE committee SET created_at = created_at - make_interval(days => %(days)s),"
            " applications_close_at = applications_close_at - make_interval(days => %(days)s),"
            " public_value_at = public_value_at - make_interval(days => %(days)s)"
            " WHERE id = %(id)s",
            {"days": days, "id": committee},
        )


def seats_in(hall: Hall, committee: str, state: str = "filled") -> list[dict[str, Any]]:
    """The committee's seats in that state."""
    return [each for each in hall.show(committee)["seats"] if each["state"] == state]


def person_of(hall: Hall, committee: str, pseudonym: str, people: list[Person]) -> Person:
    """Who has the pseudonym."""
    path = f"committees/{committee}/applications/me"
    shown = {hall.call("GET", path, each).get_json()["pseudonym"]: each for each in people}
    return shown[pseudonym]
