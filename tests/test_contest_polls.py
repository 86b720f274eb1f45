"""The polls of a cycle's contests: real years cast and counted, what is frozen, what hinders."""

from __future__ import annotations

from typing import Any

import pytest

from mvote.polls.definition import canonical
from tests.support.balloting import Balloting, field
from tests.support.proposals import refused
from tests.support.world import World


def result_of(world: World, poll: dict[str, Any]) -> dict[str, Any]:
    answer = world.client.get(f"/v1/polls/{poll['id']}/results")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def votes_in(result: dict[str, Any]) -> dict[str, int]:
    return {each["key"]: each["votes"] for each in result["options"] if each["votes"]}


def hindrances_of(answer: Any) -> list[tuple[str, str | None]]:
    assert refused(answer) == (409, "not-ready-to-open")
    return [(each["code"], each.get("pointer")) for each in answer.get_json()["hindrances"]]


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
                "ko": "사업 수(heading:f1): 2, 최대 1까지입니다.",
                "en": "number of projects (heading:f1): 2, at most 1 allowed.",
            },
        }
    ]  # fmt: skip
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
    assert result["turnout"] == {"ballots": 7, "blank": 0, "spoilt": 2}
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


def test_a_thousand_projects_stand_on_a_ballot_and_one_more_does_not(world: World) -> None:
    year = Balloting(world, 2023)
    projects = year.projects(1_000)
    year.projects(1)
    assert ("too-many-projects", "") in hindrances_of(year.try_open(year.source))
    year.put(year.references[-1], "withdrawn")
    poll = year.open(year.source)
    assert len(poll["question"]["options"]) == 1_000
    assert world.cast(poll, year.citizens(1)[0], projects[-5:]).status_code == 201


def test_everything_that_hinders_is_named_at_once_and_nothing_is_written(world: World) -> None:
    year = Balloting(world, 2015)
    year.projects(1, heading=field)
    year.projects(1, heading=field, state="submitted")
    year.projects(1, heading=field, state="under_review")
    year.projects(1, heading=field, state="rejected")
    year.projects(1, heading=field, state="appealed")
    year.projects(1, heading=lambda _: "local", state="under_review")  # is decided elsewhere
    answer = year.try_open("committee")
    assert hindrances_of(answer) == [
        ("assessment-open", None),
        ("review-open", None),
        ("appeal-open", None),
        ("appeal-window-open", None),
        ("roll-empty", "/contests/0/sources/1/roll"),
        ("too-few-options", "/question/options"),
    ]
    [under_review] = [h for h in answer.get_json()["hindrances"] if h["code"] == "review-open"]
    assert under_review["proposals"] == [year.references[2]]
    assert (world.count("poll"), world.count("contest_poll")) == (0, 0)
    assert world.rows("SELECT count(*) FROM proposal WHERE state = 'on_ballot'") == [(0,)]


def test_a_contest_that_nobody_could_fill_in_is_not_opened(world: World) -> None:
    year = Balloting(world, 2020)
    year.projects(20, kind=lambda n: "proposal" if n < 18 else "governance")
    found = hindrances_of(year.try_open("citizens"))
    assert found == [
        ("limit-never-met", f"/contests/0/ballot/limits/{number}/count") for number in (2, 0)
    ]
    assert year.states() == {"approved"}


@pytest.mark.parametrize("method", ["ranking", "points"])
def test_a_method_that_the_box_does_not_carry_hinders_the_poll(world: World, method: str) -> None:
    year = Balloting(world, 2023)
    limits = [{"over": "all", "points": {"max": 10}}] if method == "points" else []
    year.definition["contests"][0]["ballot"] = {"method": method, "limits": limits}
    year.begin()
    year.projects(3)
    found = hindrances_of(year.try_open(year.source))
    assert ("method-not-cast", "/contests/0/ballot/method") in found


