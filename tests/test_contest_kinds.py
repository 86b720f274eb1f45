"""Contests in which projects are ranked or given points: cast, counted, blended, allocated."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvote.ballotbox.tallying import count_marks
from mvote.ballotbox.vectors import vector_of
from mvote.budget.balloting.paper import hindrances_on_paper, question_of
from mvote.budget.definition import (
    Allocation,
    Ballot,
    Blend,
    Bounds,
    Contest,
    Definition,
    Heading,
    Limit,
)
from mvote.polls.definition import question_in
from mvote.polls.errors import InvalidSelection
from tests.support.deciding import Council
from tests.support.proposals import refused
from tests.support.world import World
from verifier.mvote_verify import keeps, limits_of, recount

OPTIONS: list[Any] = [
    {"key": f"p{n}", "reference": f"p{n}", "heading": "city", "amount": 1} for n in range(4)
]


def council(world: World, ballot: dict[str, Any], **contest: Any) -> Council:
    """Five projects, and one source that is polled."""
    year = Council(world, 2023)
    [asked] = year.definition["contests"]
    asked["sources"] = [{"key": "citizens", "kind": "poll"}]
    asked["ballot"] = ballot
    asked |= contest
    year.begin()
    year.projects(5)
    return year


def given_to(references: list[str], *numbers: int) -> list[dict[str, Any]]:
    """Points for these projects in turn."""
    pairs = zip(references, numbers, strict=False)
    return [{"key": key, "points": number} for key, number in pairs if number]


def votes_in(year: Council) -> dict[str, int]:
    [source] = year.allocated()["inputs"]["sources"]
    return {key: int(votes) for key, votes in source["votes"].items()}


TEN_POINTS = {"method": "points", "limits": [{"over": "all", "points": {"max": 10}}]}


def test_points_of_all_ballots_are_added_up_and_order_the_projects(world: World) -> None:
    year = council(world, TEN_POINTS)
    poll = year.open("citizens")
    assert (poll["question"]["kind"], poll["records"]) == ("points", "totals")
    one, two, three, four, five = year.references
    ballots = [given_to(year.references, 6, 4), given_to(year.references, 0, 7, 3), []]
    year.vote(poll, [*ballots, ballots[0], ballots[1]], year.citizens(5))
    year.plenary(5)
    year.finish(poll)
    result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    assert (result["method"], result["winners"]) == ("points", None)
    assert sum(each["share"] for each in result["options"]) == pytest.approx(1)
    assert votes_in(year) == {one: 12, two: 22, three: 6, four: 0, five: 0}


def test_a_limit_over_points_is_named_when_it_is_broken(world: World) -> None:
    year = council(world, TEN_POINTS)
    poll = year.open("citizens")
    [voter] = year.citizens(1)
    answer = world.cast(poll, voter, given_to(year.references, 6, 5))
    assert refused(answer) == (422, "invalid-selection")
    [broken] = answer.get_json()["broken"]
    assert (broken["measure"], broken["max"], broken["found"]) == ("points", 10, 11)
    assert world.count("participation") == 0


def test_too_many_points_can_be_cast_as_a_spoilt_ballot_that_counts_nowhere(world: World) -> None:
    year = council(world, TEN_POINTS | {"wrong": "spoil"})
    poll = year.open("citizens")
    people = year.citizens(6)
    wrong = given_to(year.references, 9, 9)
    first = world.cast(poll, people[0], wrong)
    assert first.get_json()["may_spoil"] is True
    assert world.cast(poll, people[0], wrong, accept_spoilt=True).status_code == 201
    year.vote(poll, [given_to(year.references, 1)] * 5, people[1:])
    year.plenary(5)
    year.finish(poll)
    assert votes_in(year)[year.references[0]] == 5
    result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    assert result["turnout"] == {"ballots": 6, "blank": 0, "spoilt": 1}


def test_scores_are_blended_as_parts_of_the_scale_and_nobody_gives_more(world: World) -> None:
    limits = [{"over": "all", "points": {"max": 25}}]
    blend = {"normalise": "of_scale", "scale": 5, "missing": "block", "min_ballots": 0}
    year = council(world, {"method": "points", "limits": limits}, blend=blend)
    poll = year.open("citizens")
    people = year.citizens(6)
    answer = world.cast(poll, people[0], given_to(year.references, 6))
    assert (refused(answer), answer.get_json()["limit"]) == (
        (422, "invalid-selection"), "max_points",
    )  # fmt: skip
    year.vote(poll, [given_to(year.references, 5, 3)] * 3 + [[]] * 3, people)
    year.plenary(5)
    year.finish(poll)
    found = {each["reference"]: each for each in year.allocated()["binding"]["projects"]}
    shares = [found[each]["shares"]["citizens"] for each in year.references[:2]]
    assert [Fraction(each) for each in shares] == [Fraction(1, 2), Fraction(3, 10)]


def test_a_ranking_gives_the_first_of_three_places_three_points(world: World) -> None:
    limits = [{"over": "all", "count": {"min": 0, "max": 3}}]
    year = council(world, {"method": "ranking", "limits": limits})
    poll = year.open("citizens")
    one, two, three, four, five = year.references
    [late, *people] = year.citizens(6)
    refusal = world.cast(poll, late, [one, two, three, four])
    assert refused(refusal) == (422, "invalid-selection")
    year.vote(poll, [[two, one, three]] * 2 + [[one]] * 2 + [[]], people)
    year.plenary(5)
    year.finish(poll)
    assert votes_in(year) == {one: 10, two: 6, three: 2, four: 0, five: 0}
    assert year.allocation()["binding"]["order"][:3] == [one, two, three]


# the box and the verifier

LIMITS = st.lists(
    st.builds(
        Limit,
        over=st.sampled_from(["all", "heading:city"]),
        count=st.none() | st.builds(Bounds, min=st.integers(0, 2), max=st.integers(2, 4)),
        points=st.none() | st.builds(Bounds, min=st.integers(0, 3), max=st.integers(3, 9)),
    ),
    max_size=3,
)


def asked(method: Any, limits: list[Limit], wrong: Any) -> dict[str, Any]:
    """The question of a contest, as it is frozen."""
    if method == "ranking":
        limits = [Limit(over=each.over, count=each.count) for each in limits]
    contest = Contest(
        key="city", headings=("city",), sources=(), allocation=Allocation(rule="greedy"),
        ballot=Ballot(method=method, limits=tuple(limits), wrong=wrong),
        blend=Blend(),
    )  # fmt: skip
    definition = Definition(
        title={"ko": "예산"}, currency="KRW", budget_year=2027, headings=(Heading(key="city"),),
        phases=(), contests=(contest,),
    )  # fmt: skip
    list(hindrances_on_paper(definition, contest, OPTIONS))
    found: dict[str, Any] = question_of(definition, contest, OPTIONS)
    return found


@settings(max_examples=200)
@given(LIMITS, st.lists(st.lists(st.integers(0, 4), min_size=4, max_size=4), max_size=8))
def test_limits_over_points_spoil_the_same_ballots_for_box_and_verifier(
    limits: list[Limit], ballots: list[list[int]]
) -> None:
    document = asked("points", limits, "spoil")
    question = question_in(document)
    keys = [each["key"] for each in OPTIONS]
    vectors = [vector_of(question, given_to(keys, *marks), accept_spoilt=True) for marks in ballots]
    counted = count_marks(question, vectors)
    found = recount({"question": document}, sorted(vectors))
    assert [*found["totals"].values()] == [*counted.totals]
    assert (found["blank"], found["spoilt"], found["winners"]) == (
        counted.blank, counted.spoilt, [],
    )  # fmt: skip


@settings(max_examples=200)
@given(LIMITS, st.lists(st.integers(0, 4), min_size=4, max_size=4))
def test_the_box_refuses_the_points_that_the_verifier_finds_to_break_a_limit(
    limits: list[Limit], marks: list[int]
) -> None:
    document = asked("points", limits, "refuse")
    question = question_in(document)
    selections = given_to([each["key"] for each in OPTIONS], *marks)
    if keeps(limits_of(document), marks):
        assert vector_of(question, selections)
        return
    with pytest.raises(InvalidSelection):
        vector_of(question, selections)


@settings(max_examples=200)
@given(LIMITS, st.lists(st.permutations([f"p{n}" for n in range(4)]), max_size=8), st.data())
def test_rankings_of_projects_total_alike_for_box_and_verifier(
    limits: list[Limit], orders: list[list[str]], data: st.DataObject
) -> None:
    document = asked("ranking", limits, "spoil")
    question = question_in(document)
    cut = [order[: data.draw(st.integers(0, 4))] for order in orders]
    vectors = [vector_of(question, order, accept_spoilt=True) for order in cut]
    counted = count_marks(question, vectors)
    found = recount({"question": document}, sorted(vectors))
    assert [*found["totals"].values()] == [*counted.totals]
    assert found["workings"] is None


def test_points_for_more_projects_than_there_are_points_are_a_limit_never_met() -> None:
    limits = [Limit(over="all", count=Bounds(min=3), points=Bounds(max=2))]
    contest = Contest(
        key="city", headings=("city",), sources=(), allocation=Allocation(rule="greedy"),
        ballot=Ballot(method="points", limits=tuple(limits)),
    )  # fmt: skip
    definition = Definition(
        title={"ko": "예산"}, currency="KRW", budget_year=2027, headings=(Heading(key="city"),),
        phases=(), contests=(contest,),
    )  # fmt: skip
    found = [each.pointer for each in hindrances_on_paper(definition, contest, OPTIONS)]
    assert found == ["/contests/0/ballot/limits/0/points"]
