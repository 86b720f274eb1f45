"""Freezing the poll of a contest: once for each source, with the same projects and prices."""

from __future__ import annotations

import uuid

from mvote.polls.definition import canonical
from tests.support.balloting import Balloting, field
from tests.support.proposals import refused
from tests.support.world import World


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
    listed = world.client.get(f"/v1/cycles/{year.cycle['id']}/polls").get_json()["items"]
    found = [(each["n"], each["poll_id"], each["status"]) for each in listed]
    assert found == [(1, scheduled["id"], "cancelled"), (2, again["id"], "scheduled")]
    assert {(each["contest"], each["source"]) for each in listed} == {("city", "committee")}


def test_of_a_cycle_that_is_not_there_no_polls_are_listed(world: World) -> None:
    assert refused(world.client.get(f"/v1/cycles/{uuid.uuid4()}/polls")) == (404, "not-found")


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
