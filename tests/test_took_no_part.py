"""Appeals are judged by people who took no part, and reserves have a part in nothing else."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError

from tests.support.appeals import Appealed, appealed_from, below_the_floor
from tests.support.hostile import no_trace
from tests.support.proposals import as_owner, refused
from tests.support.reviews import PUT
from tests.support.world import World

VOTE = (
    "INSERT INTO judgment_vote SELECT judgment.id, seat.id, 'yes', NULL, now() FROM judgment"
    " JOIN seat USING (committee_id) WHERE judgment.state = 'open' AND proposal_id = %s"
    " AND citizen_id = %s"
)


@pytest.fixture
def appealed(world: World) -> Appealed:
    """A rejection before the body for appeals, two of whom voted on it before."""
    return appealed_from(world, opinions_min=3)


def _allowed(appealed: Appealed) -> Appealed:
    """The appeal, allowed: the body for appeals reviews the proposal now."""
    court, proposal, people = appealed
    court.votes(proposal, people, yes=2)
    court.closed(proposal, people[0])
    court.give_out()
    return appealed


def test_who_voted_before_an_appeal_writes_no_opinion_in_it(appealed: Appealed) -> None:
    court, proposal, people = _allowed(appealed)
    with no_trace(court.world):
        answer = court.opine(proposal, court.members[0])
        assert refused(answer) == (403, "recused")
        assert answer.get_json()["ground"] == "took_part"
    assert court.opine(proposal, people[1]).status_code == 200
    asked = {court.seat_of(who, appeals_of(court)) for who in people}
    assert asked <= set(court.readers(proposal))
    left_out = {court.seat_of(who, appeals_of(court)) for who in court.members[:2]}
    assert not left_out & set(court.readers(proposal))


def appeals_of(court: Any) -> str:
    """The id of the committee for appeals."""
    return str(court.world.rows("SELECT id FROM committee WHERE kind = 'appeals'")[0][0])


@pytest.mark.parametrize("act", [PUT, VOTE], ids=["opinion", "vote"])
def test_the_database_itself_keeps_them_out_of_the_appeal(appealed: Appealed, act: str) -> None:
    court, proposal, people = _allowed(appealed)
    court.votes(proposal, people, yes=1)
    with (
        pytest.raises(DatabaseError, match="recused"),
        as_owner(court.world) as connection,
    ):
        connection.execute(act.encode(), [proposal["id"], court.members[0].id])


def test_who_closed_the_judgment_from_the_chair_without_a_vote_took_part(world: World) -> None:
    court, proposal, _ = appealed_from(world, chair_votes=False)
    with no_trace(world):
        assert refused(court.vote(proposal, court.members[0])) == (403, "recused")


def test_opinions_on_an_appeal_are_taken_as_long_as_it_is_judged(appealed: Appealed) -> None:
    """It has a clock of its own: the end of the phase must not leave it without a judgment."""
    court, proposal, people = _allowed(appealed)
    with psycopg.connect(court.world.admin_url) as connection:
        connection.execute("UPDATE cycle_phase SET closes_at = now() WHERE kind = 'reviewing'")
    assert court.opine(proposal, people[0]).status_code == 200
    assert [each["proposal_id"] for each in court.left(people[1])] == [proposal["id"]]


# reserves


def test_a_reserve_gives_opinions_on_what_they_were_sworn_in_for_alone(world: World) -> None:
    court, proposal, reserve = below_the_floor(world)
    other = court.reviewed()
    with no_trace(world):
        assert refused(court.opine(other, reserve)) == (403, "not-allowed")
    assert court.opine(proposal, reserve).status_code == 200


def test_the_database_takes_no_opinion_of_a_reserve_on_anything_else(world: World) -> None:
    court, _, reserve = below_the_floor(world)
    other = court.reviewed()
    with pytest.raises(DatabaseError), as_owner(world) as connection:
        connection.execute(PUT.encode(), [other["id"], reserve.id])


def test_what_needs_reserves_is_not_decided_by_a_list_but_alone(world: World) -> None:
    court, proposal, reserve = below_the_floor(world, decide={"mode": "shortlist"})
    other = court.reviewed()
    path = f"committees/{court.committee}/shortlists"
    with no_trace(world):
        answer = court.send("POST", path, court.members[0], {"ranked": [proposal["id"]]})
        assert refused(answer) == (422, "invalid-request")
    listed = court.send("POST", path, court.members[0], {"ranked": [other["id"]]}).get_json()
    for who in court.members:
        court.send("PUT", f"shortlists/{listed['id']}/vote", who, {"vote": "yes"})
    court.step_aside(other, court.members[2])  # from here on it lacks one, too
    closed = court.send("POST", f"shortlists/{listed['id']}/judgment", court.members[0])
    assert closed.status_code == 200, closed.get_data(as_text=True)
    assert court.state(other) == "under_review"
    assert court.vote(other, reserve).status_code == 200
