"""A contest is allocated once, by its frozen rule, when all its sources are released."""

from __future__ import annotations

import uuid
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy.orm import Session

from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.cycle_rules import contest_of
from mvote.budget.allocating.model import Project, Tally
from mvote.budget.allocations import CycleAllocation
from mvote.budget.cycle import Cycle
from mvote.budget.deciding import allocating
from mvote.budget.deciding.allocating import WorkedOut, work_out, write_allocation
from mvote.budget.deciding.errors import AlreadyAllocated
from mvote.budget.deciding.unsealed import Unsealed
from mvote.budget.drawing.lots import in_order
from tests.support.balloting import field
from tests.support.budgets import definition_of, plan
from tests.support.deciding import Council, held, small
from tests.support.elections import funded
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.racing import race
from tests.support.world import World, new_key
from tests.test_people_commands import run


def again(year: Council, document: dict[str, Any]) -> list[str]:
    """Who is funded if a stranger works it out from what is published."""
    inputs = document["inputs"]
    projects = [
        Project(each["reference"], each["cost"], each["heading"], each["struck"])
        for each in inputs["projects"]
    ]
    tallies = {
        each["key"]: Tally({k: Fraction(v) for k, v in each["votes"].items()}, each["ballots"])
        for each in inputs["sources"]
    }
    shown = year.world.client.get(f"/v1/cycles/{year.cycle['id']}").get_json()
    seed = bytes.fromhex(document["lot"]["seed"])
    made = contest_of(shown, document["contest"], projects=projects, tallies=tallies, seed=seed)
    return sorted(each.reference for each in allocate(made).funded)


def test_anybody_works_it_out_again_from_what_is_published(world: World) -> None:
    year = held(world)
    found = year.allocated()
    first, second, _, _, fifth = year.references
    assert funded(found["binding"]) == [first, second, fifth] == again(year, found)
    assert {each["amount"] for each in found["binding"]["funded"]} == {40, 30, 10}
    assert year.allocation() == found


def test_it_waits_for_every_source_and_names_those_that_it_waits_for(world: World) -> None:
    year = Council(world, 2015)
    projects = year.projects(3, heading=field)
    year.plenary(5)
    year.seal(dict.fromkeys(projects, 1))
    citizens, committee = year.open("citizens"), year.open("committee")
    year.vote(citizens, [projects[:1]] * 5, year.citizens(5))
    year.finish(citizens)
    with no_trace(world):
        waiting = year.allocate()
    assert refused(waiting) == (409, "results-not-available")
    assert waiting.get_json()["sources"] == ["citizens", "committee"]  # released together
    year.vote(committee, [projects[:1]] * 5, year.members)
    year.finish(committee)
    assert year.allocate().status_code == 201


