"""A pool that cannot meet the quotas is refused with the quotas that contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from mvote.budget.drawing.draw import check
from mvote.budget.drawing.errors import QuotasImpossible
from mvote.budget.drawing.quotas import Person, Quota, Rule, each
from tests.support.applicants import applicants, of, people, rule_of_2023


def conflicts(rule: Rule, pool: list[Person]) -> list[list[tuple[str, str, int]]]:
    """Each conflict as (quota, min or max, number)."""
    with pytest.raises(QuotasImpossible) as refused:
        check(rule, pool)
    assert refused.value.facts["all_named"]
    return [[_brief(demand) for demand in conflict] for conflict in refused.value.conflicts]


def _brief(demand: dict[str, Any]) -> tuple[str, str, int]:
    side = "min" if "min" in demand else "max"
    return demand["quota"], side, demand[side]


def test_a_quota_that_too_few_applied_for_is_named_with_both_numbers() -> None:
    women = Quota(name="women", category="is", values=("f",), at_least=60)
    with pytest.raises(QuotasImpossible) as refused:
        check(Rule(seats=120, quotas=(women, of("m", 10))), people(f=41, m=100))
    assert refused.value.detail == "women: 60 wanted, 41 in the pool"
    wanted = {"list": "seats", "quota": "women", "min": 60, "in_pool": 41}
    assert refused.value.facts["conflicts"] == [[wanted]]


def test_all_quotas_that_are_impossible_by_themselves_are_named() -> None:
    rule = Rule(seats=6, quotas=(of("f", 3), of("x", 2), of("m", 1)))
    assert conflicts(rule, people(f=2, x=1, m=9)) == [[("f", "min", 3)], [("x", "min", 2)]]


def test_a_pool_smaller_than_the_seats_is_named() -> None:
    assert conflicts(Rule(seats=5, quotas=()), people(a=3)) == [[("seats", "min", 5)]]


def test_quotas_that_only_together_are_impossible_are_named_together() -> None:
    rule = Rule(seats=4, quotas=(of("f", 3), of("young", 3), of("m", 1)))
    pool = people(f_old=3, m_young=3)
    assert conflicts(rule, pool) == [[("seats", "max", 4), ("f", "min", 3), ("young", "min", 3)]]


def test_each_of_two_ways_to_contradict_is_named() -> None:
    rule = Rule(seats=4, quotas=(of("f", 3), of("m", 2), of("x", 2)))
    assert conflicts(rule, people(f=9, m=9, x=9)) == [
        [("seats", "max", 4), ("f", "min", 3), ("m", "min", 2)],
        [("seats", "max", 4), ("f", "min", 3), ("x", "min", 2)],
    ]


def test_maxima_that_leave_seats_empty_are_named() -> None:
    rule = Rule(seats=7, quotas=each("is", ["a", "b"], at_most=3))
    assert conflicts(rule, people(a=9, b=9)) == [
        [("seats", "min", 7), ("is: a", "max", 3), ("is: b", "max", 3)]
    ]


def test_a_minimum_above_its_maximum_is_named() -> None:
    rule = Rule(seats=5, quotas=(of("f", 3, 2),))
    assert conflicts(rule, people(f=9)) == [
        [("seats", "min", 5), ("f", "max", 2)],
        [("f", "min", 3), ("f", "max", 2)],
    ]


def test_what_only_halves_of_people_could_meet_is_named() -> None:
    rule = Rule(seats=2, quotas=(of("a", 1, 1), of("b", 1, 1), of("c", 1, 1)))
    pool = people(a_b=1, b_c=1, a_c=1)
    everyone_once = [(name, side, 1) for name in "abc" for side in ("min", "max")]
    two_of_them = [("seats", "min", 2), ("a", "max", 1), ("b", "max", 1), ("c", "max", 1)]
    assert conflicts(rule, pool) == [two_of_them, everyone_once]


def test_quotas_of_the_reserves_that_members_use_up_are_named_with_theirs() -> None:
    rule = Rule(seats=4, quotas=(of("f", 3),), reserves=4, reserve_quotas=(of("f", 2),))
    with pytest.raises(QuotasImpossible) as refused:
        check(rule, people(f=4, m=9))
    assert refused.value.detail == (
        "f: 3 wanted, 4 in the pool with f among the reserves: 2 wanted, 4 in the pool"
    )


def test_without_any_quota_of_a_conflict_the_rest_of_it_can_be_met() -> None:
    quotas = (of("f", 3), of("m", 2), of("young", 4), of("x", 1))
    pool = people(f_old=5, m_young=3, m_old=2, x=1)
    for conflict in conflicts(Rule(seats=5, quotas=quotas), pool):
        in_conflict = {name for name, _, _ in conflict} - {"seats"}
        for left_out in in_conflict:
            rest = tuple(q for q in quotas if q.name in in_conflict - {left_out})
            check(Rule(seats=5, quotas=rest), pool)


def test_a_great_pool_without_enough_of_one_group_is_refused_in_the_rules_words() -> None:
    pool = [person for person in applicants() if not person.categories["group"]]
    with pytest.raises(QuotasImpossible) as refused:
        check(rule_of_2023(), pool)
    assert refused.value.detail == "reserved seats: 18 wanted, 0 in the pool"


def test_what_the_seats_alone_make_impossible_is_named_before_any_reserves() -> None:
    rule = Rule(seats=4, quotas=(of("f", 3),), reserves=4, reserve_quotas=(of("f", 2),))
    assert conflicts(rule, people(f=2, m=9)) == [[("f", "min", 3)]]


def test_of_too_many_conflicts_some_are_named_and_it_is_said_that_there_are_more() -> None:
    districts = [f"d{number}" for number in range(12)]
    rule = Rule(seats=30, quotas=each("is", districts, at_most=1))
    with pytest.raises(QuotasImpossible) as refused:
        check(rule, people(**dict.fromkeys(districts, 9)))
    assert not refused.value.facts["all_named"]
    found = refused.value.conflicts
    assert len(found) > 1
    assert {len(conflict) for conflict in found} == {11}  # 30 seats, and 10 of the 12 maxima
