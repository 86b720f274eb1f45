"""Reporting a poll: once for each person; enough hold it back until an officer has looked."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.support.people import problem
from tests.support.places import add_area, box, polygon
from tests.support.reporting import (
    citizens_poll,
    decided,
    held_back,
    inbox,
    is_listed,
    polls_listed,
    reported,
    shown,
    try_report,
)
from tests.support.world import CITY_HALL, Person, World, tomorrow


@pytest.fixture
def author(world: World) -> Person:
    return world.citizen()


@pytest.fixture
def poll(world: World, author: Person) -> dict[str, Any]:
    return citizens_poll(world, author)


@pytest.fixture
def to_hold(world: World) -> int:
    return world.settings.reports_to_hold


def kept(world: World) -> list[int]:
    return [world.count(each) for each in ("report", "moderation_case", "journal", "bulletin")]


# being held back


def test_enough_different_people_hold_a_citizens_poll_back(
    world: World, poll: dict[str, Any], to_hold: int
) -> None:
    reported(world, poll, to_hold - 1)
    assert is_listed(world, poll)
    assert shown(world, poll)["held_back"] is None
    reported(world, poll, 1)
    assert not is_listed(world, poll)
    assert shown(world, poll)["held_back"]["since"]


def test_voting_by_the_link_goes_on(world: World) -> None:
    poll = held_back(world)
    assert world.cast(poll, world.citizen()).status_code == 201
    world.finish(poll)
    assert shown(world, poll)["status"] == "published"
    assert world.client.get(f"/v1/polls/{poll['id']}/results").status_code == 200
    assert not is_listed(world, poll)


def test_the_citys_own_polls_are_never_held_back(world: World, to_hold: int) -> None:
    poll = world.open_poll()
    reported(world, poll, to_hold + 1)
    assert is_listed(world, poll)
    assert shown(world, poll)["held_back"] is None
    assert problem(decided(world, poll, "keep")) == (409, "never-held-back")
    assert decided(world, poll, "release").get_json()["state"] == "released"


def test_a_poll_that_was_announced_or_has_ended_is_reported_like_an_open_one(
    world: World, poll: dict[str, Any], to_hold: int
) -> None:
    later = citizens_poll(world, **tomorrow())
    world.finish(poll)
    for each in (poll, later):
        reported(world, each, to_hold)
        assert not is_listed(world, each)


def test_who_is_told_who_reported_is_nobody(
    world: World, poll: dict[str, Any], author: Person, to_hold: int
) -> None:
    people = reported(world, poll, to_hold, text="전화번호가 있어요.")
    officer = world.officer()
    queue = world.client.get("/v1/moderation", headers=officer.headers).get_data(as_text=True)
    seen = queue + str(inbox(world, author)) + str(shown(world, poll, author))
    told = world.rows("SELECT facts::text || actor_id::text FROM journal WHERE subject_id = %s",
                      poll["id"])  # fmt: skip
    rows = world.rows("SELECT * FROM report")
    for each in people:
        assert str(each.id) not in seen
        assert each.id.bytes not in {value for row in rows for value in row}
        assert not any(str(each.id) in (text or "") for (text,) in told)
    assert "전화번호" in queue
    assert "전화번호" not in str(inbox(world, author)) + str(shown(world, poll, author))


# the author


def test_the_author_is_told_why_it_is_held_back_and_what_was_decided(
    world: World, poll: dict[str, Any], author: Person
) -> None:
    reported(world, poll, 3, ground="personal-data")
    reported(world, poll, 2, ground="advertising")
    (told,) = inbox(world, author)
    assert (told["kind"], told["poll_id"], told["cycle_id"]) == ("poll_held_back", poll["id"], None)
    assert "개인정보 3건, 광고 2건" in told["text"]["ko"]
    assert "personal data: 3, advertising: 2" in told["text"]["en"]
    grounds = [{"ground": "personal-data", "reports": 3}, {"ground": "advertising", "reports": 2}]
    seen = shown(world, poll, author)["moderation"]
    assert (seen["state"], seen["grounds"], seen["reason"]) == ("held", grounds, None)
    reason = {"ko": "전화번호를 지워야 합니다.", "en": "There is a number in it."}
    assert decided(world, poll, "keep", reason=reason).status_code == 200
    told = inbox(world, author)[0]
    assert told["kind"] == "poll_kept_out"
    assert all(reason[language] in told["text"][language] for language in reason)
    seen = shown(world, poll, author)["moderation"]
    assert (seen["state"], seen["grounds"], seen["reason"]) == ("kept", grounds, reason)


def test_nobody_but_its_own_people_is_shown_what_was_reported(world: World, author: Person) -> None:
    poll = held_back(world, author)
    assert "moderation" not in shown(world, poll)
    assert "moderation" not in shown(world, poll, world.citizen())
    assert "moderation" in shown(world, poll, author)


def test_the_author_learns_nothing_of_reports_that_do_not_hold_it_back(
    world: World, poll: dict[str, Any], author: Person, to_hold: int
) -> None:
    reported(world, poll, to_hold - 1)
    assert "moderation" not in shown(world, poll, author)
    assert inbox(world, author) == []


def test_the_tag_of_a_poll_changes_when_it_is_held_back(world: World, poll: dict[str, Any]) -> None:
    url = f"/v1/polls/{poll['id']}"
    tag = world.client.get(url).headers["ETag"]
    reported(world, poll, world.settings.reports_to_hold)
    assert world.client.get(url, headers={"If-None-Match": tag}).status_code == 200


# after a decision


def test_after_a_release_it_takes_twice_as_many_new_reports(
    world: World, poll: dict[str, Any], to_hold: int
) -> None:
    first = reported(world, poll, to_hold)
    assert decided(world, poll, "release").status_code == 200
    assert is_listed(world, poll)
    assert problem(try_report(world, poll, first[0])) == (409, "already-reported")
    reported(world, poll, 2 * to_hold - 1, ground="insult-or-hate")
    assert is_listed(world, poll)
    reported(world, poll, 1)
    assert not is_listed(world, poll)
    assert decided(world, poll, "release").status_code == 200
    reported(world, poll, 2 * to_hold)
    assert is_listed(world, poll)


def test_releasing_what_was_in_the_lists_protects_it_from_nobody(
    world: World, poll: dict[str, Any], to_hold: int
) -> None:
    for _ in range(2):
        reported(world, poll, 1)
        assert decided(world, poll, "release").status_code == 200
    reported(world, poll, to_hold - 1)
    assert is_listed(world, poll)
    reported(world, poll, 1)
    assert not is_listed(world, poll)


def test_what_was_kept_stays_out_until_an_officer_releases_it(world: World, to_hold: int) -> None:
    poll = held_back(world)
    assert decided(world, poll, "keep").get_json()["state"] == "kept"
    reported(world, poll, 1)
    assert not is_listed(world, poll)
    assert problem(decided(world, poll, "keep")) == (409, "impossible-transition")
    assert decided(world, poll, "release").get_json()["state"] == "released"
    assert is_listed(world, poll)


def test_a_single_report_lets_an_officer_keep_a_poll_out(
    world: World, poll: dict[str, Any]
) -> None:
    reported(world, poll, 1)
    assert decided(world, poll, "keep").status_code == 200
    assert not is_listed(world, poll)


# finding


NEAR = {
    "position": {**CITY_HALL, "accuracy_m": 10, "captured_at": "2026-11-22T00:00:00Z"},
    "radius_m": 5_000,
}


def found_nearby(world: World) -> list[str]:
    answer = world.client.post("/v1/polls/nearby", json=NEAR)
    return [each["id"] for each in answer.get_json()["items"]]


def test_what_is_held_back_is_not_near_and_is_again_when_it_is_released(world: World) -> None:
    poll = citizens_poll(
        world,
        presence={"rule": "area", "area": {"center": CITY_HALL, "radius_m": 500}},
    )
    assert found_nearby(world) == [poll["id"]]
    reported(world, poll, world.settings.reports_to_hold)
    assert found_nearby(world) == []
    assert decided(world, poll, "release").status_code == 200
    assert found_nearby(world) == [poll["id"]]


def test_no_filter_of_the_list_finds_what_is_held_back(
    world: World, author: Person, owner: Session
) -> None:
    add_area(owner, "11110", polygon(box(126.9, 37.5, 127.0, 37.6)), kind="gu")
    poll = held_back(world, author, title="특별한 이름", eligibility={"areas": ["11110"]})
    queries = ("", "&status=open", "&origin=citizen", "&area=11110", "&q=특별한")
    assert [polls_listed(world, query) for query in queries] == [[]] * len(queries)
    assert decided(world, poll, "release").status_code == 200
    assert [len(polls_listed(world, query)) for query in queries] == [1] * len(queries)
