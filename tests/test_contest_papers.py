"""The paper: projects in an order of the voter's own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.balloting import Balloting, field
from tests.support.world import Person, World


@pytest.fixture
def year(world: World) -> Balloting:
    year = Balloting(world, 2015)
    year.projects(8, heading=field)
    return year


def paper_of(world: World, poll: dict[str, Any], who: Person) -> list[str]:
    answer = world.client.get(f"/v1/polls/{poll['id']}/paper", headers=who.headers)
    assert answer.status_code == 200
    return [each["key"] for each in answer.get_json()["question"]["options"]]


def test_each_voter_sees_the_projects_in_an_order_of_their_own_that_stays(
    world: World, year: Balloting
) -> None:
    poll = year.open("citizens")
    first, second = year.citizens(2)
    mine = paper_of(world, poll, first)
    assert sorted(mine) == year.references
    assert paper_of(world, poll, first) == mine
    assert paper_of(world, poll, second) != mine
    before = world.rows("SELECT count(*) FROM journal")
    paper_of(world, poll, first)
    assert world.rows("SELECT count(*) FROM journal") == before


def test_no_project_is_better_placed_than_another_over_all_voters(
    world: World, year: Balloting
) -> None:
    poll = year.open("citizens")
    firsts = [paper_of(world, poll, voter)[0] for voter in year.citizens(200)]
    assert {firsts.count(reference) > 8 for reference in year.references} == {True}  # 25 on average


def test_an_ordinary_paper_keeps_its_authors_order(world: World) -> None:
    poll = world.open_poll()
    assert paper_of(world, poll, world.citizen()) == ["yes", "no"]
