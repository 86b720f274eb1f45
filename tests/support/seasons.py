"""A whole year of a cycle, from the first idea to what the plenary decides.

Of each kind of act at least one goes over HTTP; where hundreds are alike, the others call the same
use case, so that a year takes seconds. Only time itself is moved past the guards.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.budget.proposal_schemas import NewProposal
from api.db import transaction
from api.demo.budget.reviewing import readers_in
from geo.neighbourhood import CityNeighbourhood
from geo.proposals import CityProposalPlaces
from mvote.budget.applying import PSEUDONYM_KEY
from mvote.budget.assessing import assess
from mvote.budget.cycle import PhaseKind
from mvote.budget.deciding.motions import vote as vote_on_motion
from mvote.budget.deliberation.closing import close_judgment
from mvote.budget.deliberation.shortlisting import vote_on_list
from mvote.budget.deliberation.voting import vote_on
from mvote.budget.forming import committee_of
from mvote.budget.judging import Vote
from mvote.budget.planning import cycle_of
from mvote.budget.proposing import draft_proposal, submit_proposal
from mvote.budget.reviewing.opining import give_opinion
from mvote.budget.seating import appoint
from mvote.people.citizens import Citizen
from tests.support.budgets import Definition, begin, read
from tests.support.deciding import Council
from tests.support.proposals import CHECKS, FEASIBLE, INFEASIBLE, officers_of_one
from tests.support.world import Person, World

AROUND = CityNeighbourhood()
Idea = dict[str, Any]
"""What somebody proposes; `amount` is what its only cost item costs."""


class Season(Council):
    """A cycle by that year's rules that has begun to take proposals a minute ago."""

    def __init__(self, world: World, year: int | Definition, **changes: Any) -> None:
        super().__init__(world, year, now="proposing", **changes)
        self.department = self.officer, self.second = officers_of_one(world)
        #: of its proposals, in the order of their numbers
        self.ids: list[str] = []

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction with the rights of the API."""
        engine = self.world.engines["api"]
        with self.world.app.app_context(), Session(engine) as session, transaction(session):
            yield session

    def done(self, *args: Any, status: int = 200, **body: Any) -> dict[str, Any]:
        """What a request (as for `call`) gives that must go well."""
        answer: TestResponse = self.call(*args, **body)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def twice(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """The same by both officers of the department; only the second one's does it."""
        first, second = self.department
        self.done(method, path, first, status=202, **body)
        return self.done(method, path, second, **body)

    def enter_by_officers(self, kind: PhaseKind) -> None:
        """Let two officers begin the phase *kind* now, in public."""
        assert begin(self.world, self.cycle, kind)["phase"] == kind

    # proposals

    def propose(self, ideas: Sequence[Idea], authors: int = 40) -> None:
        """Let all *ideas* be drafted and submitted, by so many people in turn."""
        people = self.citizens(authors)
        cycle, first = self.cycle["id"], people[0]
        draft = self.done("POST", f"cycles/{cycle}/proposals", first, status=201, **said(ideas[0]))
        self.done("POST", f"proposals/{draft['id']}/submit", first)
        self.ids = [draft["id"]]
        with self.session() as session:
            for n, idea in enumerate(ideas[1:], 1):
                self.ids.append(self._submitted(session, idea, people[n % authors]))
        assert [each for (each,) in self.of_each("reference")] == [
            f"{self.cycle['budget_year']}-{n:04d}" for n in range(1, len(ideas) + 1)
        ]

    def _submitted(self, session: Session, idea: Idea, author: Person) -> str:
        cycle = cycle_of(session, uuid.UUID(self.cycle["id"]))
        proposal = draft_proposal(
            session, cycle=cycle, author_id=author.id, content=NewProposal().load(said(idea)),
            contact=None, places=CityProposalPlaces(),
        )  # fmt: skip
        submit_proposal(session, proposal=proposal, cycle=cycle, by=author.id)
        return str(proposal.id)

    def of_each(self, columns: str) -> list[tuple[Any, ...]]:
        """These columns of every proposal, in the order of their numbers."""
        return self.world.rows(
            f"SELECT {columns} FROM proposal WHERE cycle_id = %s ORDER BY number",  # noqa: S608
            self.cycle["id"],
        )

    def count_states(self) -> dict[str, int]:
        """How many proposals are in which state."""
        return dict(self.world.rows(
            "SELECT state, count(*) FROM proposal WHERE cycle_id = %s GROUP BY state",
            self.cycle["id"],
        ))  # fmt: skip

    def assess_all(self, amounts: Sequence[int], *, infeasible: Collection[int]) -> None:
        """Let both officers find each proposal (by its place, from 0 on) feasible, or not."""
        everything = set(range(len(self.ids)))
        by_hand = {min(infeasible), min(everything - set(infeasible))}
        for place in by_hand:
            body = {**(INFEASIBLE if place in infeasible else FEASIBLE), **prices(amounts[place])}
            self.twice("PUT", f"proposals/{self.ids[place]}/assessment", **body)
        with self.session() as session:
            officers = [session.get_one(Citizen, each.id) for each in self.department]
            for place in sorted(everything - by_hand):
                finding = found(amounts[place], is_feasible=place not in infeasible)
                for officer in officers:
                    assess(
                        session, proposal_id=uuid.UUID(self.ids[place]), by=officer, found=finding
                    )

    def let_appeals_lapse(self) -> None:
        """Let the time be over in which authors may appeal, and nobody have done so."""
        with psycopg.connect(self.world.admin_url) as connection:
            connection.execute(
                "UPDATE proposal SET due_at = now() - interval '1 second'"
                " WHERE cycle_id = %s AND state = 'rejected'",
                [self.cycle["id"]],
            )

    # committees

    def body(self, kind: str, members: Sequence[Person], *headings: str) -> str:
        """A committee for these *headings* (none: for all); its first member is in the chair."""
        path = f"cycles/{self.cycle['id']}/committees"
        formed = self.done(
            "POST", path, self.officer, status=201,
            name="위원회", kind=kind, headings=list(headings),
        )  # fmt: skip
        first = {"citizen_id": str(members[0].id), "kind": "citizen", "has_vote": True}
        at = f"committees/{formed['id']}"
        shown = self.done("POST", f"{at}/seats", self.officer, status=201, **first)
        with self.session() as session:
            for member in members[1:]:
                appoint(
                    session, committee=committee_of(session, uuid.UUID(formed["id"])),
                    citizen_id=member.id, kind="citizen", has_vote=True,
                    key=self.world.wiring.keystore.get(PSEUDONYM_KEY), by=self.officer.id,
                )  # fmt: skip
        self.done("PUT", f"{at}/chair", self.officer, seat_id=shown["seats"][0]["id"])
        return str(formed["id"])

    def read_all(self) -> None:
        """Give out what is to be reviewed, and let all readers hand in their opinions."""
        given = self.of_cycle("POST", "assignments")
        assert given.get_json()["lacking"] == []
        with self.session() as session:
            readers = readers_in(session, uuid.UUID(self.cycle["id"]))
        if not readers:
            return
        criteria = [each["key"] for each in self.cycle["review"]["criteria"]]
        scores = [{"criterion": each, "score": 3, "reason": {"ko": "그렇습니다."}}
                  for each in criteria]  # fmt: skip
        by, first = self.world.person(readers[0].citizen_id), readers[0].proposal_id
        self.done("PUT", f"proposals/{first}/opinion", by, scores=scores)
        with self.session() as session:
            for reader in readers[1:]:
                give_opinion(
                    session, proposal_id=reader.proposal_id, citizen_id=reader.citizen_id,
                    scores=scores, comment=None, around=AROUND,
                )  # fmt: skip

    def judge_each(
        self, proposals: Sequence[str], members: Sequence[Person], *, no: Collection[str]
    ) -> None:
        """Let the committee judge each by recorded vote; the first one over HTTP."""
        first, *others = proposals
        for member in members:
            vote = "no" if first in no else "yes"
            self.done("PUT", f"proposals/{first}/judgment-vote", member, vote=vote)
        self.done("POST", f"proposals/{first}/judgment", members[0])
        with self.session() as session:
            for each in others:
                where: dict[str, Any] = {"proposal_id": uuid.UUID(each), "around": AROUND}
                choice: Vote = "no" if each in no else "yes"
                for member in members:
                    vote_on(session, citizen_id=member.id, vote=choice, reason=None, **where)
                close_judgment(session, citizen_id=members[0].id, meeting_id=None, **where)

    def judge_list(
        self,
        committee: str,
        members: Sequence[Person],
        ranked: Sequence[str],
        not_chosen: Sequence[str] = (),
        *,
        pull_out: str | None = None,
    ) -> None:
        """Let the committee decide on a list in one vote, all in favour; one project may be
        pulled out of it by its second member."""
        chair, *others = members
        lists = f"committees/{committee}/shortlists"
        both = {"ranked": list(ranked), "not_chosen": list(not_chosen)}
        at = self.done("POST", lists, chair, status=201, **both)["id"]
        if pull_out is not None:
            self.done("POST", f"shortlists/{at}/pull-outs", others[0], proposal_id=pull_out)
        self.done("PUT", f"shortlists/{at}/vote", chair, vote="yes")
        with self.session() as session:
            for member in others:
                vote_on_list(
                    session, shortlist_id=uuid.UUID(at), citizen_id=member.id, vote="yes",
                    reason=None,
                )  # fmt: skip
        assert self.done("POST", f"shortlists/{at}/judgment", chair)["carried"]

    # from the vote to the plenary

    def cast_all(self, poll: Mapping[str, Any], ballots: Mapping[Person, Sequence[str]]) -> None:
        """Each casts theirs, over HTTP, once the voting has begun."""
        self.vote(poll, list(ballots.values()), list(ballots))

    def confirm(self, members: Sequence[Person], *changes: dict[str, Any]) -> dict[str, Any]:
        """The plenary's motion on the allocation: laid, voted for by all, carried."""
        motion, (chair, *others) = self.laid(*changes), members
        assert self.say(motion, chair).status_code == 200
        with self.session() as session:
            for member in others:
                by = session.get_one(Citizen, member.id)
                vote_on_motion(
                    session, motion_id=uuid.UUID(motion), by=by, choice="yes", around=AROUND
                )
        judged = self.judge(motion, chair)
        assert judged.status_code == 200, judged.get_data(as_text=True)
        assert judged.get_json()["state"] == "carried"
        return dict(judged.get_json())

    def sums(self) -> dict[str, Any]:
        """Projects and money by stage, as the report of the cycle has them."""
        return dict(self.of_cycle("GET", "report").get_json()["total"]["stages"])

    def shown(self) -> dict[str, Any]:
        """The cycle as everybody reads it now."""
        return read(self.world, self.cycle)


def said(idea: Idea) -> dict[str, Any]:
    """The proposal as it is sent."""
    content = {name: value for name, value in idea.items() if name != "amount"}
    item = {"item": "공사비", "quantity": 1, "unit_price": idea["amount"], "amount": idea["amount"]}
    return {
        "title": "동네 사업", "problem": "불편합니다.", "description": "고칩니다.",
        "cost_items": [item], **content,
    }  # fmt: skip


def prices(amount: int) -> dict[str, Any]:
    """What the department says that it costs."""
    return {"assessed_amount": amount, "min_useful_amount": None}


def found(amount: int, *, is_feasible: bool) -> dict[str, Any]:
    """The same finding as the use case takes it."""
    reasons = {check: {"ko": "확인했습니다."} for check in CHECKS}
    last = {} if is_feasible else {"land_available": "no"}
    blank = {"budget_line": None, "site_visit": None}
    return {**dict.fromkeys(CHECKS, "yes"), **last, "reasons": reasons, **prices(amount), **blank}