@pytest.mark.parametrize("source", ["nobody", "survey"])
def test_a_source_that_is_no_poll_is_refused_and_nothing_is_frozen(
    world: World, source: str
) -> None:
    year = Balloting(world, 2015)
    year.projects(4, heading=field)
    answer = year.try_open(source)
    assert refused(answer) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["pointer"] == "/source"
    assert (world.count("poll"), year.states()) == (0, {"approved"})


def test_a_contest_that_is_not_there_is_refused(world: World) -> None:
    year = Balloting(world, 2015)
    answer = year.try_open("citizens", contest="nowhere")
    assert refused(answer) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["pointer"] == "/contest"


def test_only_an_officer_of_the_cycles_department_opens_its_polls(world: World) -> None:
    year = Balloting(world, 2015)
    year.projects(4, heading=field)
    year.officer = world.officer()
    assert refused(year.try_open("citizens")) == (403, "not-allowed")
    year.officer = world.citizen()
    assert refused(year.try_open("citizens")) == (403, "not-allowed")
    assert world.count("poll") == 0


def test_a_source_is_asked_once_and_again_only_after_its_poll_was_given_up(world: World) -> None:
    year = Balloting(world, 2015)
    projects = year.projects(8, heading=field)
    year.seats(year.citizens(3))
    scheduled = year.open("committee")
    assert scheduled["status"] == "scheduled"
    assert refused(year.try_open("committee")) == (409, "impossible-transition")
    path = f"/v1/polls/{scheduled['id']}/cancel"
    assert world.client.post(path, headers=year.officer.headers).status_code == 200
    again = year.open("committee")
    assert [each["key"] for each in again["question"]["options"]] == projects
    assert again["id"] != scheduled["id"]
    assert world.rows("SELECT n FROM contest_poll ORDER BY n") == [(1,), (2,)]


def test_all_polls_of_a_contest_ask_for_the_same_projects_at_the_same_prices(world: World) -> None:
    year = Balloting(world, 2015)
    year.projects(8, heading=field)
    year.seats(year.citizens(3))
    first = year.open("citizens")
    year.put(year.references[3], "struck")
    year.projects(1, heading=field)
    second = year.open("committee")
    assert canonical(second["question"]) == canonical(first["question"])
    assert year.references[3] in [each["key"] for each in second["question"]["options"]]


def test_the_definition_holds_all_that_decides_and_says_where_the_poll_belongs(
    world: World,
) -> None:
    year = Balloting(world, 2015)
    year.projects(8, heading=field)
    year.seats(year.citizens(3))
    poll = year.open("committee")
    definition = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    where = {"id": year.cycle["id"], "contest": "city", "source": "committee"}
    assert definition["cycle"] == poll["cycle"] == where
    assert definition["question"]["headings"] == [
        {"key": "city"}, *({"key": f"f{n}", "parent": "city"} for n in range(1, 9)),
    ]  # fmt: skip
    assert definition["roll"]["size"] == 3
    assert (definition["results"], definition["records"]) == ("after_close", "totals")
    assert definition["title"]["ko"] == "2015 서울 주민참여예산 · city · committee"


def test_groups_are_said_with_the_first_poll_and_their_limits_hold(world: World) -> None:
    year = Balloting(world, 2023)
    contest = year.definition["contests"][0]
    contest["groups"] = [{"key": "schools"}]
    contest["ballot"]["limits"] = [{"over": "group:schools", "count": {"max": 1}}]
    year.begin()
    projects = year.projects(4)
    unknown = [{"key": "schools", "references": ["made-up"]}]
    answer = year.try_open(year.source, groups=unknown)
    assert answer.get_json()["errors"][0]["pointer"] == "/groups/0/references/0"
    assert answer.status_code == 422
    wrong = year.try_open(year.source, groups=[{"key": "parks", "references": []}])
    assert wrong.get_json()["errors"][0]["pointer"] == "/groups/0/key"
    poll = year.open(year.source, groups=[{"key": "schools", "references": projects[:2]}])
    voter = year.citizens(1)[0]
    both = world.cast(poll, voter, projects[:2]).get_json()
    assert [each["over"] for each in both["broken"]] == ["group:schools"]
    assert world.cast(poll, voter, projects[1:]).status_code == 201
