"""Our draws beside those of another program: whether a pool can meet the quotas is one truth.

The other is `sortition-algorithms`. It brings a convex solver and clients of spreadsheets, so it is
no requirement: CI installs it by itself (requirements-oracle.txt); where it is missing, pytest says
that nothing was compared.
"""

from __future__ import annotations

import random
import warnings
from types import ModuleType

import pytest

from mvote.budget.drawing.draw import check
from mvote.budget.drawing.errors import QuotasImpossible
from mvote.budget.drawing.quotas import Person, Quota, Rule
from tests.support.applicants import AGES, GENDERS

MISSING = "NOT TRIED: pip install --no-deps -r requirements-oracle.txt"
CATEGORIES = {"gender": tuple(GENDERS), "age": tuple(AGES), "gu": ("A", "B", "C")}


@pytest.fixture(scope="module")
def other() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module: ModuleType = pytest.importorskip("sortition_algorithms", reason=MISSING)
    return module


def other_finds_a_committee(other: ModuleType, rule: Rule, pool: list[Person]) -> bool:
    """Has *pool* a committee by the other program? Each quota is of one value."""
    rows = [
        {
            "feature": quota.category,
            "value": quota.values[0],
            "min": str(quota.at_least),
            "max": str(rule.seats if quota.at_most is None else quota.at_most),
        }
        for quota in rule.quotas
    ]
    categories = list(dict.fromkeys(quota.category for quota in rule.quotas))
    people = [
        {"id": person.pseudonym, **{each: person.categories[each][0] for each in categories}}
        for person in pool
    ]
    settings = other.Settings(id_column="id", columns_to_keep=[])
    try:
        features, _, _ = other.read_in_features(["feature", "value", "min", "max"], rows)
        read, _ = other.read_in_people(["id", *categories], people, features, settings)
        found, _ = other.committee_generation.find_any_committee(features, read, rule.seats, [])
    except other.SortitionBaseError:
        return False
    return bool(found)


def is_possible(rule: Rule, pool: list[Person]) -> bool:
    try:
        check(rule, pool)
    except QuotasImpossible:
        return False
    return True


def made_up(dice: random.Random) -> tuple[Rule, list[Person]]:
    pool = [
        Person(
            pseudonym=f"p{number:02}",
            categories={name: (dice.choice(values),) for name, values in CATEGORIES.items()},
        )
        for number in range(14)
    ]
    bounds = [(0, None), (2, None), (3, 3), (1, 2), (0, 4), (4, 6)]
    quotas = []
    for name, values in CATEGORIES.items():
        for value in values:
            least, most = dice.choice(bounds)
            quotas.append(
                Quota(name=value, category=name, values=(value,), at_least=least, at_most=most)
            )
    return Rule(seats=7, quotas=tuple(quotas)), pool


def test_both_find_the_same_pools_possible(other: ModuleType) -> None:
    cases = [made_up(random.Random(number)) for number in range(60)]
    ours = [is_possible(*case) for case in cases]
    assert {True, False} == set(ours)
    assert [other_finds_a_committee(other, *case) for case in cases] == ours
