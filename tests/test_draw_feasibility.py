"""Whether places can still be filled is decided in whole numbers, whatever a solver says."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.budget.drawing import feasibility
from mvote.budget.drawing.feasibility import completion
from mvote.budget.drawing.refuting import Refuted, Undecided, contradicts, settle
from mvote.budget.drawing.system import Counts, Row, System
from tests.support.code import ROOT

COUNTS = 4


def test_the_web_does_not_load_a_solver_before_it_is_needed() -> None:
    """It takes up 58 MiB in each worker."""
    loaded = "import sys, api.app, mvote.budget.drawing.published; print('scipy' in sys.modules)"
    words = [sys.executable, "-c", loaded]
    run = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout == "False\n"


@st.composite
def systems(draw: st.DrawFn) -> System:
    row = st.builds(
        Row,
        st.sets(st.integers(0, COUNTS - 1), min_size=1).map(lambda each: tuple(sorted(each))),
        st.integers(0, 5),
        st.integers(0, 8),
    )
    most = draw(st.tuples(*[st.integers(0, 3)] * COUNTS))
    return System(tuple(draw(st.lists(row, max_size=5))), most)


def solutions(system: System) -> list[Counts]:
    every = itertools.product(*(range(most + 1) for most in system.most))
    return [counts for counts in every if all(row.holds(counts) for row in system.rows)]


@settings(max_examples=200, deadline=None)
@given(systems())
def test_there_is_a_completion_exactly_if_trying_all_numbers_finds_one(system: System) -> None:
    found = completion(system, (0,) * COUNTS)
    assert isinstance(found, Refuted) == (not solutions(system))
    assert isinstance(found, Refuted) or found in solutions(system)


@settings(max_examples=200, deadline=None)
@given(systems())
def test_the_proof_finds_the_same_without_the_solver(system: System) -> None:
    found = settle(system, (0,) * COUNTS)
    assert isinstance(found, Refuted) == (not solutions(system))


@settings(max_examples=300, deadline=None)
@given(systems(), st.lists(st.integers(-5, 5), min_size=5, max_size=5))
def test_wrong_multipliers_never_refute_what_has_a_solution(
    system: System, multipliers: list[int]
) -> None:
    if solutions(system):
        of_rows = multipliers[: len(system.rows)]
        assert not contradicts(system, of_rows, (0,) * COUNTS, system.most)


TRIANGLE = System(tuple(Row(pair, 1, 1) for pair in ((0, 1), (1, 2), (0, 2))), (1, 1, 1))
"""Half of each would do, but people are whole."""


def test_what_only_halves_of_people_could_meet_is_refuted() -> None:
    found = completion(TRIANGLE, (0, 0, 0))
    assert isinstance(found, Refuted)
    assert {row for row, _ in found.demands} == {0, 1, 2}


@pytest.mark.parametrize("lie", [None, 0, 1, 9])
def test_a_solver_that_lies_changes_no_answer(
    monkeypatch: pytest.MonkeyPatch, lie: int | None
) -> None:
    def lying(system: System, least: Sequence[int]) -> Counts | None:
        return None if lie is None else (lie,) * len(system.most)

    monkeypatch.setattr(feasibility, "_suggestion", lying)
    assert isinstance(completion(TRIANGLE, (0, 0, 0)), Refuted)
    pair = System((Row((0, 1), 1, 1),), (1, 1))
    assert completion(pair, (0, 0)) in [(0, 1), (1, 0)]


def test_what_can_be_neither_met_nor_refuted_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mvote.budget.drawing.refuting.MOST_SPLITS", 1)
    with pytest.raises(Undecided):
        settle(TRIANGLE, (0, 0, 0))
