"""The polls of a cycle's contests: the ballots of real years, cast, spoilt and counted."""

from __future__ import annotations

from typing import Any

from tests.support.balloting import Balloting, field
from tests.support.proposals import refused
from tests.support.world import World


def result_of(world: World, poll: dict[str, Any]) -> dict[str, Any]:
    answer = world.client.get(f"/v1/polls/{poll['id']}/results")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def votes_in(result: dict[str, Any]) -> dict[str, int]:
    return {each["key"]: each["votes"] for each in result["options"] if each["votes"]}


def test_2015_five_votes_at_most_one_in_each_field_are_cast_and_counted(world: World) -> None:
    year = Balloting(world, 2015)
    projects = year.projects(54, heading=field)
    year.seats(year.citizens(5))
    polls = [year.open("citizens"), year.open("committee")]
    voters = year.citizens(6)
    for voter in voters[:5]:
        assert world.cast(polls[0], voter, projects[:5]).status_code == 201
    six = world.cast(polls[0], voters[5], projects[:6])
    assert refused(six) == (422, "invalid-selection")
    assert six.get_json()["limit"] == "all"
    two_of_a_field = world.cast(polls[0], voters[5], [projects[0], projects[8]])
    assert two_of_a_field.get_json()["broken"] == [
        {
            "over": "heading:f1", "measure": "count", "min": None, "max": 1, "found": 2,
            "text": {
                "ko": "‘f1’ 분야의 사업 수: 지금 2, 1 이하여야 합니다.",
                "en": "number of projects under the heading f1: 2, at most 1 allowed.",
            },
        }
    ]  # fmt: skip
    assert two_of_a_field.get_json()["detail"] == "‘f1’ 분야의 사업 수: 지금 2, 1 이하여야 합니다."
    assert "may_spoil" not in two_of_a_field.get_json()
    assert world.count("participation") == 5
    assert year.states() == {"on_ballot"}
    year.begin_voting(polls[1])
    for poll in polls:
        world.finish(poll)
    result = result_of(world, polls[0])
    assert votes_in(result) == dict.fromkeys(projects[:5], 5)
    assert result["turnout"] == {"ballots": 5, "blank": 0}


def test_2012_thirty_of_a_hundred_of_240_projects_are_exactly_72(world: World) -> None:
    year = Balloting(world, 2012)
    projects = year.projects(240)
    members = year.citizens(6)
    year.seats(members)
    poll = year.open("committee")
    assert poll["question"]["limits"] == [{"over": "all", "count": {"min": 72, "max": 72}}]
    assert poll["records"] == "totals"
    for member in members[:5]:
        assert world.cast(poll, member, projects[:72]).status_code == 201
    for wrong in (71, 73):
        answer = world.cast(poll, members[5], projects[:wrong])
        assert [each["found"] for each in answer.get_json()["broken"]] == [wrong]
    world.finish(poll)
    assert votes_in(result_of(world, poll)) == dict.fromkeys(projects[:72], 5)


def test_2014_a_wrong_number_of_marks_is_refused_and_then_cast_as_a_spoilt_ballot(
    world: World,
) -> None:
    year = Balloting(world, 2014)
    year.definition["contests"][0]["sources"][0]["roll"] = "active_seats"
    year.begin()
    projects = year.projects(560)
    members = year.citizens(7)
    year.seats(members)
    poll = year.open("members_and_delegates")
    for member in members[:5]:
        assert world.cast(poll, member, projects[:168]).status_code == 201
    for member, marks in zip(members[5:], (167, 0), strict=True):
        refusal = world.cast(poll, member, projects[:marks])
        assert refused(refusal) == (422, "invalid-selection")
        assert refusal.get_json()["may_spoil"] is True
        key = f"{'k' * 30}{marks}"
        body: dict[str, Any] = {"accept_spoilt": True, "key": key}
        first = world.cast(poll, member, projects[:marks], **body)
        again = world.cast(poll, member, projects[:marks], **body)
        assert (first.status_code, again.get_json()) == (201, first.get_json())
    twice = world.cast(poll, members[0], [projects[0], projects[0]], accept_spoilt=True)
    assert twice.get_json()["limit"] == "repeated-option"
    unknown = world.cast(poll, members[0], ["made-up"], accept_spoilt=True)
    assert unknown.get_json()["limit"] == "unknown-option"
    assert len(set(world.rows('SELECT length("outer") FROM envelope'))) == 1
    world.finish(poll)
    assert len(set(world.rows("SELECT length(sealed) FROM box"))) == 1
    result = result_of(world, poll)
    assert result["turnout"] == {"ballots": 7, "blank": 0, "spoilt": 2, "roll": 7}
    named = {name: result["statement"][name] for name in ("valid", "blank", "spoilt", "records")}
    assert named == {"valid": 5, "blank": 0, "spoilt": 2, "records": 7}
    assert votes_in(result) == dict.fromkeys(projects[:168], 5)
    assert {each["share"] for each in result["options"]} == {0.0, 1.0}


def test_what_may_not_be_spoilt_is_refused_even_from_who_accepts_it(world: World) -> None:
    year = Balloting(world, 2015)
    projects = year.projects(8, heading=field)
    poll = year.open("citizens")
    answer = world.cast(poll, year.citizens(1)[0], projects[:6], accept_spoilt=True)
    assert refused(answer) == (422, "invalid-selection")
    assert world.count("participation") == 0


def test_2020_seven_of_one_kind_and_three_of_the_other(world: World) -> None:
    year = Balloting(world, 2020)
    projects = year.projects(97, kind=lambda n: "proposal" if n < 60 else "governance")
    poll = year.open("citizens")
    voters = year.citizens(6)
    seven_and_three = [*projects[:7], *projects[60:63]]
    for voter in voters[:5]:
        assert world.cast(poll, voter, seven_and_three).status_code == 201
    six_and_four = world.cast(poll, voters[5], [*projects[:6], *projects[60:64]])
    broken = [(each["over"], each["found"]) for each in six_and_four.get_json()["broken"]]
    assert broken == [("kind:proposal", 6), ("kind:governance", 4)]
    world.finish(poll)
    assert votes_in(result_of(world, poll)) == dict.fromkeys(seven_and_three, 5)


def test_a_knapsack_takes_what_fits_at_the_frozen_prices(world: World) -> None:
    limit = {"over": "all", "cost": {"max": 1_000_000_000}}
    year = Balloting(world, 2023)
    year.definition["contests"][0]["ballot"] = {"method": "knapsack", "limits": [limit]}
    year.begin()
    projects = year.projects(3, amount=lambda _: 400_000_000)
    year.assessed(projects[2], 600_000_000, min_useful_amount=200_000_000)
    poll = year.open(year.source)
    options = {each["key"]: each for each in poll["question"]["options"]}
    assert options[projects[2]]["amount"] == 600_000_000
    assert options[projects[2]]["min_useful_amount"] == 200_000_000
    assert poll["question"]["method"] == "knapsack"
    voter = year.citizens(1)[0]
    too_dear = world.cast(poll, voter, projects).get_json()["broken"]
    assert [(each["measure"], each["found"]) for each in too_dear] == [("cost", 1_400_000_000)]
    assert world.cast(poll, voter, projects[1:]).status_code == 201
