"""The greedy rule: who is funded within one limit, in which order, and what ends it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvote.budget.allocating import greedy as rule
from mvote.budget.allocating.allocation import Allocation, allocate
from mvote.budget.allocating.errors import AllocationImpossible
from mvote.budget.allocating.model import Blend, Contest, Decision, Project, Source, Tally
from tests.support.contests import LETTERS, contest

COSTS = {"a": 60, "b": 50, "c": 30, "d": 10}
VOTES = {"a": 9, "b": 8, "c": 7, "d": 6}


def codes(allocation: Allocation) -> dict[str, str]:
    return {each.reference: allocation.decisions[each.reference].code for each in allocation.order}


def funded(allocation: Allocation) -> list[str]:
    return [each.reference for each in allocation.funded]


def test_what_does_not_fit_is_skipped() -> None:
    allocation = allocate(contest(COSTS, VOTES, 100))
    assert funded(allocation) == ["a", "c", "d"]
    assert allocation.decisions["b"] == Decision(
        "b", "does_not_fit", heading="budget_limit", left=40
    )


def test_what_does_not_fit_ends_it_where_the_rule_is_to_stop() -> None:
    allocation = allocate(contest(COSTS, VOTES, 100, on_no_fit="stop"))
    assert codes(allocation) == {"a": "funded", "b": "does_not_fit", "c": "closed", "d": "closed"}


def test_a_project_that_costs_exactly_what_is_left_is_funded() -> None:
    assert funded(allocate(contest({"a": 60, "b": 40}, VOTES, 100))) == ["a", "b"]
    assert funded(allocate(contest({"a": 60, "b": 41}, VOTES, 100))) == ["a"]


def test_the_floor_itself_passes() -> None:
    allocation = allocate(contest(COSTS, VOTES, 1000, floor=7))
    assert codes(allocation) == {
        "a": "funded", "b": "funded", "c": "funded", "d": "below_floor",
    }  # fmt: skip


def test_a_struck_project_stays_in_the_order_and_is_never_funded() -> None:
    allocation = allocate(contest(COSTS, VOTES, 1000, struck=["a"]))
    assert allocation.order[0].reference == "a"
    assert codes(allocation)["a"] == "struck"
    assert funded(allocation) == ["b", "c", "d"]


def test_of_projects_that_exclude_each_other_only_the_first_is_funded() -> None:
    allocation = allocate(contest(COSTS, VOTES, 1000, exclusive=["ac", "cd"]))
    assert funded(allocation) == ["a", "b", "d"]
    assert allocation.decisions["c"].peer == "a"


def test_a_peer_that_found_no_room_excludes_nobody() -> None:
    allocation = allocate(contest(COSTS, VOTES, 50, exclusive=["ab"]))
    assert funded(allocation) == ["b"]


def test_no_more_projects_than_allowed() -> None:
    allocation = allocate(contest(COSTS, VOTES, 1000, max_projects=2))
    assert funded(allocation) == ["a", "b"]
    assert codes(allocation)["c"] == "does_not_fit"


def test_where_no_limit_binds_the_vote_only_ranks() -> None:
    allocation = allocate(contest(COSTS, VOTES, None))
    assert set(codes(allocation).values()) == {"ranked"}
    assert allocation.funded == ()


def test_a_part_is_funded_if_it_is_still_useful_and_nothing_after_it() -> None:
    found = allocate(contest(COSTS, VOTES, 100, useful={"b": 40}, part_funding=True))
    assert found.decisions["b"] == Decision(
        "b", "funded_in_part", 40, left=40, closes="budget_limit"
    )
    assert codes(found)["c"] == "closed"
    assert found.spent == 100


@pytest.mark.parametrize(
    "changed",
    [{"useful": {"b": 41}, "part_funding": True}, {"useful": {"b": 1}}, {"part_funding": True}],
    ids=["too little is left", "the rule knows no parts", "the project knows no useful part"],
)
def test_no_part_is_funded_otherwise(changed: dict[str, Any]) -> None:
    assert funded(allocate(contest(COSTS, VOTES, 100, **changed))) == ["a", "c", "d"]


def test_equal_scores_are_told_apart_by_source_then_cost_then_lot() -> None:
    projects = tuple(Project(each, cost) for each, cost in {"a": 9, "b": 5, "c": 5, "d": 9}.items())
    sources = (
        Source("citizens", Tally({"a": 2, "b": 1, "c": 1, "d": 0}, 4)),
        Source("committee", Tally({"a": 0, "b": 1, "c": 1, "d": 2}, 4)),
    )
    given_ = Contest(projects, sources, 100, blend=Blend(), seed=b"seed")
    ties = replace(given_.rule, ties=("citizens", "lower_cost", "lot"))
    order = [each.reference for each in allocate(replace(given_, rule=ties)).order]
    by_lot = sorted("bc", key=lambda r: hashlib.sha256(b"mvote/lot/1seed" + r.encode()).digest())
    assert order == ["a", *by_lot, "d"]
    ties = replace(given_.rule, ties=("committee", "lot"))
    assert allocate(replace(given_, rule=ties)).order[0].reference == "d"


def test_another_seed_gives_another_lot() -> None:
    costs, votes = dict.fromkeys("abcdef", 5), dict.fromkeys("abcdef", 1)
    orders = {
        tuple(each.reference for each in allocate(contest(costs, votes, 9, seed=seed)).order)
        for seed in (b"1", b"2", b"3")
    }
    assert len(orders) == 3


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"costs": {"a": 0}}, "costs 0"),
        ({"costs": {"a": 10**16}}, "costs 1"),
        ({"limit": -1}, "limit of budget_limit is -1"),
        ({"ties": ("survey",)}, "no source"),
        ({"exclusive": ["az"]}, "unknown project z"),
        ({"under": {"a": "parks"}}, "unknown heading parks"),
        ({"step": 0}, "step of add1"),
    ],
)
def test_a_contest_that_contradicts_itself_is_refused(changed: dict[str, Any], fault: str) -> None:
    made: dict[str, Any] = {"costs": {"a": 5}, "votes": {"a": 1}, "limit": 9} | changed
    with pytest.raises(AllocationImpossible, match=fault):
        allocate(contest(**made))


def contests() -> st.SearchStrategy[Contest]:
    letters = list(LETTERS)
    numbers = st.fixed_dictionaries({each: st.integers(1, 40) for each in letters})
    return st.builds(
        contest,
        numbers,
        st.fixed_dictionaries({each: st.integers(0, 6) for each in letters}),
        st.integers(0, 120),
        struck=st.lists(st.sampled_from(letters), max_size=2),
        useful=st.dictionaries(st.sampled_from(letters), st.integers(1, 20), max_size=3),
        part_funding=st.booleans(),
        on_no_fit=st.sampled_from(["skip", "stop"]),
        floor=st.none() | st.integers(0, 6),
        exclusive=st.lists(st.sets(st.sampled_from(letters), min_size=2, max_size=3), max_size=2),
        max_projects=st.none() | st.integers(1, 5),
    )


@given(contests())
def test_never_more_is_given_out_than_there_is(made: Contest) -> None:
    allocation = allocate(made)
    assert allocation.spent <= (made.limit or 0)
    assert len(allocation.funded) <= (made.max_projects or len(LETTERS))


@given(contests())
def test_of_an_exclusive_set_at_most_one_is_funded(made: Contest) -> None:
    taken = set(funded(allocate(made)))
    assert all(len(group & taken) <= 1 for group in made.rule.exclusive)


@given(contests(), st.randoms(use_true_random=False))
def test_the_order_in_which_projects_are_given_changes_nothing(made: Contest, random: Any) -> None:
    projects = list(made.projects)
    random.shuffle(projects)
    assert allocate(replace(made, projects=tuple(projects))).decisions == allocate(made).decisions


@given(contests(), st.sampled_from(LETTERS), st.integers(1, 7))
def test_more_votes_never_harm_a_project(made: Contest, reference: str, more: int) -> None:
    if reference in funded(allocate(made)):
        assert reference in funded(allocate(with_more_votes(made, reference, more)))


@given(contests(), st.sampled_from(LETTERS), st.integers(1, 7))
def test_whoever_is_not_the_last_is_not_funded_because_of_fewer_votes(
    made: Contest, reference: str, more: int
) -> None:
    """The same from the other side: votes taken away never fund a project."""
    richer = with_more_votes(made, reference, more)
    if reference not in funded(allocate(richer)):
        assert reference not in funded(allocate(made))


def with_more_votes(made: Contest, reference: str, more: int) -> Contest:
    (source,) = made.sources
    assert source.tally is not None
    votes = dict(source.tally.votes)
    votes[reference] = votes.get(reference, 0) + more
    return replace(made, sources=(replace(source, tally=replace(source.tally, votes=votes)),))


def test_a_twin_that_forgets_what_was_spent_gives_out_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rule, "pay", lambda *_: None)
    assert allocate(contest(COSTS, VOTES, 100)).spent > 100


def test_a_twin_that_knows_no_peers_funds_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "funded_peer", lambda *_: None)
    assert {"a", "c"} <= set(funded(allocate(contest(COSTS, VOTES, 1000, exclusive=["ac"]))))
