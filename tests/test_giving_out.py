"""Giving out: who reads which proposal, by lot and evenly; again when a reader is recused."""

from __future__ import annotations

import uuid
from collections import Counter

import pytest

from mvote.base import utc_now
from mvote.budget.assigning import assign
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.proposal import Proposal
from mvote.budget.reviewing.taking_up import committee_for
from mvote.budget.revision import Revision
from tests.support.hostile import both, no_trace
from tests.support.reviews import Chamber
from tests.support.world import World


@pytest.fixture
def chamber(world: World) -> Chamber:
    return Chamber(world, members=5)


def test_the_work_is_spread_evenly_and_nobody_reads_what_they_are_recused_from(
    chamber: Chamber,
) -> None:
    author = chamber.author()
    proposals = [chamber.assessed(author) for _ in range(5)]
    chamber.step_aside(proposals[0], chamber.members[0])
    made = chamber.give_out()
    assert made == {"proposals": 5, "assignments": 10, "lacking": []}
    loads = Counter(seat for each in proposals for seat in chamber.readers(each))
    assert set(loads.values()) == {2}
    assert chamber.seat_of(chamber.members[0]) not in chamber.readers(proposals[0])
    assert {chamber.get(each)["state"] for each in proposals} == {"under_review"}


def test_the_same_seed_gives_the_same_again_and_the_seed_is_written_down(
    chamber: Chamber,
) -> None:
    proposals = [chamber.assessed() for _ in range(4)]
    chamber.give_out()
    [(facts,)] = chamber.world.rows("SELECT facts FROM journal WHERE kind = 'committee:assigned'")
    seats = [chamber.seat_of(each) for each in chamber.members]
    ids = [each["id"] for each in proposals]
    given = assign(ids, seats, needed=2, recused=[], seed=bytes.fromhex(facts["seed"]))
    assert {each: list(given[each]) for each in given} == {
        each["id"]: chamber.readers(each) for each in proposals
    }


def test_somebody_else_reads_it_once_a_reader_is_recused_or_leaves(chamber: Chamber) -> None:
    proposal = chamber.reviewed()
    readers = chamber.readers(proposal)
    first, second = (
        next(each for each in chamber.members if chamber.seat_of(each) == seat) for seat in readers
    )
    chamber.step_aside(proposal, first)
    after = chamber.readers(proposal)
    assert len(after) == 2
    assert readers[0] not in after
    assert readers[1] in after  # what was assigned before stays
    path = f"committees/{chamber.committee}/seats/me"
    assert chamber.send("DELETE", path, second).status_code == 204
    chamber.work()
    assert len(set(chamber.readers(proposal)) - set(readers)) == 2


def test_a_supporter_loses_what_they_were_to_read_and_the_worker_finds_another(
    chamber: Chamber,
) -> None:
    proposal = chamber.reviewed()
    seat = chamber.readers(proposal)[0]
    member = next(each for each in chamber.members if chamber.seat_of(each) == seat)
    assert chamber.send("PUT", f"proposals/{proposal['id']}/support", member).status_code == 200
    assert chamber.recusals(proposal) == {seat: ("supporter", "detected")}
    assert len(chamber.readers(proposal)) == 1
    chamber.work()
    assert len(chamber.readers(proposal)) == 2
    assert seat not in chamber.readers(proposal)


def test_where_too_few_may_read_it_all_of_them_do_and_it_is_named(chamber: Chamber) -> None:
    proposal = chamber.assessed()
    for member in chamber.members[1:]:
        chamber.step_aside(proposal, member)
    assert chamber.give_out()["lacking"] == [proposal["id"]]
    assert chamber.readers(proposal) == [chamber.seat_of(chamber.members[0])]
    chamber.work()
    with no_trace(chamber.world):
        chamber.work()
    assert chamber.readers(proposal) == [chamber.seat_of(chamber.members[0])]


def test_the_worker_takes_up_what_is_feasible_while_the_cycle_reviews(chamber: Chamber) -> None:
    proposal = chamber.assessed()
    with no_trace(chamber.world):
        chamber.work()
    chamber.enter("reviewing")
    chamber.work()
    assert len(chamber.readers(proposal)) == 2
    with no_trace(chamber.world):
        chamber.work()


def test_only_the_cycles_department_gives_out_and_only_while_it_reviews(chamber: Chamber) -> None:
    chamber.assessed()
    path = f"/v1/cycles/{chamber.cycle_id}/assignments"
    with no_trace(chamber.world):
        both(chamber.world, "POST", path, 409, "phase-not-open", headers=chamber.officer.headers)
    chamber.enter("reviewing")
    stranger = chamber.world.officer()
    with no_trace(chamber.world):
        for who in (stranger, chamber.members[0]):
            both(chamber.world, "POST", path, 403, "not-allowed", headers=who.headers)


def test_a_proposal_goes_to_the_committee_of_its_heading_and_district(world: World) -> None:
    rules = {"headings": [{"key": "city"}, {"key": "parks", "parent": "city"}, {"key": "local"}],
             "review": {"body": "subcommittee", "appeal_body": "appeals"}}  # fmt: skip
    cycle = Cycle(definition=rules)
    made = {
        name: Committee(id=uuid.uuid4(), kind=kind, headings=headings, area_codes=areas)
        for name, kind, headings, areas in (
            ("city", "subcommittee", ["city"], []),
            ("parks", "subcommittee", ["parks"], []),
            ("jongno", "subcommittee", ["local"], ["11110"]),
            ("appeals", "appeals", [], []),
        )
    }

    def found(heading: str, *areas: str, appealed: bool = False) -> str | None:
        proposal = Proposal(appealed_at=utc_now() if appealed else None)
        revision = Revision(heading=heading, area_codes=list(areas))
        committee = committee_for(cycle, list(made.values()), proposal, revision)
        return next((name for name, each in made.items() if each is committee), None)

    assert found("parks") == "parks"
    assert found("city") == "city"
    assert found("local", "11110", "11") == "jongno"
    assert found("local", "11140", "11") is None
    assert found("local", "11140", appealed=True) == "appeals"
