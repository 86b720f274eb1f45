"""Left for me: what a member is still to score, in which round, and until when."""

from __future__ import annotations

import datetime as dt

import pytest

from mvote.base import utc_now
from tests.support.hostile import both
from tests.support.reviews import Chamber
from tests.support.world import World


@pytest.fixture
def chamber(world: World) -> Chamber:
    return Chamber(world, members=2)


def test_what_is_left_says_what_it_is_in_which_round_and_until_when(chamber: Chamber) -> None:
    proposal = chamber.reviewed()
    [item] = chamber.left(chamber.members[0])
    assert (item["proposal_id"], item["round"]) == (proposal["id"], 1)
    assert (item["reference"], item["title"]) == ("2016-0001", proposal["title"])
    assert item["seat_id"] == chamber.seat_of(chamber.members[0])
    assert dt.datetime.fromisoformat(item["due_at"]) > utc_now() + dt.timedelta(days=29)


def test_what_was_scored_is_left_no_more_until_the_second_round(chamber: Chamber) -> None:
    proposal, chair = chamber.reviewed(), chamber.chair()
    chamber.opine(proposal, chair)
    assert chamber.left(chair) == []
    assert len(chamber.left(chamber.members[1])) == 1
    chamber.discuss(proposal, chair)
    assert [each["round"] for each in chamber.left(chair)] == [2]
    chamber.opine(proposal, chair)
    assert chamber.left(chair) == []


@pytest.mark.parametrize("ends", ["judged", "withdrawn", "phase"])
def test_nothing_is_left_of_what_is_over(chamber: Chamber, ends: str) -> None:
    proposal, member = chamber.reviewed(), chamber.members[0]
    if ends == "phase":
        chamber.enter("deciding")
    else:
        chamber.judge(proposal, "approved" if ends == "judged" else "withdrawn")
    assert chamber.left(member) == []


def test_what_is_assessed_late_has_its_readers_in_balloting_without_anybody_asking(
    chamber: Chamber,
) -> None:
    proposal = chamber.assessed()
    chamber.enter("balloting")
    chamber.work()
    for member in chamber.members:
        [item] = chamber.left(member)
        assert (item["proposal_id"], item["round"]) == (proposal["id"], 1)
        assert dt.datetime.fromisoformat(item["due_at"]) > utc_now() + dt.timedelta(days=29)


def test_whoever_steps_aside_in_balloting_is_followed_by_another_reader(chamber: Chamber) -> None:
    proposal, third = chamber.reviewed(), chamber.seated()
    chamber.enter("balloting")
    assert chamber.step_aside(proposal, chamber.members[0]).status_code == 201
    assert [each["proposal_id"] for each in chamber.left(third)] == [proposal["id"]]


def test_much_that_is_left_comes_in_pages(chamber: Chamber) -> None:
    author, member = chamber.author(), chamber.members[0]
    ids = [chamber.assessed(author)["id"] for _ in range(3)]
    chamber.give_out()
    first = chamber.send("GET", "me/reviews?limit=2", member).get_json()
    rest = chamber.send("GET", f"me/reviews?limit=2&cursor={first['next_cursor']}", member)
    found = [each["proposal_id"] for each in first["items"] + rest.get_json()["items"]]
    assert sorted(found) == sorted(ids)
    assert rest.get_json()["next_cursor"] is None


def test_only_members_have_something_left_and_nobody_reads_it_without_a_token(
    chamber: Chamber,
) -> None:
    chamber.reviewed()
    assert chamber.left(chamber.citizen()) == []
    both(chamber.world, "GET", "/v1/me/reviews", 401, "token-missing")
