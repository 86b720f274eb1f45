"""Reserves move up in their order as far as money goes; nobody spends more than there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mvote.budget.allocating import moving_up as module
from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.model import Contest, Heading, Project
from mvote.budget.allocating.moving_up import moving_up, overspent
from tests.support.contests import contest

COSTS = {"a": 40, "b": 30, "c": 50, "d": 20, "e": 10}
VOTES = {"a": 9, "b": 8, "c": 7, "d": 6, "e": 5}


def reserves(made: Contest, *references: str) -> list[Project]:
    by_reference = {each.reference: each for each in made.projects}
    return [by_reference[each] for each in references]


def moved(made: Contest, kept: dict[str, int], *references: str, freed: int = 0) -> dict[str, int]:
    return moving_up(made, kept=kept, freed=freed, reserves=reserves(made, *references))


def test_the_first_that_fits_moves_up_and_the_next_with_what_is_left() -> None:
    made = contest(COSTS, VOTES, 100)
    assert moved(made, {"b": 30, "d": 20}, "c", "e") == {"c": 50}
    assert moved(made, {"a": 40}, "c", "e") == {"c": 50, "e": 10}


def test_one_that_does_not_fit_is_passed_over_or_ends_it_as_the_rule_says() -> None:
    skipping = contest(COSTS, VOTES, 80)
    assert moved(skipping, {"a": 40}, "c", "d", "e") == {"d": 20, "e": 10}
    stopping = contest(COSTS, VOTES, 80, on_no_fit="stop")
    assert moved(stopping, {"a": 40}, "c", "d", "e") == {}


def test_a_reserve_stays_where_its_heading_has_no_money_though_the_city_has() -> None:
    headings = [Heading("x", 50), Heading("y", 50)]
    under = {"a": "x", "b": "y", "c": "y", "d": "x", "e": "x"}
    made = contest(COSTS, VOTES, 100, headings=headings, under=under)
    assert moved(made, {"a": 40}, "d", "c", "e") == {"c": 50, "e": 10}


def test_what_a_heading_hands_on_serves_its_neighbours() -> None:
    headings = [Heading("p", 100), Heading("x", 50, "p", "to_parent"), Heading("y", 50, "p")]
    under = dict.fromkeys("abcde", "x") | {"c": "y"}
    made = contest(COSTS, VOTES, 100, headings=headings, under=under)
    assert moved(made, {"a": 40}, "b") == {}  # 10 are left of x, and y keeps its 50
    kept_by_y = {"a": 40, "c": 50}
    assert moved(made, kept_by_y, "b", "e") == {"e": 10}


def test_a_project_in_part_moves_up_only_where_the_rule_funds_in_part() -> None:
    whole = contest(COSTS, VOTES, 70, useful={"c": 25})
    assert moved(whole, {"a": 40}, "c") == {}
    in_part = contest(COSTS, VOTES, 70, useful={"c": 25}, part_funding=True)
    assert moved(in_part, {"a": 40}, "c") == {"c": 30}


def test_what_may_not_stand_beside_a_funded_project_moves_up_once_that_is_dropped() -> None:
    made = contest(COSTS, VOTES, 200, exclusive=["ab"])
    assert moved(made, {"a": 40}, "b", "e") == {"e": 10}
    assert moved(made, {"c": 50}, "b", "e") == {"b": 30, "e": 10}


def test_where_no_limit_binds_the_freed_money_is_the_limit() -> None:
    made = contest(COSTS, VOTES, None)
    assert moved(made, {"a": 40}, "c", "d", "e", freed=45) == {"d": 20, "e": 10}


def test_no_more_projects_move_up_than_may_be_funded() -> None:
    made = contest(COSTS, VOTES, 200, max_projects=2)
    assert moved(made, {"a": 40}, "d", "e") == {"d": 20}


MADE = st.builds(
    lambda costs, limit, city, on_no_fit, leftover: contest(
        {f"p{n}": cost for n, cost in enumerate(costs)},
        {f"p{n}": 100 - n for n in range(len(costs))},
        limit,
        headings=[Heading("x", city, None, leftover), Heading("y", limit - city)],
        under={f"p{n}": "xy"[n % 2] for n in range(len(costs))},
        on_no_fit=on_no_fit,
    ),
    st.lists(st.integers(1, 40), min_size=1, max_size=9),
    st.integers(60, 120),
    st.integers(10, 50),
    st.sampled_from(["skip", "stop"]),
    st.sampled_from(["stays", "to_parent"]),
)


@given(MADE)
def test_reserves_who_move_up_into_nothing_are_those_the_rule_funds(made: Contest) -> None:
    """If all that was funded is dropped and everybody is in reserve, it is allocated anew."""
    allocation = allocate(made)
    order = [each.reference for each in allocation.order]
    expected = {each.reference: each.amount for each in allocation.funded}
    assert moved(made, {}, *order) == expected


@given(MADE, st.data())
def test_whoever_is_dropped_the_money_is_never_overspent(made: Contest, data: Any) -> None:
    allocation = allocate(made)
    funded = {each.reference: each.amount for each in allocation.funded}
    assert overspent(made, funded) is None
    dropped = data.draw(st.sets(st.sampled_from(sorted(funded)))) if funded else set()
    kept = {each: amount for each, amount in funded.items() if each not in dropped}
    waiting = [each.reference for each in allocation.order if each.reference not in funded]
    found = moved(made, kept, *waiting)
    assert not found.keys() & kept.keys()
    assert overspent(made, kept | found) is None


def test_a_twin_that_forgets_what_others_have_overspends(monkeypatch: Any) -> None:
    made = contest(COSTS, VOTES, 100)
    monkeypatch.setattr(module, "pay", lambda *_: None)
    found = moved(made, {"a": 40, "b": 30}, "c")
    monkeypatch.undo()
    assert overspent(made, {"a": 40, "b": 30} | found) == "budget_limit"


def test_the_heading_that_is_overspent_is_named() -> None:
    headings = [Heading("x", 50), Heading("y", 50)]
    made = contest(COSTS, VOTES, 100, headings=headings, under=dict.fromkeys("abcde", "x"))
    assert overspent(made, {"a": 40, "e": 10}) is None
    assert overspent(made, {"a": 40, "d": 20}) == "x"
    few = replace(made, max_projects=1)
    assert overspent(few, {"d": 20, "e": 10}) == "budget_limit"


def test_what_headings_hand_on_is_no_overspending() -> None:
    headings = [Heading("p", 100), Heading("x", 50, "p", "to_parent"), Heading("y", 50, "p")]
    both_give = [headings[0], headings[1], replace(headings[2], leftover="to_parent")]
    under = dict.fromkeys("abcde", "x")
    keeps = contest(COSTS, VOTES, 100, headings=headings, under=under)
    gives = contest(COSTS, VOTES, 100, headings=both_give, under=under)
    assert overspent(keeps, {"a": 40, "d": 20}) == "p"
    assert overspent(gives, {"a": 40, "d": 20}) is None
