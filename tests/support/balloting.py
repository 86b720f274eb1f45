"""Cycles in balloting, with as many approved projects and seats as a test needs."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.base import utc_now
from mvote.budget.cycle import Cycle, PhaseKind
from mvote.budget.deciding.projects import references_in
from mvote.people.declaring import declare
from mvote.people.phones import read_number
from mvote.people.registering import register_many
from tests.support.budgets import Definition, around_now, definition_of, phase, plan
from tests.support.people import a_number
from tests.support.proposals import AREAS
from tests.support.world import Person, World

SURVEY = {"url": "https://survey.example/all-alike.pdf", "sha256": "cd" * 32}
Of = Callable[[int], Any]
"""Something of the n-th project, from 0 on."""


class Balloting:
    """A running cycle by that year's rules that is in balloting now, or in another phase."""

    def __init__(
        self, world: World, year: int | Definition = 2015, *, now: PhaseKind = "balloting"
    ) -> None:
        self.world, self.officer = world, world.officer()
        rules = definition_of(year) if isinstance(year, int) else year
        #: may be changed until the cycle begins
        self.definition = around_now(rules, now)
        self.references: list[str] = []

    @cached_property
    def cycle(self) -> dict[str, Any]:
        """The cycle, which begins when it is first asked for."""
        cycle = plan(self.world, self.definition, self.officer)
        assert phase(self.world, cycle, self.officer).status_code == 200
        return cycle

    def begin(self) -> None:
        """Let the cycle begin by its definition as it is now."""
        assert self.cycle

    @property
    def contest(self) -> str:
        """The key of its first contest."""
        return str(self.cycle["contests"][0]["key"])

    @property
    def source(self) -> str:
        """The key of the first source of its first contest."""
        return str(self.cycle["contests"][0]["sources"][0]["key"])

    def projects(
        self,
        count: int,
        *,
        heading: Of = lambda _: "city",
        kind: Of | None = None,
        amount: Of = lambda _: 100_000_000,
        state: str = "approved",
    ) -> list[str]:
        """So many more proposals in *state*, past the guards; their references."""
        first = len(self.references) + 1
        kinds = [each["key"] for each in self.cycle["kinds"]] or [None]
        made = [(uuid.uuid4(), first + n, n) for n in range(count)]
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("SET session_replication_role = replica")
            for proposal_id, number, n in made:
                content = {"title": {"ko": f"사업 {number}"}, "description": {"ko": "그늘막"}}
                connection.execute(
                    "INSERT INTO proposal (id, cycle_id, reference, number, state, revision,"
                    " version, created_at, submitted_at, state_since, due_at, appealed_at)"
                    " VALUES (%s, %s, %s, %s, %s, 1, 1, now(), now(), now(),"
                    " now() + interval '1 day', CASE WHEN %s = 'appealed' THEN now() END)",
                    [proposal_id, self.cycle["id"], self._reference(number), number, state, state],
                )
                connection.execute(
                    "INSERT INTO proposal_revision (proposal_id, n, content, heading, kind, amount,"
                    " created_at, submitted_at) VALUES (%s, 1, %s, %s, %s, %s, now(), now())",
                    [
                        proposal_id,
                        Jsonb(content),
                        heading(n),
                        kind(n) if kind else kinds[0],
                        amount(n),
                    ],
                )
        references = [self._reference(number) for _, number, _ in made]
        self.references += references
        return references

    def _reference(self, number: int) -> str:
        return f"{self.cycle['budget_year']}-{number:04d}"

    def put(self, reference: str, state: str) -> None:
        """Let a proposal be in *state*, past the guards."""
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "UPDATE proposal SET state = %s WHERE cycle_id = %s AND reference = %s",
                [state, self.cycle["id"], reference],
            )

    def assessed(self, reference: str, amount: int, min_useful_amount: int | None = None) -> None:
        """A confirmed assessment of the project, past the guards."""
        checks = ("lawful", "within_competence", "feasible", "no_duplicate", "land_available")
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                f"INSERT INTO assessment ({', '.join(checks)}, proposal_id, revision,"  # noqa: S608
                " department_id, reasons, assessed_amount, min_useful_amount, found_by, found_at,"
                " confirmed_by, confirmed_at) SELECT 'yes', 'yes', 'yes', 'yes', 'yes', id, 1,"
                " gen_random_uuid(), '{}', %s, %s, gen_random_uuid(), now(), gen_random_uuid(),"
                " now()"
                " FROM proposal WHERE cycle_id = %s AND reference = %s",
                [amount, min_useful_amount, self.cycle["id"], reference],
            )

    def try_open(self, source: str, contest: str | None = None, **more: Any) -> TestResponse:
        """What opening the poll of a source is answered."""
        body = {"contest": contest or self.contest, "source": source, **more}
        path = f"/v1/cycles/{self.cycle['id']}/poll"
        return self.world.client.post(path, json=body, headers=self.officer.headers)

    def open(self, source: str, contest: str | None = None, **more: Any) -> dict[str, Any]:
        """The poll of a source, open; what must be sealed before is sealed."""
        self.seal_surveys(contest or self.contest)
        answer = self.try_open(source, contest, **more)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def seal_surveys(self, contest: str) -> None:
        """Let two officers seal what is not sealed yet: one answer for each project."""
        with Session(self.world.engines["api"]) as session:
            cycle = session.get_one(Cycle, uuid.UUID(self.cycle["id"]))
            values = dict.fromkeys(sorted(references_in(session, cycle, contest)), 1)
        [planned] = [each for each in self.cycle["contests"] if each["key"] == contest]
        for source in planned["sources"]:
            path = f"/v1/cycles/{self.cycle['id']}/blend/{source['key']}?contest={contest}"
            if source.get("kind") != "statement" or not values:
                continue
            if self.world.client.get(path).get_json()["seals"]:
                continue
            body = {"values": values, "unit": source.get("unit", "respondents"),
                    "sample_size": 1_000, "document": SURVEY}  # fmt: skip
            for officer in (self.officer, self.world.officer()):
                answer = self.world.client.put(path, json=body, headers=officer.headers)
                assert answer.status_code in (200, 202), answer.get_data(as_text=True)

    def citizens(self, count: int, **attributes: Any) -> list[Person]:
        """So many people of whom this is known; they live in the city unless said otherwise."""
        known = attributes or {"home_area": "11110"}
        numbers = [a_number() for _ in range(count)]
        phones = self.world.app.extensions["phones"]
        with Session(self.world.engines["api"]) as session, transaction(session):
            ids = register_many(session, numbers=numbers, phones=phones)
            for citizen_id in ids:
                declare(session, citizen_id=citizen_id, values=known, areas=AREAS, now=utc_now())
        return [self.world.person(citizen_id) for citizen_id in ids]

    def register(self, number: str) -> uuid.UUID:
        """The account of a number, made now if there is none."""
        phones = self.world.app.extensions["phones"]
        e164 = read_number(number, region="KR")
        with Session(self.world.engines["api"]) as session, transaction(session):
            return register_many(session, numbers=[e164], phones=phones)[0]

    def seats(
        self,
        people: list[Person],
        *,
        kind: str = "plenary",
        has_vote: bool = True,
        state: str = "filled",
        ends_in_days: int = 300,
    ) -> None:
        """A committee in which these people sit, past the guards."""
        committee, today = uuid.uuid4(), utc_now().date()
        starts, ends = today - dt.timedelta(days=30), today + dt.timedelta(days=ends_in_days)
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "INSERT INTO committee (id, cycle_id, name, kind, headings, area_codes, starts_on,"
                ' ends_on, age_bands, created_by, created_at) VALUES (%s, %s, \'{"ko": "위원회"}\','
                " %s, '{}', '{}', %s, %s, '[]', gen_random_uuid(), now())",
                [committee, self.cycle["id"], kind, starts, ends],
            )
            for n, person in enumerate(people, 1):
                connection.execute(
                    "INSERT INTO seat (id, committee_id, number, kind, has_vote, is_chair,"
                    " citizen_id, pseudonym, state, starts_on, ends_on, filled_at, vacated_at)"
                    " VALUES (%s, %s, %s, 'citizen', %s, false, %s, %s, %s, %s, %s, now(),"
                    " CASE WHEN %s = 'vacant' THEN now() END)",
                    [uuid.uuid4(), committee, n, has_vote, person.id, f"p{n}", state, starts, ends,
                     state],
                )  # fmt: skip

    def begin_voting(self, poll: Mapping[str, Any]) -> None:
        """Let the voting have begun, past the guard; the definition is not asked when."""
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "UPDATE poll SET opens_at = now() - interval '1 minute' WHERE id = %s", [poll["id"]]
            )

    def states(self) -> set[str]:
        """The states of all its proposals."""
        found = self.world.rows(
            "SELECT DISTINCT state FROM proposal WHERE cycle_id = %s", self.cycle["id"]
        )
        return {state for (state,) in found}


def field(n: int) -> str:
    """2015: eight fields in turn."""
    return f"f{n % 8 + 1}"


def rules_against(world: World, poll: Mapping[str, Any], who: Person) -> list[str]:
    """The rules that keep somebody out, as the answer beforehand gives them."""
    path = f"/v1/polls/{poll['id']}/eligibility"
    answer = world.client.post(path, json={}, headers=who.headers).get_json()
    assert answer["may_vote"] == (answer["reasons"] == [])
    return [each.get("rule", each["code"]) for each in answer["reasons"]]
