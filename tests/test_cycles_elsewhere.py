"""Cycles of cities that nobody thought of run on their definition alone, from idea to decision."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.budgets import definition_elsewhere, plan, read
from tests.support.deciding import change
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.seasons import Season
from tests.support.world import Person, World

CITIES = ("districts", "shares", "youth")


@pytest.mark.parametrize("city", CITIES)
def test_the_rules_of_any_city_are_taken_and_read_back_as_they_are(world: World, city: str) -> None:
    definition = definition_elsewhere(city)
    shown = read(world, plan(world, definition, world.officer()))
    if isinstance(definition["title"], str):
        definition["title"] = {"ko": definition["title"]}
    assert {name: shown[name] for name in definition} == definition


def decide(year: Season, body: list[Person], contest: str, *changes: dict[str, Any]) -> str:
    """Allocate a contest and let *body* vote for the motion on it; its id."""
    answer = year.allocate(contest=contest)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    laid = year.of_cycle("POST", f"motions?contest={contest}", changes=list(changes))
    assert laid.status_code == 201, laid.get_data(as_text=True)
    motion = str(laid.get_json()["id"])
    for member in body:
        assert year.say(motion, member).status_code == 200
    judged = year.judge(motion, body[0])
    assert (judged.status_code, judged.get_json()["state"]) == (200, "carried")
    return motion


def states_of(year: Season) -> list[str]:
    return [str(state) for (state,) in year.of_each("state")]


def test_districts_each_spend_their_own_money_by_knapsack_and_an_assembly_confirms(
    world: World,
) -> None:
    """Three contests, a jury that nobody confirms, no appeals, no deviation; part funding."""
    year = Season(world, definition_elsewhere("districts"))
    million = 1_000_000
    costs = [each * million for each in (30, 20, 18, 20, 8, 9, 1)]
    headings = ["whole", "whole", "north", "north", "south", "south", "whole"]
    ideas = zip(headings, costs, strict=True)
    year.propose(
        [{"heading": heading, "amount": cost, "kind": "green"} for heading, cost in ideas], 6
    )
    dear = year.call(
        "POST", f"cycles/{year.cycle['id']}/proposals", year.citizens(1)[0],
        title="비싼 사업", heading="south", kind="green",
        cost_items=[{"item": "x", "quantity": 1, "unit_price": 10**7, "amount": 10**7}],
    )  # fmt: skip
    assert refused(dear) == (422, "invalid-request")  # its district's cap for green projects
    year.enter_by_officers("assessing")
    year.assess_all(costs, infeasible={6})
    jury, assembly = year.citizens(3), year.citizens(3)
    year.body("jury", jury)
    year.body("assembly", assembly)
    with no_trace(world):
        path = f"cycles/{year.cycle['id']}/committees"
        unknown = year.call("POST", path, year.officer, name="위원회", kind="senate")
        assert refused(unknown) == (422, "invalid-request")
        assert [each["pointer"] for each in unknown.get_json()["errors"]] == ["/kind"]
    year.enter_by_officers("reviewing")
    year.read_all()
    year.judge_each(year.ids[:6], jury, no=())
    year.enter_by_officers("balloting")
    polls = {each: year.open("residents", each) for each in ("all", "north", "south")}
    first, _, third, fourth, fifth, sixth, _ = [str(each) for (each,) in year.of_each("reference")]
    voters = year.citizens(5, home_area="11110", birth_year=1980)
    over = world.cast(polls["north"], voters[0], [third, fourth])
    assert (refused(over), over.get_json()["may_spoil"]) == ((422, "invalid-selection"), True)
    year.vote(polls["north"], [[third], [third], [third], [fourth], [fourth]], voters)
    year.vote(polls["all"], [[first]] * 5, voters)
    year.vote(polls["south"], [[fifth, sixth]] * 5, voters)
    year.finish(*polls.values())
    for contest in polls:
        decide(year, assembly, contest)
    assert states_of(year) == [
        "funded", "not_funded", "funded", "not_funded", "funded", "funded", "rejected"
    ]  # fmt: skip
    assert year.sums()["funded"] == {"projects": 4, "amount": 65 * million}


def test_a_budget_in_equal_shares_without_any_review_is_confirmed_by_a_council(
    world: World,
) -> None:
    year = Season(world, definition_elsewhere("shares"))
    costs = [59_000, 60_500, 50_000, 40_000]
    year.propose([{"heading": "green", "amount": each} for each in costs], 4)
    year.enter_by_officers("assessing")
    year.assess_all(costs, infeasible={3})
    year.let_appeals_lapse()
    year.enter_by_officers("balloting")
    poll = year.open("residents")
    first, second, third, _ = [str(each) for (each,) in year.of_each("reference")]
    marks = [[first, second]] * 33 + [[third]] * 22
    year.vote(poll, marks, year.citizens(55))
    year.finish(poll)
    council = year.citizens(3)
    year.body("council", council)
    decide(year, council, "green")
    # 72,000 belong to those who like the first two, 48,000 to those who like the third; what is
    # left over is added until the third is paid, too: votes alone would have funded the first two
    assert states_of(year) == ["funded", "reserve", "funded", "rejected"]
    greedy = year.of_cycle("GET", "allocation?contest=green").get_json()["comparisons"][0]
    assert sorted(each["reference"] for each in greedy["funded"]) == [first, second]


def test_pupils_on_a_roll_propose_review_vote_and_decide_without_a_phase_of_assessing(
    world: World,
) -> None:
    """Pupils outweigh teachers; of two ball games one at most is funded."""
    year = Season(world, definition_elsewhere("youth"))
    costs = [6_000_000, 5_000_000, 9_000_000, 8_000_000, 4_000_000]
    headings = ["play", "play", "study", "study", "study"]
    year.propose(
        [{"heading": h, "amount": cost} for h, cost in zip(headings, costs, strict=True)], 5
    )
    year.assess_all(costs, infeasible={4})  # while proposals still come in
    numbers = [[f"010-91{group}0-000{n}" for n in range(5)] for group in range(2)]
    pupils, teachers = ([world.person(year.register(each)) for each in those] for those in numbers)
    body = year.body("pupils", pupils)
    year.enter_by_officers("reviewing")
    year.read_all()
    year.judge_list(body, pupils[:3], year.ids[:4])
    year.enter_by_officers("balloting")
    first, second, third, fourth, _ = [str(each) for (each,) in year.of_each("reference")]
    games = [{"key": "ball-games", "references": [first, second]}]
    of_pupils = year.open("pupils", roll=numbers[0], groups=games)
    of_teachers = year.open("teachers", roll=numbers[1])
    with no_trace(world):
        both = world.cast(of_pupils, pupils[0], [first, second])
        assert refused(both) == (422, "invalid-selection")
        assert refused(world.cast(of_pupils, teachers[0], [first])) == (403, "not-eligible")
    year.vote(of_pupils, [[first, third]] * 3 + [[second, fourth]] * 2, pupils)
    year.vote(of_teachers, [[second, fourth]] * 5, teachers)
    year.finish(of_pupils, of_teachers)
    why = {"ko": "체육관이 곧 문을 엽니다."}
    decide(year, pupils, "school", change(fourth, "not_funded", text=why))
    assert states_of(year) == ["funded", "reserve", "funded", "not_funded", "rejected"]
