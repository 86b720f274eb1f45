"""A committee at work: a cycle that reviews, its members, and proposals that wait for opinions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from geo.neighbourhood import CityNeighbourhood
from mvote.budget.keeping import keep_budgets
from tests.support.budgets import around_now, definition_of, phase, plan
from tests.support.proposals import FEASIBLE, Town, as_owner
from tests.support.world import Person, World

AROUND = CityNeighbourhood()
NEED = {"criterion": "need", "score": 4, "reason": "어르신이 많이 다닙니다."}
BENEFIT = {"criterion": "benefit", "score": 3, "reason": "여름에만 쓰입니다."}
OPINION: dict[str, Any] = {"scores": [NEED, BENEFIT], "comment": "현장을 보았습니다."}


class Chamber(Town):
    """A running cycle with the rules of 2015, its department, and one committee that reviews."""

    #: whose the proposal is, where a test needs them again
    made_by: Person

    def __init__(self, world: World, *, members: int = 3, **review: Any) -> None:
        self.world = world
        self.department = self.officers()
        self.officer = self.department[0]
        definition = around_now(definition_of(2015), "proposing")
        definition["review"] = definition["review"] | {"opinions_min": 2} | review
        cycle = plan(world, definition, self.officer)
        assert phase(world, cycle, self.officer).status_code == 200
        self.cycle_id = str(cycle["id"])
        self.committee = self.formed("subcommittee")
        self.members = [self.seated() for _ in range(members)]

    # people

    def formed(self, kind: str) -> str:
        """A committee whose members are appointed."""
        body = {"name": "분과위원회", "kind": kind}
        answer = self.send("POST", f"cycles/{self.cycle_id}/committees", self.officer, body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return str(answer.get_json()["id"])

    def seated(self, who: Person | None = None, committee: str | None = None) -> Person:
        """A member of the committee, with a vote."""
        who = who or self.author()
        body = {"citizen_id": str(who.id), "kind": "citizen", "has_vote": True}
        path = f"committees/{committee or self.committee}/seats"
        answer = self.send("POST", path, self.officer, body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return who

    def seat_of(self, who: Person, committee: str | None = None) -> str:
        """The id of their seat."""
        [(found,)] = self.world.rows(
            "SELECT id FROM seat WHERE citizen_id = %s AND committee_id = %s",
            who.id, committee or self.committee,
        )  # fmt: skip
        return str(found)

    def chair(self) -> Person:
        """The first member, now in the chair."""
        body = {"seat_id": self.seat_of(self.members[0])}
        path = f"committees/{self.committee}/chair"
        assert self.send("PUT", path, self.officer, body).status_code == 200
        return self.members[0]

    # proposals

    def assessed(self, author: Person | None = None, **content: Any) -> dict[str, Any]:
        """A proposal that two officers found feasible."""
        proposal = self.submitted(author or self.author(), heading="f1", **content)
        return self.found_feasible(proposal)

    def found_feasible(self, proposal: dict[str, Any]) -> dict[str, Any]:
        for officer in self.department:
            answer = self.assess(proposal, officer, FEASIBLE)
            assert answer.status_code in (200, 202), answer.get_data(as_text=True)
        return proposal

    def reviewed(self, author: Person | None = None, **content: Any) -> dict[str, Any]:
        """A proposal that the committee has been given to read."""
        proposal = self.assessed(author, **content)
        self.give_out()
        return proposal

    def give_out(self) -> dict[str, Any]:
        """Let the cycle be in its review, and everything have its readers."""
        self.enter("reviewing")
        answer = self.send("POST", f"cycles/{self.cycle_id}/assignments", self.officer)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def work(self) -> None:
        """What the worker does again and again."""
        with Session(self.world.engines["api"]) as session, transaction(session):
            keep_budgets(session, around=AROUND)

    def readers(self, proposal: dict[str, Any]) -> list[str]:
        """The seats that it is assigned to."""
        found = self.world.rows(
            "SELECT seat_id FROM review_assignment JOIN review ON review.id = review_id"
            " WHERE proposal_id = %s ORDER BY seat_id", proposal["id"]
        )  # fmt: skip
        return [str(seat) for (seat,) in found]

    # what members do

    def send(
        self, method: str, path: str, who: Person | None, body: dict[str, Any] | None = None
    ) -> TestResponse:
        """Any request below /v1."""
        headers = who.headers if who else {}
        more: dict[str, Any] = {} if body is None else {"json": body}
        return self.world.client.open(f"/v1/{path}", method=method, headers=headers, **more)

    def opine(self, proposal: dict[str, Any], who: Person, **changes: Any) -> TestResponse:
        return self.send("PUT", f"proposals/{proposal['id']}/opinion", who, OPINION | changes)

    def opinions(self, proposal: dict[str, Any], who: Person | None = None) -> TestResponse:
        return self.send("GET", f"proposals/{proposal['id']}/opinions", who)

    def read(self, proposal: dict[str, Any], who: Person | None = None) -> list[tuple[str, int]]:
        """Seat and round of each opinion that they may read."""
        answer = self.opinions(proposal, who)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return [(each["seat_id"], each["round"]) for each in answer.get_json()["items"]]

    def left(self, who: Person) -> list[dict[str, Any]]:
        answer = self.send("GET", "me/reviews", who)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return list(answer.get_json()["items"])

    def step_aside(
        self, proposal: dict[str, Any], who: Person, ground: str = "household"
    ) -> TestResponse:
        path = f"proposals/{proposal['id']}/recusals"
        return self.send("POST", path, who, {"ground": ground})

    def recusals(self, proposal: dict[str, Any]) -> dict[str, tuple[str, str]]:
        """Seat → ground and how, as anybody reads it."""
        answer = self.send("GET", f"proposals/{proposal['id']}/recusals", None)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        items = answer.get_json()["items"]
        return {each["seat_id"]: (each["ground"], each["how"]) for each in items}

    def discuss(self, proposal: dict[str, Any], who: Person) -> TestResponse:
        return self.send("POST", f"proposals/{proposal['id']}/discussion", who)

    def judge(self, proposal: dict[str, Any], state: str = "approved") -> None:
        """Let the committee have judged it."""
        motion, is_carried = {"returned": "return"}.get(state, "approve"), state != "rejected"
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(
                "INSERT INTO judgment (id, proposal_id, committee_id, motion, revision, missing,"
                " state, opened_at, roll, yes, no, abstain, carried, closed_at, closed_by)"
                " VALUES (gen_random_uuid(), %(proposal)s, %(committee)s, %(motion)s::text, 1,"
                " CASE WHEN %(motion)s::text = 'return' THEN '{}'::jsonb END, 'closed', now(),"
                " '{}', 0, 0, 0, %(carried)s, clock_timestamp(), gen_random_uuid())",
                {"proposal": proposal["id"], "committee": self.committee, "motion": motion,
                 "carried": is_carried},
            )  # fmt: skip
            connection.execute("SET LOCAL session_replication_role = origin")
            connection.execute(
                "UPDATE proposal SET state = %s, due_at = now() + interval '1 day' WHERE id = %s",
                [state, proposal["id"]],
            )


PUT = (
    "INSERT INTO opinion SELECT review.id, seat.id, 1, '[]', NULL, now() FROM review"
    " JOIN seat USING (committee_id) WHERE proposal_id = %s AND citizen_id = %s"
)
RECUSE = (
    "INSERT INTO recusal SELECT %s, id, 'household', 'declared', now() FROM seat"
    " WHERE citizen_id = %s"
)
DISCUSS = "UPDATE review SET discussed_at = now() WHERE proposal_id = %s"


@contextmanager
def written(world: World, change: str, *given: Any) -> Iterator[Callable[[], None]]:
    """A change that is written and not yet committed; what it gives commits it."""
    with as_owner(world) as connection:
        connection.execute(change.encode(), given)
        yield connection.commit
