"""A list of polls stays light, however many projects their ballots have."""

from __future__ import annotations

import pytest

from mvote.polls.listing import MOST_LISTED
from tests.support.balloting import Balloting
from tests.support.governing import spoil
from tests.support.world import World

LONG = 130


@pytest.fixture
def year(world: World) -> Balloting:
    """A cycle of 2012, whose members mark a share of however many projects there are."""
    year = Balloting(world, 2012)
    year.seats(year.citizens(1))
    return year


def test_of_a_long_question_a_list_shows_the_first_options_and_how_many_are_left_out(
    world: World, year: Balloting
) -> None:
    projects = year.projects(LONG)
    poll = year.open("committee")
    [listed] = world.client.get("/v1/polls").get_json()["items"]
    assert [each["key"] for each in listed["question"]["options"]] == projects[:MOST_LISTED]
    assert listed["question"]["options_left_out"] == LONG - MOST_LISTED
    whole = world.client.get(f"/v1/polls/{poll['id']}").get_json()
    assert [each["key"] for each in whole["question"]["options"]] == projects
    assert "options_left_out" not in whole["question"]
    same = {name: value for name, value in whole.items() if name != "question"}
    assert {name: value for name, value in listed.items() if name != "question"} == same
    kept = ("text", "kind", "min_selections", "max_selections", "limits", "wrong")
    assert [listed["question"][name] for name in kept] == [whole["question"][name] for name in kept]


def test_a_question_of_as_many_options_as_a_list_shows_is_there_as_a_whole(
    world: World, year: Balloting
) -> None:
    year.projects(MOST_LISTED)
    poll = year.open("committee")
    [listed] = world.client.get("/v1/polls").get_json()["items"]
    assert listed == world.client.get(f"/v1/polls/{poll['id']}").get_json()


def test_a_ballot_of_a_thousand_projects_weighs_no_more_in_a_list_than_one_of_a_hundred(
    world: World, year: Balloting
) -> None:
    year.projects(LONG)
    year.open("committee")
    option = (
        "jsonb_build_object('key', 'p' || n, 'title', jsonb_build_object('ko', repeat('가', 60)))"
    )
    options = f"(SELECT jsonb_agg({option}) FROM generate_series(1, 1000) n)"  # noqa: S608
    spoil(world, "UPDATE poll SET content = jsonb_set(content, '{question,options}',"  # noqa: S608
          f" {options})")  # fmt: skip
    answer = world.client.get("/v1/polls")
    [listed] = answer.get_json()["items"]
    assert listed["question"]["options_left_out"] == 900
    assert len(answer.get_data()) < 60_000
