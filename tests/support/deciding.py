"""Cycles whose votes are counted, and everything that is decided from there on, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from werkzeug.test import TestResponse

from mvote.budget.cycle import PhaseKind
from tests.support.balloting import Balloting
from tests.support.budgets import Definition
from tests.support.world import Person, World

DOCUMENT = {"url": "https://survey.example/2015.pdf", "sha256": "ab" * 32}
WHY = {"ko": "겹치는 사업이 있습니다.", "en": "Another project does the same."}


class Council(Balloting):
    """A cycle in balloting that is taken from there to the end."""

    def __init__(
        self,
        world: World,
        year: int | Definition = 2015,
        *,
        now: PhaseKind = "balloting",
        **changes: Any,
    ) -> None:
        super().__init__(world, year, now=now)
        self.definition |= changes
        self.second = world.officer()
        self.members: list[Person] = []

    def call(self, method: str, path: str, who: Person | None, **body: Any) -> TestResponse:
        """Any request below /v1, of an officer of the cycle's unless said otherwise."""
        more: dict[str, Any] = {"json": body} if method in ("POST", "PUT") else {}
        headers = who.headers if who else {}
        return self.world.client.open(f"/v1/{path}", method=method, headers=headers, **more)

    def of_cycle(
        self, method: str, path: str, who: Person | None = None, **body: Any
    ) -> TestResponse:
        """The same below the cycle, by its officer unless said otherwise."""
        return self.call(method, f"cycles/{self.cycle['id']}/{path}", who or self.officer, **body)

    # sources

    def statement(self, values: Mapping[str, int], **changes: Any) -> dict[str, Any]:
        said = {"unit": "respondents", "sample_size": 1_000, "document": DOCUMENT}
        return {"values": dict(values)} | said | changes

    def try_seal(
        self, values: Mapping[str, int], who: Person | None = None, **changes: Any
    ) -> TestResponse:
        """What sealing is answered."""
        path = changes.pop("path", "blend/survey")
        return self.of_cycle("PUT", path, who, **self.statement(values, **changes))

    def seal(self, values: Mapping[str, int], **changes: Any) -> dict[str, Any]:
        """Seal a statement by two officers."""
        assert self.try_seal(values, **changes).status_code == 202
        answer = self.try_seal(values, self.second, **changes)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def vote(self, poll: Mapping[str, Any], marks: Sequence[Sequence[Any]], people: Any) -> None:
        """Let each of *people* cast the ballot that stands in their place."""
        self.begin_voting(poll)
        for voter, selections in zip(people, marks, strict=True):
            answer = self.world.cast(poll, voter, list(selections))
            assert answer.status_code == 201, answer.get_data(as_text=True)

    def enter(self, kind: str) -> None:
        """Let the cycle be in the phase *kind*, and every other be over."""
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("DELETE FROM cycle_phase WHERE cycle_id = %s", [self.cycle["id"]])
            connection.execute(
                "INSERT INTO cycle_phase (cycle_id, kind, opens_at, closes_at)"
                " VALUES (%s, %s, now() - interval '1 day', now() + interval '30 days')",
                [self.cycle["id"], kind],
            )

    def finish(self, *polls: Mapping[str, Any]) -> None:
        """Count and publish these polls, and begin to decide."""
        for poll in polls:
            self.world.close(poll)
        self.world.run_counter()
        self.enter("deciding")

    # allocation

    def allocate(self, who: Person | None = None, contest: str | None = None) -> TestResponse:
        query = f"?contest={contest}" if contest else ""
        headers = (who or self.officer).headers
        path = f"/v1/cycles/{self.cycle['id']}/allocation{query}"
        return self.world.client.post(path, headers=headers)

    def allocated(self) -> dict[str, Any]:
        answer = self.allocate()
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def allocation(self) -> dict[str, Any]:
        answer = self.of_cycle("GET", "allocation")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def state_of(self, reference: str) -> str:
        [(state,)] = self.world.rows(
            "SELECT state FROM proposal WHERE cycle_id = %s AND reference = %s",
            self.cycle["id"], reference,
        )  # fmt: skip
        return str(state)

    def proposal_id(self, reference: str) -> str:
        [(found,)] = self.world.rows(
            "SELECT id FROM proposal WHERE cycle_id = %s AND reference = %s",
            self.cycle["id"], reference,
        )  # fmt: skip
        return str(found)

    def strike(self, reference: str) -> None:
        path = f"proposals/{self.proposal_id(reference)}/strike"
        for officer in (self.officer, self.second):
            answer = self.call("POST", path, officer, text=WHY)
            assert answer.status_code in (200, 202), answer.get_data(as_text=True)

    # the plenary

    def plenary(self, count: int = 9) -> list[Person]:
        """So many members, the first one in the chair."""
        self.members = self.citizens(count)
        self.seats(self.members)
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "UPDATE seat SET is_chair = true WHERE citizen_id = %s", [self.members[0].id]
            )
        return self.members

    def lay(self, *changes: dict[str, Any], who: Person | None = None) -> TestResponse:
        return self.of_cycle("POST", "motions", who, changes=list(changes))

    def laid(self, *changes: dict[str, Any]) -> str:
        answer = self.lay(*changes)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return str(answer.get_json()["id"])

    def say(self, motion: str, who: Person, vote: str = "yes") -> TestResponse:
        return self.call("PUT", f"motions/{motion}/vote", who, vote=vote)

    def judge(self, motion: str, who: Person | None = None) -> TestResponse:
        path = f"/v1/motions/{motion}/judgment"
        return self.world.client.post(path, headers=(who or self.members[0]).headers)

    def carried(self, *changes: dict[str, Any]) -> dict[str, Any]:
        """A motion that all members voted for."""
        motion = self.laid(*changes)
        for member in self.members:
            answer = self.say(motion, member)
            assert answer.status_code == 200, answer.get_data(as_text=True)
        answer = self.judge(motion)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.get_json()["state"] == "carried"
        return dict(answer.get_json())

    # the council

    def try_enact(
        self, reference: str, amount: int, who: Person | None = None, **more: Any
    ) -> TestResponse:
        path = f"proposals/{self.proposal_id(reference)}/enactment"
        return self.call("PUT", path, who or self.officer, amount=amount, **more)

    def enact(self, reference: str, amount: int, **more: Any) -> dict[str, Any]:
        """The council's amount, entered by two officers."""
        asked = self.try_enact(reference, amount, **more)
        assert asked.status_code == 202, asked.get_data(as_text=True)
        done = self.try_enact(reference, amount, self.second, **more)
        assert done.status_code == 200, done.get_data(as_text=True)
        return dict(done.get_json())


