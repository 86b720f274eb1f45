"""Appeals, and committees that lack so many that reserves are sworn in."""

from __future__ import annotations

from typing import Any

from tests.support.committees import EVEN, SEED, VALUE, draw_by, let_days_pass
from tests.support.judgments import Court
from tests.support.proposals import INFEASIBLE
from tests.support.world import Person, World

FLOOR = {"more_than": "1/2", "floor": 3}
Appealed = tuple[Court, dict[str, Any], list[Person]]
"""The court, the proposal, and those in the body for appeals who took no part."""


def appealed_from(
    world: World, *, chair_votes: bool = True, opinions_min: int = 0, **review: Any
) -> Appealed:
    """A rejection before the body for appeals, in which two sit who voted on it before."""
    court = Court(world, quorum=FLOOR, opinions_min=opinions_min, **review)
    author = court.author()
    appeals, people = court.body_of("appeals", 3)
    for who in court.members[:2]:
        court.seated(who, appeals)
    proposal = court.reviewed(author)
    for who in court.members[2:][:opinions_min]:
        assert court.opine(proposal, who).status_code == 200
    court.votes(proposal, court.members if chair_votes else court.members[1:], no=3)
    court.closed(proposal)
    answer = court.post(f"{proposal['id']}/appeal", author, grounds="시유지입니다.")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return court, proposal, people


def drawn_plenary(court: Court) -> tuple[str, list[Person]]:
    """A plenary of two that was drawn, with two in reserve, and all who applied."""
    people = [court.citizen(home_area="11110", gender=each) for each in ("female", "male") * 2]
    body = {"name": "총회", "kind": "plenary", "draw": draw_by(EVEN)}
    path = f"cycles/{court.cycle_id}/committees"
    plenary = str(court.send("POST", path, court.officer, body).get_json()["id"])
    for person in people:
        answer = court.send("POST", f"committees/{plenary}/applications", person, {})
        assert answer.status_code == 201, answer.get_data(as_text=True)
    let_days_pass(court.world, plenary, 13)
    given = {"seed": SEED, "public_value": VALUE, "targets": EVEN}
    answer = court.send("POST", f"committees/{plenary}/draw", court.officer, given)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return plenary, people


def below_the_floor(world: World, **review: Any) -> tuple[Court, dict[str, Any], Person]:
    """A committee of three without a fallback, a proposal from which one of them is recused, and
    the reserve of the plenary's draw who was sworn in for it."""
    court = Court(world, members=3, quorum=FLOOR, **review)
    _, people = drawn_plenary(court)
    proposal = court.reviewed()
    court.step_aside(proposal, court.members[2])
    called = court.send("POST", f"proposals/{proposal['id']}/judges", court.officer)
    assert called.status_code == 200, called.get_data(as_text=True)
    [(citizen,)] = world.rows(
        "SELECT citizen_id FROM seat JOIN sworn_in ON seat_id = seat.id"
        " WHERE committee_id = %s", court.committee
    )  # fmt: skip
    [reserve] = [who for who in people if who.id == citizen]
    return court, proposal, reserve


def found_infeasible(court: Court, **found: Any) -> dict[str, Any]:
    """A proposal that two officers found infeasible, while the cycle reviews."""
    court.enter("proposing")
    rejected = court.submitted(court.author(), heading="f1")
    for officer in court.department:
        answer = court.assess(rejected, officer, INFEASIBLE | found)
        assert answer.status_code in (200, 202), answer.get_data(as_text=True)
    court.enter("reviewing")
    return rejected


def taken_up(court: Court, **found: Any) -> dict[str, Any]:
    """The same, called up by the committee."""
    proposal = found_infeasible(court, **found)
    assert court.move(proposal, court.members[1], "call_up").status_code == 200
    court.votes(proposal, yes=3)
    court.closed(proposal)
    return proposal