def test_a_source_that_was_never_sealed_blocks_the_blend(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it may be in polls that were frozen before it hindered them."""
    monkeypatch.setattr(
        "mvote.budget.balloting.opening.unsealed", lambda *_, **__: Unsealed([], [])
    )
    year = Council(world, 2015)
    projects = year.projects(3, heading=field)
    year.plenary(5)
    citizens, committee = (year.try_open(each).get_json() for each in ("citizens", "committee"))
    year.vote(citizens, [projects[:1]] * 5, year.citizens(5))
    year.vote(committee, [projects[:1]] * 5, year.members)
    year.finish(citizens, committee)
    with no_trace(world):
        missing = year.allocate()
    assert refused(missing) == (409, "source-missing")
    assert missing.get_json()["sources"] == ["survey"]


def test_it_is_done_once_while_it_is_time_by_an_officer_of_the_department(world: World) -> None:
    year = held(world)
    with no_trace(world):
        assert refused(year.allocate(year.second)) == (403, "not-allowed")
        assert refused(year.allocate(year.members[0])) == (403, "not-allowed")
        assert refused(year.allocate(contest="gu")) == (404, "not-found")
    year.enter("balloting")
    with no_trace(world):
        assert refused(year.allocate()) == (409, "phase-not-open")
    year.enter("deciding")
    year.allocated()
    with no_trace(world):
        assert refused(year.allocate()) == (409, "already-allocated")


def test_the_same_request_again_gets_the_same_answer(world: World) -> None:
    year = held(world)
    path = f"/v1/cycles/{year.cycle['id']}/allocation"
    headers = year.officer.headers | {"Idempotency-Key": new_key()}
    first, second = (world.client.post(path, headers=headers) for _ in range(2))
    assert (first.status_code, first.get_data()) == (201, second.get_data())
    assert world.count("cycle_allocation") == 1


def test_a_project_that_is_struck_later_is_left_out_when_it_is_allocated_anew(
    world: World,
) -> None:
    year = held(world)
    year.allocated()
    first, second, _, _, fifth = year.references
    year.strike(second)
    assert refused(year.lay()) == (409, "allocation-outdated")
    anew = year.allocated()
    assert anew["n"] == 1
    assert funded(anew["binding"]) == [first, year.references[3], fifth]  # 40 + 20 + 10
    decisions = {each["reference"]: each["decision"] for each in anew["binding"]["projects"]}
    assert decisions[second] == "struck"
    year.carried()
    assert year.state_of(second) == "struck"


def test_what_needs_too_much_work_is_left_to_the_command(world: World) -> None:
    year = held(world, compare=["no_skip"])
    wired = replace(world.wiring, settings=replace(world.settings, allocation_steps=0))
    world.app.extensions["wiring"] = wired
    try:
        with no_trace(world):
            assert refused(year.allocate()) == (409, "too-much-work")
    finally:
        world.app.extensions["wiring"] = world.wiring
    done = run(world.app, "cycles", "allocate", year.cycle["id"])
    assert done.exit_code == 0, done.output
    assert "3 projects" in done.output
    assert funded(year.allocation()["binding"]) == again(year, year.allocation())
    twice = run(world.app, "cycles", "allocate", year.cycle["id"])
    assert (twice.exit_code, world.count("cycle_allocation")) == (1, 1)


def worked_out(world: World, year: Council) -> WorkedOut:
    with Session(world.engines["api"]) as session:
        cycle = session.get_one(Cycle, uuid.UUID(year.cycle["id"]))
        return work_out(session, cycle=cycle, contest="city", most_steps=None)


def written_by(year: Council, found: WorkedOut) -> Any:
    def act(session: Session) -> CycleAllocation:
        cycle = session.get_one(Cycle, uuid.UUID(year.cycle["id"]))
        return write_allocation(session, cycle=cycle, found=found, by=None)

    return act


def test_of_officers_who_allocate_at_once_one_does_it(world: World) -> None:
    year = held(world)
    act = written_by(year, worked_out(world, year))
    done = race(world.engines["api"], 4, act)
    refusals = [each for each in done if isinstance(each, Exception)]
    assert [type(each) for each in refusals] == [AlreadyAllocated] * 3
    assert world.count("cycle_allocation") == 1


def test_a_twin_that_lets_them_in_together_is_held_by_the_database(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without waiting for each other, and without looking, the key of the table still holds."""
    year = held(world)
    found = worked_out(world, year)
    monkeypatch.setattr(allocating, "one_at_a_time", lambda *_: None)
    monkeypatch.setattr(allocating, "next_number", lambda *_: found.n)
    done = race(world.engines["api"], 4, written_by(year, found))
    assert sum(isinstance(each, AlreadyAllocated) for each in done) == 3
    assert world.count("cycle_allocation") == 1


def test_a_cycle_that_does_not_run_is_not_allocated(world: World) -> None:
    officer = world.officer()
    draft = plan(world, definition_of(2023), officer)
    path = f"/v1/cycles/{draft['id']}/allocation"
    with no_trace(world):
        answer = world.client.post(path, headers=officer.headers)
    assert refused(answer) == (409, "impossible-transition")


def test_ties_are_broken_by_the_lot_that_was_bound_before(world: World) -> None:
    """Two projects with equal votes and costs: the order is that of the published seed."""
    year = small(world, ties=["lot"])
    poll = year.open("citizens")
    year.vote(poll, [year.references] * 5, year.citizens(5))
    year.finish(poll)
    found = year.allocated()
    seed = bytes.fromhex(found["lot"]["seed"])
    assert found["binding"]["order"] == in_order(year.references, seed)
