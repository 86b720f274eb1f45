"""Equal shares: exact, with its completions; and the fast way is the plain definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.budget.allocating import purses, raising
from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.equal_shares import equal_shares
from mvote.budget.allocating.errors import AllocationImpossible
from mvote.budget.allocating.model import Contest, Heading, Project
from mvote.budget.allocating.profile import Profile
from mvote.budget.allocating.purses import Purses
from mvote.budget.allocating.shares_run import SharesRun
from mvote.budget.allocating.work import Work
from mvote.budget.drawing.lots import lot
from tests.support.contests import Approvals, Election, approval_contest, elections, plain_shares
from tests.test_allocation_greedy import codes, funded


def run_of(costs: Mapping[str, int], approvals: Approvals, money: Fraction) -> SharesRun:
    profile = Profile(approvals, [Project(each, cost) for each, cost in costs.items()])
    keys = [
        (each.cost, -profile.votes[place], lot(b"", each.reference))
        for place, each in enumerate(profile.projects)
    ]
    return SharesRun(profile, money, lambda _: frozenset(), keys.__getitem__).finish()


def names(run: SharesRun) -> list[str]:
    return [run.profile.projects[place].reference for place in run.funded]


def test_everybody_has_the_same_part_and_supporters_share_the_cost() -> None:
    approvals = {("a", "b"): 2, ("c",): 1}
    run = run_of({"a": 10, "b": 20, "c": 15}, approvals, Fraction(15))
    assert names(run) == ["a", "b", "c"]
    assert run.ledger().paid == [5, 10, 15]


def test_the_largest_cost_for_each_price_is_funded_first() -> None:
    """That is the project with most effective votes, whatever it costs."""
    assert names(run_of({"a": 10, "b": 30}, {("a", "b"): 1, ("b",): 2}, Fraction(10))) == ["b"]


def test_of_equal_offers_the_cheaper_comes_first_then_more_votes_then_the_lot() -> None:
    assert names(run_of({"a": 20, "b": 10}, {("a", "b"): 2}, Fraction(10))) == ["b"]
    twins = run_of({"a": 10, "b": 10}, {("a", "b"): 2}, Fraction(5))
    assert names(twins) == [min("ab", key=lambda each: lot(b"", each))]


def test_thirds_are_not_rounded() -> None:
    """Three voters with 100 each pay 100 and 200: nothing is left, and nothing is missing."""
    run = run_of({"a": 100, "b": 200}, {("a", "b"): 3}, Fraction(100))
    assert names(run) == ["a", "b"]
    assert run.ledger().paid == [Fraction(100, 3), Fraction(200, 3)]
    assert names(run_of({"a": 100, "b": 201}, {("a", "b"): 3}, Fraction(100))) == ["a"]


@settings(deadline=None, max_examples=300)
@given(elections(), st.integers(1, 7))
def test_the_fast_way_gives_what_the_definition_says(election: Election, parts: int) -> None:
    costs, approvals, limit = election
    money = Fraction(limit, parts)
    assert names(run_of(costs, approvals, money)) == plain_shares(costs, approvals, money)


@settings(deadline=None, max_examples=200)
@given(elections(), st.integers(1, 7), st.integers(2, 12))
def test_it_does_so_even_where_hardly_any_binary_place_is_kept(
    election: Election, parts: int, bits: int
) -> None:
    """Coarse enclosures overlap all the time: then the exact fractions decide."""
    costs, approvals, limit = election
    money = Fraction(limit, parts)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(purses, "shift_for", lambda _: bits - 2)
        assert names(run_of(costs, approvals, money)) == plain_shares(costs, approvals, money)


@settings(deadline=None, max_examples=100)
@given(elections())
def test_it_does_so_with_more_money_than_a_machine_word_holds(election: Election) -> None:
    costs, approvals, limit = election
    great = {each: cost * 10**18 for each, cost in costs.items()}
    money = Fraction(limit * 10**18, 3)
    assert names(run_of(great, approvals, money)) == plain_shares(great, approvals, money)


def test_a_twin_that_takes_perhaps_for_no_loses_a_project(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whole numbers around 100/3 do not tell whether 200 come together: only fractions do."""
    costs, approvals = {"a": 100, "b": 200}, {("a", "b"): 3}
    least, most = Purses.least, Purses.most

    def only_certain(self: Purses, place: int, start: int = 0) -> int | None:
        return least(self, place, start) if most(self, place) is not None else None

    monkeypatch.setattr(Purses, "least", only_certain)
    assert names(run_of(costs, approvals, Fraction(100))) == ["a"]


@settings(deadline=None)
@given(elections(), st.sampled_from(["none", "add1", "add1u"]), st.booleans())
def test_never_more_than_the_limit_is_given_out(
    election: Election, completion: str, comparison: bool
) -> None:
    made = approval_contest(*election, completion=completion, comparison=comparison)
    assert allocate(made).spent <= election[2]


