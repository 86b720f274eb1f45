"""Marks against limits: every broken one is named, shares become numbers, all tried by force."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.budget.contradictions import contradictions_with
from mvote.budget.definition import (
    Bounds,
    Heading,
    HeadingTree,
    Limit,
    read_definition,
)
from mvote.budget.limits import Mark, Project, broken_limits, freeze_limits
from mvote.budget.satisfying import Paper, never_satisfied
from mvote.languages import said
from tests.support.budgets import definition_of

TREE = HeadingTree([
    Heading(key="city"), Heading(key="a", parent="city"), Heading(key="b", parent="city"),
    Heading(key="a1", parent="a"),
])  # fmt: skip


def count(over: str, least: int | None = None, most: int | None = None) -> Limit:
    return Limit(over=over, count=Bounds(min=least, max=most))


def project(key: str, heading: str = "a", **more: Any) -> Project:
    return Project(key=key, heading=heading, **more)


def broken(limits: list[Limit], projects: list[Project], *marks: str, points: int = 0) -> set[Any]:
    found = broken_limits(
        limits,
        marks=[Mark(key, points) for key in marks],
        projects={each.key: each for each in projects},
        tree=TREE,
    )
    return {(each.over, each.measure, each.found) for each in found}


def ballot_of(year: int) -> list[Limit]:
    return list(read_definition(definition_of(year)).contests[0].ballot.limits)


def test_2015_takes_five_votes_of_five_fields_and_names_both_faults_of_six() -> None:
    definition = read_definition(definition_of(2015))
    tree = HeadingTree(definition.headings)
    projects = {f"p{n}": project(f"p{n}", f"f{n % 8 + 1}") for n in range(54)}
    limits = definition.contests[0].ballot.limits

    def faults(*marks: str) -> list[tuple[str, str]]:
        found = broken_limits(
            limits, marks=[Mark(key) for key in marks], projects=projects, tree=tree
        )
        return [(each.over, each.measure) for each in found]

    assert faults("p0", "p1", "p2", "p3", "p4") == []
    assert faults() == [("all", "count")]
    assert faults("p0", "p8", "p1", "p2", "p3", "p4") == [("all", "count"), ("heading:f1", "count")]


@pytest.mark.parametrize(("year", "projects", "marks"), [(2012, 240, 72), (2014, 560, 168)])
def test_three_tenths_of_the_projects_are_a_number_once_they_are_known(
    year: int, projects: int, marks: int
) -> None:
    tree = HeadingTree(read_definition(definition_of(year)).headings)
    known = [project(f"p{n}", "city") for n in range(projects)]
    [frozen] = freeze_limits(ballot_of(year), projects=known, tree=tree)
    assert frozen.count == Bounds(min=marks, max=marks)


def test_a_share_is_rounded_down() -> None:
    [frozen] = freeze_limits(
        [Limit(over="all", count=Bounds(share=Fraction(30, 100)))],
        projects=[project(f"p{n}") for n in range(9)],
        tree=TREE,
    )
    assert frozen.count == Bounds(min=2, max=2)


def test_2020_takes_seven_of_one_kind_and_three_of_the_other() -> None:
    kinds = ["proposal"] * 9 + ["governance"] * 4
    projects = [project(f"p{n}", kind=kind) for n, kind in enumerate(kinds)]
    seven, three = [f"p{n}" for n in range(7)], ["p9", "p10", "p11"]
    assert broken(ballot_of(2020), projects, *seven, *three) == set()
    assert broken(ballot_of(2020), projects, *seven, "p7", "p9", "p10") == {
        ("kind:proposal", "count", 8), ("kind:governance", "count", 2),
    }  # fmt: skip


def test_a_knapsack_holds_what_it_holds() -> None:
    limits = [Limit(over="all", cost=Bounds(max=100))]
    projects = [project("p", cost=60), project("q", cost=40), project("r", cost=1)]
    assert broken(limits, projects, "p", "q") == set()
    assert broken(limits, projects, "p", "q", "r") == {("all", "cost", 101)}


def test_a_heading_counts_what_lies_beneath_it_and_each_heading_only_its_own() -> None:
    projects = [project("p", "a"), project("q", "a1"), project("r", "b")]
    assert broken([count("heading:a", most=1)], projects, "p", "q") == {("heading:a", "count", 2)}
    assert broken([count("each:heading", most=1)], projects, "p", "q", "r") == set()
    assert broken([count("each:heading", least=1)], projects, "p", "q") == {
        ("heading:b", "count", 0)
    }


def test_groups_points_and_headings_are_measured() -> None:
    projects = [project("p", groups=frozenset({"g"})), project("q", "b", groups=frozenset({"g"}))]
    assert broken([count("group:g", most=1)], projects, "p", "q") == {("group:g", "count", 2)}
    spread = [Limit(over="all", headings=Bounds(min=3), points=Bounds(max=9))]
    assert broken(spread, projects, "p", "q", points=5) == {
        ("all", "headings", 2), ("all", "points", 10),
    }  # fmt: skip


def test_a_broken_limit_is_told_in_two_languages() -> None:
    [low] = broken_limits([count("all", least=1)], marks=[], projects={}, tree=TREE)
    assert said(low.text, "en") == "number of projects in all: 0, at least 1 needed."
    assert said(low.text, "ko") == "전체 사업 수: 지금 0, 1 이상이어야 합니다."
    assert low.shown() == {"over": "all", "measure": "count", "min": 1, "max": None, "found": 0}


# whether any ballot could keep to them


bounds = st.tuples(st.none() | st.integers(0, 4), st.none() | st.integers(0, 4))
overs = st.sampled_from(
    ["all", "each:heading", "heading:city", "heading:a", "heading:b", "heading:a1", "kind:x",
     "kind:y"]
)  # fmt: skip
limit_lists = st.lists(st.builds(lambda over, b: count(over, *b), overs, bounds), max_size=4)
project_lists = st.lists(
    st.tuples(st.sampled_from(["city", "a", "b", "a1"]), st.sampled_from("xy")), max_size=5
).map(lambda rows: [project(f"p{n}", h, kind=k, cost=n) for n, (h, k) in enumerate(rows)])


def some_ballot_keeps(limits: list[Limit], projects: list[Project]) -> bool:
    """Tried out: every set of projects."""
    known = {each.key: each for each in projects}
    return any(
        not broken_limits(limits, marks=[Mark(k) for k in chosen], projects=known, tree=TREE)
        for size in range(len(projects) + 1)
        for chosen in itertools.combinations(known, size)
    )


def said_impossible(limits: list[Limit], projects: list[Project] | None) -> bool:
    paper = Paper(limits=limits, tree=TREE, roots=["city"], kinds=["x", "y"], projects=projects)
    return bool(list(never_satisfied(paper)))


@settings(max_examples=300, deadline=None)
@given(limits=limit_lists, projects=project_lists)
def test_what_is_said_to_be_impossible_no_ballot_satisfies(
    limits: list[Limit], projects: list[Project]
) -> None:
    if said_impossible(limits, projects):
        assert not some_ballot_keeps(limits, projects)


@settings(max_examples=300, deadline=None)
@given(limits=limit_lists, projects=project_lists)
def test_what_is_impossible_before_projects_are_known_no_projects_make_possible(
    limits: list[Limit], projects: list[Project]
) -> None:
    """Every heading without others beneath it has projects, or it would not be there."""
    leaves = [project("p8", "b", kind="x"), project("p9", "a1", kind="y")]
    if said_impossible(limits, None):
        assert not some_ballot_keeps(limits, projects + leaves)


@settings(max_examples=300, deadline=None)
@given(limits=st.lists(st.builds(count, overs.filter(lambda o: o[:4] != "kind"),
                                 st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)),
                       max_size=4),
       projects=project_lists)  # fmt: skip
def test_with_projects_in_a_tree_of_headings_exactly_the_impossible_is_found(
    limits: list[Limit], projects: list[Project]
) -> None:
    assert said_impossible(limits, projects) != some_ballot_keeps(limits, projects)


def test_known_projects_can_make_a_ballot_or_a_set_impossible() -> None:
    document = definition_of(2020)
    document["contests"][0]["allocation"]["exclusive"] = [["p0", "p1"], ["p0", "p9"]]
    definition = read_definition(document)
    few = [
        project(f"p{n}", "city", kind="governance" if n > 7 else "proposal",
                cost=46_280_000_001 if n < 2 else 5)
        for n in range(10)
    ]  # fmt: skip
    found = contradictions_with(definition, contest=0, projects=few)
    assert {(each.code, each.pointer) for each in found} == {
        ("never-satisfied", "/contests/0/ballot/limits/0/count"),  # for want of the third
        ("never-satisfied", "/contests/0/ballot/limits/2/count"),
        ("exclusive-set-never-funded", "/contests/0/allocation/exclusive/0"),
    }


def test_a_knapsack_too_small_for_the_fewest_projects_is_found() -> None:
    limits = [Limit(over="all", count=Bounds(min=2), cost=Bounds(max=10))]
    dear = [project("p", cost=6), project("q", cost=5)]
    paper = Paper(limits=limits, tree=TREE, roots=["city"], kinds=[], projects=dear)
    [found] = never_satisfied(paper)
    assert (found.measure, found.least, found.most) == ("cost", 11, 10)
