"""Headings with limits of their own, one under another, and what they leave."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.errors import AllocationImpossible
from mvote.budget.allocating.model import Contest, Decision, Heading
from tests.support.contests import LETTERS, contest
from tests.test_allocation_greedy import codes, funded

COSTS = {"a": 30, "b": 30, "c": 25, "d": 10}
VOTES = {"a": 9, "b": 8, "c": 7, "d": 6}
UNDER = {"a": "parks", "b": "parks", "c": "roads", "d": "roads"}


def in_two_headings(*headings: Heading, limit: int | None = 100, **rule: Any) -> Contest:
    return contest(COSTS, VOTES, limit, headings=headings, under=UNDER, **rule)


def test_each_heading_has_a_limit_of_its_own() -> None:
    allocation = allocate(in_two_headings(Heading("parks", 50), Heading("roads", 50)))
    assert funded(allocation) == ["a", "c", "d"]
    assert allocation.decisions["b"] == Decision("b", "does_not_fit", heading="parks", left=20)


def test_stopping_closes_only_the_heading_that_was_too_small() -> None:
    allocation = allocate(
        in_two_headings(Heading("parks", 20), Heading("roads", 50), on_no_fit="stop")
    )
    assert codes(allocation) == {"a": "does_not_fit", "b": "closed", "c": "funded", "d": "funded"}
    assert allocation.decisions["b"].heading == "parks"


def test_stopping_closes_the_contest_if_the_limit_of_everything_was_too_small() -> None:
    allocation = allocate(
        in_two_headings(Heading("parks", 90), Heading("roads", 90), limit=50, on_no_fit="stop")
    )
    assert codes(allocation) == {"a": "funded", "b": "does_not_fit", "c": "closed", "d": "closed"}
    assert allocation.decisions["c"].heading == "budget_limit"


def test_every_heading_above_must_have_room() -> None:
    headings = [Heading("city", 40), Heading("parks", 90, "city"), Heading("roads", 90, "city")]
    allocation = allocate(in_two_headings(*headings))
    assert funded(allocation) == ["a", "d"]
    assert allocation.decisions["b"].heading == "city"


def test_the_tightest_of_several_headings_is_named() -> None:
    headings = [Heading("city", 25), Heading("parks", 29, "city"), Heading("roads", 9)]
    allocation = allocate(in_two_headings(*headings, limit=28))
    assert allocation.decisions["a"].heading == "city"
    headings[0] = Heading("city", 29)
    assert allocate(in_two_headings(*headings, limit=29)).decisions["a"].heading == "parks"


def test_a_heading_may_take_only_so_many_projects() -> None:
    allocation = allocate(in_two_headings(Heading("parks", 90, max_projects=1), Heading("roads")))
    assert funded(allocation) == ["a", "c", "d"]
    assert allocation.decisions["b"].heading == "parks"


def test_what_headings_leave_is_shared_out_among_all_of_the_parent() -> None:
    headings = [
        Heading("city", 100),
        Heading("parks", 50, "city", "to_parent"),
        Heading("roads", 50, "city", "to_parent"),
    ]
    allocation = allocate(in_two_headings(*headings))
    assert funded(allocation) == ["a", "b", "c", "d"]  # 20 and 15 were left: b needs 30


def test_what_headings_keep_is_not_shared_out() -> None:
    headings = [Heading("city", 100), Heading("parks", 50, "city"), Heading("roads", 50, "city")]
    assert funded(allocate(in_two_headings(*headings))) == ["a", "c", "d"]


def test_a_heading_may_get_what_another_leaves_beside_what_it_keeps() -> None:
    headings = [
        Heading("city", 100),
        Heading("parks", 50, "city"),
        Heading("roads", 50, "city", "to_parent"),
    ]
    assert funded(allocate(in_two_headings(*headings))) == ["a", "b", "c", "d"]


def test_what_one_keeps_is_not_given_to_another() -> None:
    headings = [
        Heading("city", 100),
        Heading("parks", 50, "city", "to_parent"),
        Heading("roads", 50, "city"),
    ]
    allocation = allocate(in_two_headings(*headings))
    assert funded(allocation) == ["a", "c", "d"]
    assert allocation.decisions["b"] == Decision("b", "does_not_fit", heading="city", left=20)


def test_leftovers_directly_under_the_limit_of_everything_are_shared_out_too() -> None:
    headings = [Heading("parks", 50, None, "to_parent"), Heading("roads", 45, None, "to_parent")]
    assert funded(allocate(in_two_headings(*headings, limit=95))) == ["a", "b", "c", "d"]
    assert funded(allocate(in_two_headings(*headings, limit=94))) == ["a", "c", "d"]


def test_money_that_is_decided_elsewhere_is_not_spent_here() -> None:
    headings = [Heading("parks"), Heading("roads"), Heading("local", 50, elsewhere=True)]
    assert funded(allocate(in_two_headings(*headings, limit=100))) == ["a", "d"]
    assert funded(allocate(in_two_headings(*headings[:2], limit=100))) == ["a", "b", "c", "d"]


def test_money_decided_elsewhere_is_held_back_once_however_deep_it_lies() -> None:
    headings = [
        Heading("parks"),
        Heading("roads"),
        Heading("local", 50, elsewhere=True),
        Heading("gu", 40, "local", elsewhere=True),
    ]
    assert funded(allocate(in_two_headings(*headings, limit=110))) == ["a", "b"]


def test_a_heading_without_any_limit_above_it_is_only_ranked() -> None:
    allocation = allocate(in_two_headings(Heading("parks"), Heading("roads", 25), limit=None))
    assert codes(allocation) == {
        "a": "ranked", "b": "ranked", "c": "funded", "d": "does_not_fit",
    }  # fmt: skip


@pytest.mark.parametrize(
    "headings",
    [
        [Heading("parks", 9, "city"), Heading("roads")],
        [Heading("parks", 9, "roads"), Heading("roads", 9, "parks")],
        [Heading("parks", 9), Heading("parks", 8), Heading("roads")],
        [Heading("parks", -1), Heading("roads")],
        [Heading("parks", 9, elsewhere=True), Heading("roads")],
    ],
    ids=["unknown parent", "under itself", "twice", "below 0", "decided elsewhere"],
)
def test_headings_that_contradict_themselves_are_refused(headings: list[Heading]) -> None:
    with pytest.raises(AllocationImpossible):
        allocate(in_two_headings(*headings))


def trees() -> st.SearchStrategy[Contest]:
    letters, keys = list(LETTERS), ["city", "parks", "roads", "local"]
    limits = st.none() | st.integers(0, 80)
    leftover = st.sampled_from(["stays", "to_parent"])

    def heading(key: str, parents: list[str | None]) -> st.SearchStrategy[Heading]:
        return st.builds(
            Heading, st.just(key), limits, st.sampled_from(parents), leftover,
            st.none() | st.integers(1, 4),
        )  # fmt: skip

    four = [heading(key, [None, *keys[:place]]) for place, key in enumerate(keys)]
    return st.builds(
        contest,
        st.fixed_dictionaries({each: st.integers(1, 40) for each in letters}),
        st.fixed_dictionaries({each: st.integers(0, 6) for each in letters}),
        st.none() | st.integers(0, 150),
        headings=st.tuples(*four),
        under=st.fixed_dictionaries({each: st.sampled_from(keys) for each in letters}),
        useful=st.dictionaries(st.sampled_from(letters), st.integers(1, 20), max_size=3),
        part_funding=st.booleans(),
        on_no_fit=st.sampled_from(["skip", "stop"]),
        floor=st.none() | st.integers(0, 6),
        exclusive=st.lists(st.sets(st.sampled_from(letters), min_size=2, max_size=3), max_size=2),
    )


@given(trees())
def test_no_heading_gives_out_more_than_its_own_and_what_was_left_to_its_parent(
    made: Contest,
) -> None:
    spent = spent_by_heading(made)
    assert made.limit is None or spent["budget_limit"] <= made.limit
    generous = {each.parent for each in made.headings if each.leftover == "to_parent"}
    for each in made.headings:
        if each.limit is not None and each.parent not in generous:
            assert spent[each.key] <= each.limit


@given(trees())
def test_no_heading_takes_more_projects_than_it_may(made: Contest) -> None:
    counts = spent_by_heading(made, count=True)
    for each in made.headings:
        assert each.max_projects is None or counts[each.key] <= each.max_projects


def spent_by_heading(made: Contest, *, count: bool = False) -> dict[str, int]:
    parents = {each.key: each.parent for each in made.headings}
    spent = dict.fromkeys([*parents, "budget_limit"], 0)
    headings = {each.reference: each.heading for each in made.projects}
    for done in allocate(made).funded:
        amount, key = (1 if count else done.amount), headings[done.reference]
        spent["budget_limit"] += amount
        while key is not None:
            spent[key] += amount
            key = parents[key]
    return spent