def change(reference: str, decision: str, **more: Any) -> dict[str, Any]:
    """What a motion says of a project."""
    return {"reference": reference, "decision": decision, **more}


COSTS = (40, 30, 50, 20, 10)


def small(world: World, *, limit: int | None = 80, **allocation: Any) -> Council:
    """Five projects and five voters: of 80 the first, second and fifth are funded.

    The first has five votes and costs 40, the next ones have one vote less each and cost 30, 50,
    20, 10; the third and the fourth find no room.
    """
    year = Council(world, 2023, budget_limit=limit)
    [contest] = year.definition["contests"]
    contest["ballot"]["limits"] = [{"over": "all", "count": {"min": 1, "max": 5}}]
    contest["allocation"] |= allocation
    year.projects(5, amount=lambda n: COSTS[n])
    return year


def held(world: World, **more: Any) -> Council:
    """The same, voted on and counted, with a plenary of five: it is to be allocated."""
    year = small(world, **more)
    year.plenary(5)
    poll = year.open("citizens")
    year.vote(poll, [year.references[: 5 - n] for n in range(5)], year.citizens(5))
    year.finish(poll)
    return year


def decided(world: World, **more: Any) -> Council:
    """The same, allocated and confirmed as it was proposed."""
    year = held(world, **more)
    year.allocated()
    year.carried()
    return year
