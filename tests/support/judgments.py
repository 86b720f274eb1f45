"""A committee that judges: votes, closing, and what is public of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.budget.deliberation.closing import close_judgment
from mvote.budget.deliberation.voting import vote_on
from mvote.budget.judging import Vote
from mvote.errors import Text
from tests.support.reviews import AROUND, Chamber
from tests.support.world import Person, World

WHY: Text = {"ko": "필요한 사업입니다."}


class Court(Chamber):
    """A chamber whose first member is in the chair; nobody confirms, and no opinion is needed."""

    def __init__(self, world: World, *, members: int = 5, **review: Any) -> None:
        given = {"opinions_min": 0, "confirm": None, "fallback": None} | review
        super().__init__(world, members=members, **given)
        self.chair()

    def reviewed(self, author: Person | None = None, **content: Any) -> dict[str, Any]:
        """A proposal that the committee judges; as many as a test wants."""
        self.enter("proposing")
        return super().reviewed(author, **content)

    def vote(self, proposal: dict[str, Any], who: Person, vote: str = "yes", **more: Any) -> Any:
        path = f"proposals/{proposal['id']}/judgment-vote"
        return self.send("PUT", path, who, {"vote": vote, "reason": WHY["ko"]} | more)

    def votes(self, proposal: dict[str, Any], people: Sequence[Person] = (), **counts: int) -> None:
        """Let so many of the people (the members) vote `yes`, `no`, `abstain`."""
        voters: Iterator[Person] = iter(people or self.members)
        for vote, times in counts.items():
            for who in islice(voters, times):
                answer = self.vote(proposal, who, vote)
                assert answer.status_code == 200, answer.get_data(as_text=True)

    def close(
        self, proposal: dict[str, Any], who: Person | None = None, **body: Any
    ) -> TestResponse:
        path = f"proposals/{proposal['id']}/judgment"
        return self.send("POST", path, who or self.members[0], body)

    def closed(self, proposal: dict[str, Any], who: Person | None = None) -> dict[str, Any]:
        """The judgment, closed."""
        answer = self.close(proposal, who)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.get_json())

    def move(self, proposal: dict[str, Any], who: Person, motion: str, **body: Any) -> TestResponse:
        path = f"proposals/{proposal['id']}/motion"
        return self.send("PUT", path, who, {"motion": motion} | body)

    def judgments(self, proposal: dict[str, Any]) -> list[dict[str, Any]]:
        """As anybody reads them."""
        answer = self.send("GET", f"proposals/{proposal['id']}/judgments", None)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return list(answer.get_json()["items"])

    def state(self, proposal: dict[str, Any]) -> str:
        return str(self.get(proposal)["state"])

    def body_of(self, kind: str, members: int) -> tuple[str, list[Person]]:
        """Another committee, its first member in the chair."""
        committee = self.formed(kind)
        people = [self.seated(committee=committee) for _ in range(members)]
        body = {"seat_id": self.seat_of(people[0], committee)}
        assert (
            self.send("PUT", f"committees/{committee}/chair", self.officer, body).status_code == 200
        )
        return committee, people

    # the same without HTTP, for races

    def vote_in(self, session: Session, proposal: dict[str, Any], who: Person, vote: Vote) -> None:
        vote_on(
            session, proposal_id=uuid.UUID(proposal["id"]), citizen_id=who.id, vote=vote,
            reason=None, around=AROUND,
        )  # fmt: skip

    def close_in(self, session: Session, proposal: dict[str, Any], who: Person) -> None:
        close_judgment(
            session, proposal_id=uuid.UUID(proposal["id"]), citizen_id=who.id, meeting_id=None,
            around=AROUND,
        )  # fmt: skip

    def session(self) -> Session:
        return Session(self.world.engines["api"])

    def done(self, act: Any, *args: Any) -> None:
        """Do it in a transaction of its own."""
        with self.session() as session, transaction(session):
            act(session, *args)