@settings(deadline=None)
@given(elections())
def test_add1_keeps_the_last_outcome_before_the_first_that_costs_too_much(
    election: Election,
) -> None:
    costs, approvals, limit = election
    n = sum(approvals.values())
    expected = plain_shares(costs, approvals, Fraction(limit, n))
    supported = {each for marks in approvals for each in marks}
    k = 0
    while set(expected) != supported:
        k += 1
        after = plain_shares(costs, approvals, Fraction(limit // n + k))
        if sum(costs[each] for each in after) > limit:
            break
        expected = after
    outcome = allocate(approval_contest(*election, completion="add1"))
    assert set(funded(outcome)) == set(expected)


@settings(deadline=None)
@given(elections(), st.integers(1, 3))
def test_many_steps_at_once_come_out_as_one_by_one(election: Election, finer: int) -> None:
    costs = {each: cost * 10**finer for each, cost in election[0].items()}
    made = approval_contest(costs, election[1], election[2] * 10**finer, completion="add1")
    with pytest.MonkeyPatch.context() as patched:
        quick = outcome_of(made)
        patched.setattr(raising.Pace, "learn", lambda *_, **__: None)
        assert quick == outcome_of(made)


def outcome_of(made: Contest) -> object:
    try:
        allocation = allocate(made)
    except AllocationImpossible as error:
        return str(error)
    assert allocation.shares is not None
    return allocation.decisions, allocation.shares.runs, allocation.shares.money_each


def test_a_twin_that_takes_many_steps_for_one_passes_over_the_last_that_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If steps that may differ are not told apart, the outcome of the last stands for all."""
    small: Election = ({"a": 400, "b": 600, "c": 1100}, {("a",): 1, ("b",): 1, ("c",): 1}, 1000)
    made = approval_contest(*small, completion="add1", step=10)
    assert funded(allocate(made)) == ["a", "b"]
    take = raising._run
    monkeypatch.setattr(raising, "_run", lambda start, _, last, step: take(start, last, last, step))
    monkeypatch.setattr(raising.Pace, "learn", lambda self, **_: setattr(self, "steps", 99))
    assert funded(allocate(made)) != ["a", "b"]


def test_the_step_of_add1_is_that_of_the_rule() -> None:
    election: Election = ({"a": 500, "b": 700}, {("a",): 1, ("b",): 1}, 1000)
    assert funded(allocate(approval_contest(*election))) == ["a"]
    coarse = approval_contest(*election, completion="add1", step=1000)
    assert funded(allocate(coarse)) == ["a"]  # with 1,000 each both would be funded
    small: Election = ({"a": 400, "b": 600}, {("a",): 1, ("b",): 1}, 1000)
    outcome = allocate(approval_contest(*small, completion="add1", step=100))
    assert outcome.shares is not None
    assert outcome.shares.money_each == 600
    assert outcome.shares.runs == 2


def test_add1_that_comes_to_no_end_is_an_error() -> None:
    endless = approval_contest({"a": 10**6, "b": 1}, {("a",): 1, ("b",): 1}, 10, completion="add1")
    with pytest.raises(AllocationImpossible, match="10,000 runs"):
        allocate(endless)


def test_add1u_spends_the_rest_by_votes() -> None:
    election: Election = ({"a": 71, "b": 30, "c": 15}, {("a",): 6, ("b",): 3, ("c",): 1}, 100)
    assert funded(allocate(approval_contest(*election, completion="add1"))) == ["b"]
    assert funded(allocate(approval_contest(*election, completion="add1u"))) == ["b", "c"]


def test_greedy_wins_a_comparison_only_if_more_voters_prefer_it() -> None:
    election: Election = ({"a": 90, "c": 20}, {("a",): 6, ("c",): 4}, 100)
    assert funded(allocate(approval_contest(*election))) == ["c"]
    compared = allocate(approval_contest(*election, comparison=True))
    assert funded(compared) == ["a"]
    assert compared.shares is not None
    assert (compared.shares.preferred, compared.shares.greedy_won) == ((4, 6), True)
    even: Election = ({"a": 90, "c": 20}, {("a",): 5, ("c",): 5}, 100)
    lot_of_two = approval_contest(*even, comparison=True, ties=("lower_cost",))
    assert funded(allocate(lot_of_two)) == ["c"]


def test_blank_ballots_have_no_part() -> None:
    costs = {"a": 50}
    approvals: dict[tuple[str, ...], int] = {("a",): 1, ("b",): 1}
    assert funded(allocate(approval_contest(costs, {**approvals, (): 98}, 100))) == ["a"]
    assert funded(allocate(approval_contest(costs, {**approvals, ("c",): 98}, 100))) == []


def test_struck_ones_and_those_below_the_floor_leave_first() -> None:
    election: Election = ({"a": 5, "b": 5, "c": 5}, {("a", "b", "c"): 3, ("a", "b"): 1}, 100)
    allocation = allocate(approval_contest(*election, struck=["a"], floor=4))
    assert codes(allocation) == {"a": "struck", "b": "funded", "c": "below_floor"}


def test_of_an_exclusive_set_only_one_is_funded_and_add1_still_ends() -> None:
    election: Election = ({"a": 5, "b": 6, "c": 7}, {("a", "b", "c"): 3}, 100)
    allocation = allocate(approval_contest(*election, exclusive=["ab"], completion="add1"))
    assert codes(allocation)["b"] == "excluded_by"
    assert set(funded(allocation)) == {"a", "c"}


def test_without_a_ballot_nothing_is_funded() -> None:
    assert funded(allocate(approval_contest({"a": 5}, {}, 100, completion="add1"))) == []


@pytest.mark.parametrize("changed", [{"headings": [Heading("x", 5)]}, {"approvals": None}])
def test_equal_shares_needs_approvals_and_one_pot(changed: dict[str, Any]) -> None:
    made = approval_contest({"a": 5}, {("a",): 1}, 100)
    with pytest.raises(AllocationImpossible):
        equal_shares(replace(made, **changed), made.projects, {"a": 1}, Work())
