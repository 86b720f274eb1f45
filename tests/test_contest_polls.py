"""The polls of a cycle's contests: what is frozen, who may vote, what hinders, as in real years."""

from __future__ import annotations

import pytest

from tests.support.balloting import Balloting, field
from tests.support.proposals import refused
from tests.support.world import World


def test_2015_five_votes_at_most_one_in_each_field_are_cast_and_counted(world: World) -> None:
    year = Balloting(world, 2015)
    projects = year.projects(54, heading=field)
    poll = year.open("citizens")
    voters = year.citizens(6)
    for voter in voters[:5]:
        assert world.cast(poll, voter, projects[:5]).status_code == 201
    six = world.cast(poll, voters[5], projects[:6])
    assert refused(six) == (422, "invalid-selection")
    assert six.get_json()["limit"] == "all"
    two_of_a_field = world.cast(poll, voters[5], [projects[0], projects[8]])
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
