"""No route, count or export shows another's opinion before one's own is in: every route is walked.

What everybody is answered before and after somebody hands in an opinion is compared, byte by byte.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.errors import RestrictViolation
from sqlalchemy.orm import Session

from tests.support.contract import contract
from tests.support.governing import twin
from tests.support.hostile import everything
from tests.support.proposals import as_owner
from tests.support.racing import Beside
from tests.support.reviews import DISCUSS, PUT, RECUSE, Chamber, written
from tests.support.waiting import wait_until_blocked
from tests.support.world import Person, World

TELLS_THE_TIME = {"/metrics"}
ASKED = "(SELECT review_id, seat_id, 1 AS round FROM review_assignment) AS own"
LOCK = "PERFORM 1 FROM proposal WHERE id = p_proposal_id FOR UPDATE;"
Question = tuple[str, str]
"""A path, and the type of the answer that is asked for."""
Answers = dict[tuple[str, Question], bytes]
Proposal = dict[str, Any]


@pytest.fixture
def chamber(world: World) -> Chamber:
    return Chamber(world)


EXPORT = "/v1/me/export"


class Walk:
    """Every route that can be read, by everybody who might learn something from it."""

    def __init__(self, chamber: Chamber, proposal: Proposal) -> None:
        self.client = chamber.world.client
        self.ids = {
            "proposal_id": proposal["id"],
            "cycle_id": chamber.cycle_id,
            "committee_id": chamber.committee,
        }
        self.readers: dict[str, Person | None] = {
            "nobody": None,
            "a citizen": chamber.citizen(),
            "a member": chamber.members[1],
            "another member": chamber.members[2],
            "the department": chamber.officer,
            "an officer who is an administrator": everything(chamber.world),
        }
        self.before = self.answers()

    def questions(self) -> Iterator[Question]:
        """All that the contract lets anybody read, in every form, with what there is to be read."""
        for template, item in contract()["paths"].items():
            if "get" in item and template not in TELLS_THE_TIME:
                path = re.sub(r"{(\w+)}", lambda found: self._value(found[1]), template)
                for media in item["get"]["responses"].get("200", {}).get("content", {"*/*": {}}):
                    yield path, media

    def _value(self, name: str) -> str:
        return str(self.ids.get(name, uuid.UUID(int=7)))

    def answers(self) -> Answers:
        return {
            (who, question): self._answer(reader, *question)
            for who, reader in self.readers.items()
            for question in self.questions()
        }

    def _answer(self, reader: Person | None, path: str, media: str) -> bytes:
        headers = {"Accept": media} | (reader.headers if reader else {})
        with self.client.get(path, headers=headers) as answer:
            return _without_own_acts(answer.get_data()) if path == EXPORT else answer.get_data()

    def noticed(self) -> set[tuple[str, Question]]:
        """Who is answered something else now, and where."""
        after = self.answers()
        return {key for key, body in self.before.items() if after[key] != body}


def _without_own_acts(export: bytes) -> bytes:
    """What readers did themselves stands in it, and reading all there is is such an act."""
    document = json.loads(export)
    document.pop("acts", None)
    return json.dumps(document).encode()


def test_nobody_notices_an_opinion_of_somebody_else(chamber: Chamber) -> None:
    proposal = chamber.reviewed()
    walk = Walk(chamber, proposal)
    assert len(walk.before) > 300
    assert chamber.opine(proposal, chamber.members[0]).status_code == 200
    assert walk.noticed() == set()


def test_the_walk_notices_a_database_that_opens_opinions_at_once(
    chamber: Chamber, owner: Session
) -> None:
    """The sabotaged twin: everything can be read as if it were judged."""
    proposal = chamber.reviewed()
    walk = Walk(chamber, proposal)
    with twin(owner, "opinions_to_read", "review.judged_at IS NOT NULL", "true"):
        assert chamber.opine(proposal, chamber.members[0]).status_code == 200
        noticed = walk.noticed()
    where = (f"/v1/proposals/{proposal['id']}/opinions", "application/json")
    assert noticed == {(who, where) for who in walk.readers}


def test_the_second_round_is_as_blind_as_the_first(chamber: Chamber) -> None:
    proposal, chair = chamber.reviewed(), chamber.chair()
    for who in chamber.members:
        assert chamber.opine(proposal, who).status_code == 200
    chamber.discuss(proposal, chair)
    walk = Walk(chamber, proposal)
    assert chamber.opine(proposal, chair, comment="둘째 의견").status_code == 200
    assert walk.noticed() == set()


# races


def test_whoever_reads_while_their_own_is_being_written_reads_nothing_yet(
    chamber: Chamber,
) -> None:
    proposal, (writer, reader, _) = chamber.reviewed(), chamber.members
    assert chamber.opine(proposal, writer).status_code == 200
    with written(chamber.world, PUT, proposal["id"], reader.id) as commit:
        assert chamber.read(proposal, reader) == []
        commit()
    assert len(chamber.read(proposal, reader)) == 2


def test_a_database_that_opens_opinions_to_whoever_is_to_write_shows_them_too_early(
    chamber: Chamber, owner: Session
) -> None:
    """The sabotaged twin: being asked for an opinion counts as having given it."""
    proposal = chamber.reviewed()
    seats = {chamber.seat_of(each): each for each in chamber.members}
    reader, writer = (seats[seat] for seat in chamber.readers(proposal))
    assert chamber.opine(proposal, writer).status_code == 200
    with (
        twin(owner, "opinions_to_read", "opinion AS own", ASKED),
        written(chamber.world, PUT, proposal["id"], reader.id),
    ):
        assert chamber.read(proposal, reader) == [(chamber.seat_of(writer), 1)]


def test_an_opinion_waits_for_a_recusal_that_is_being_written_and_is_refused(
    chamber: Chamber,
) -> None:
    proposal, member = chamber.reviewed(), chamber.members[0]
    with (
        written(chamber.world, RECUSE, proposal["id"], member.id) as commit,
        Beside(lambda: _put(chamber, proposal, member)) as giving,
    ):
        wait_until_blocked(chamber.world.admin_url, "INSERT INTO opinion")
        commit()
    assert isinstance(giving.error, RestrictViolation)
    assert giving.error.diag.constraint_name == "not_recused"
    assert chamber.world.count("opinion") == 0


def test_a_guard_without_its_lock_lets_an_opinion_pass_a_recusal(
    chamber: Chamber, owner: Session
) -> None:
    """The sabotaged twin: it looks for recusals without waiting for them."""
    proposal, member = chamber.reviewed(), chamber.members[0]
    with (
        twin(owner, "refuse_the_recused", LOCK, ""),
        written(chamber.world, RECUSE, proposal["id"], member.id) as commit,
    ):
        _put(chamber, proposal, member)
        commit()
    assert (chamber.world.count("opinion"), chamber.world.count("recusal")) == (1, 1)


def test_a_recusal_waits_for_an_opinion_that_is_being_written_and_closes_it(
    chamber: Chamber,
) -> None:
    proposal, member, other = chamber.reviewed(), chamber.members[0], chamber.members[1]
    with (
        written(chamber.world, PUT, proposal["id"], member.id) as commit,
        Beside(lambda: chamber.step_aside(proposal, member)),
    ):
        wait_until_blocked(chamber.world.admin_url, "proposal")
        commit()
    assert chamber.opine(proposal, other).status_code == 200
    assert chamber.read(proposal, other) == [(chamber.seat_of(other), 1)]


def test_a_first_opinion_that_waits_for_the_discussion_is_too_late(chamber: Chamber) -> None:
    proposal, late = chamber.reviewed(), chamber.members[1]
    with (
        written(chamber.world, DISCUSS, proposal["id"]) as commit,
        Beside(lambda: _put(chamber, proposal, late)) as giving,
    ):
        wait_until_blocked(chamber.world.admin_url, "INSERT INTO opinion")
        commit()
    assert isinstance(giving.error, RestrictViolation)
    assert giving.error.diag.constraint_name == "review_open"


def test_a_guard_without_its_lock_takes_a_first_opinion_after_the_discussion(
    chamber: Chamber, owner: Session
) -> None:
    """The sabotaged twin: whoever has heard the others still scores as if blind."""
    proposal, late = chamber.reviewed(), chamber.members[1]
    with (
        twin(owner, "refuse_the_recused", LOCK, ""),
        written(chamber.world, DISCUSS, proposal["id"]) as commit,
    ):
        _put(chamber, proposal, late)
        commit()
    assert chamber.world.rows("SELECT at > discussed_at FROM opinion, review") == [(True,)]


def _put(chamber: Chamber, proposal: Proposal, who: Person) -> None:
    """Hand in a first opinion past the use case: only the database's guard looks at it."""
    with as_owner(chamber.world) as connection:
        connection.execute(PUT.encode(), [proposal["id"], who.id])
