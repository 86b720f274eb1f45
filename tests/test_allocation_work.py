"""An allocation takes so much work in a request and no more, counted in steps, not in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.comparisons import compare
from mvote.budget.allocating.documents import document
from mvote.budget.allocating.errors import TooMuchWork
from mvote.budget.allocating.model import Contest, Heading
from mvote.budget.allocating.work import Work
from tests.support.contests import approval_contest, contest
from tests.support.elections import allocation, funded, send_pb
from tests.support.hostile import no_trace
from tests.support.pb import pb_text
from tests.support.world import World
from tests.test_people_commands import run

COSTS = {"a": 400, "b": 600, "c": 1_100}
APPROVALS = {("a",): 1, ("b",): 1, ("c",): 1}
MANY_RUNS = approval_contest(COSTS, APPROVALS, 1_000, completion="add1")
FILE = pb_text(COSTS, ["a", "b", "c"], 1_000, rule="equalshares/add1", currency="KRW")


def steps_of(made: Contest) -> int:
    work = Work()
    allocate(made, work)
    return work.done


def test_the_same_contest_always_takes_the_same_steps() -> None:
    assert steps_of(MANY_RUNS) == steps_of(MANY_RUNS) > 100


def test_what_needs_one_step_more_than_there_may_be_is_refused() -> None:
    needed = steps_of(MANY_RUNS)
    assert allocate(MANY_RUNS, Work(needed)).funded == allocate(MANY_RUNS).funded
    with pytest.raises(TooMuchWork) as refused:
        allocate(MANY_RUNS, Work(needed - 1))
    assert refused.value.facts == {"steps": needed - 1}


def test_a_twin_that_counts_no_steps_would_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Work, "look_at", lambda *_: None)
    assert allocate(MANY_RUNS, Work(1)).funded


def test_explanations_that_are_found_by_trying_count_as_well() -> None:
    made = contest(
        {f"p{n}": 10 for n in range(20)},
        {f"p{n}": 100 - n for n in range(20)},
        50,
        headings=[Heading("h", 40, leftover="to_parent")],
        under={f"p{n}": "h" for n in range(20)},
    )
    found = allocate(made, Work(3))
    with pytest.raises(TooMuchWork):
        document(found, (), rule="greedy")


def test_a_comparison_that_takes_too_much_says_so_beside_the_binding_rule() -> None:
    binding = replace(MANY_RUNS, rule=replace(MANY_RUNS.rule, completion="none"))
    [found] = compare(binding, ["equal_shares/add1"], Work(20))
    assert found.allocation is None
    assert "20 steps" in (found.reason or "")
    assert found.recountable


def test_a_comparison_that_needs_single_ballots_says_that_nobody_can_repeat_it() -> None:
    totals = replace(MANY_RUNS, approvals=None, rule=replace(MANY_RUNS.rule, rule="greedy"))
    greedy, shares = compare(totals, ["no_skip", "equal_shares/add1"])
    assert (greedy.recountable, shares.recountable) == (True, False)
    assert shares.allocation is None


def test_an_import_that_needs_too_much_work_is_refused_and_left_to_a_command(
    world: World, tmp_path: Path
) -> None:
    settings, administrator = world.settings, world.administrator()
    wired = replace(world.wiring, settings=replace(settings, allocation_steps=50))
    world.app.extensions["wiring"] = wired
    try:
        with no_trace(world):
            answer = send_pb(world, FILE, administrator)
    finally:
        world.app.extensions["wiring"] = world.wiring
    assert (answer.status_code, answer.get_json()["code"]) == (409, "too-much-work")
    assert answer.get_json()["steps"] == 50
    assert "flask cycles" in answer.get_json()["next_step"]
    path = tmp_path / "great.pb"
    path.write_text(FILE)
    assert run(world.app, "administrators", "add", "--phone", "+821020000001").exit_code == 0
    done = run(world.app, "cycles", "import", str(path), "--phone", "+821020000001")
    assert done.exit_code == 0, done.output
    found = allocation(world, {"id": done.output.split()[0]})
    assert funded(found["binding"]) == ["a", "b"]


def test_only_an_administrator_imports_by_the_command(world: World, tmp_path: Path) -> None:
    path = tmp_path / "some.pb"
    path.write_text(FILE)
    refused = run(world.app, "cycles", "import", str(path), "--phone", "+821020000002")
    assert (refused.exit_code, world.count("cycle")) == (1, 0)
    assert "No administrator has this number." in refused.output


def test_a_broken_file_is_refused_by_the_command_with_its_row(world: World, tmp_path: Path) -> None:
    path = tmp_path / "broken.pb"
    path.write_text(FILE.replace("PROJECTS", "PROJEKTE"))
    assert run(world.app, "administrators", "add", "--phone", "+821020000001").exit_code == 0
    refused = run(world.app, "cycles", "import", str(path), "--phone", "+821020000001")
    assert (refused.exit_code, world.count("cycle")) == (1, 0)
