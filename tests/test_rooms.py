"""Private rooms: found by number and password only, and by nothing else anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mvote.base import utc_now
from mvote.polls.room_passes import LIFETIME, RoomPasses
from mvote.polls.room_passwords import RoomPasswords
from tests.support.contract import contract
from tests.support.rooms import PASSWORD, looked_up, room_id
from tests.support.world import CITY_HALL, Person, World, new_key, position
from tests.test_bundles import verified

PAGES = sorted(
    path
    for path, item in contract()["paths"].items()
    if path.startswith("/v1/polls/{poll_id}") and item.get("get", {}).get("security") == []
)

QUERIES = {"inclusion": "?index=0", "consistency": "?from=1"}


@pytest.fixture
def author(world: World) -> Person:
    return world.officer()


@pytest.fixture
def room(world: World, author: Person) -> dict[str, Any]:
    """An open private poll, as its author sees it."""
    return world.open_poll(author, room_password=PASSWORD)


def page_of(room: dict[str, Any], path: str) -> str:
    url = path.replace("{poll_id}", room["id"]).replace("{tracker}", "ab" * 16)
    return url + QUERIES.get(path.rpartition("/")[2], "")


def eligibility(world: World, room: dict[str, Any], who: Person, **body: Any) -> Any:
    url = f"/v1/polls/{room['id']}/eligibility"
    return world.client.post(url, json=body, headers=who.headers)


# finding


def test_number_and_password_lead_to_the_poll(world: World, room: dict[str, Any]) -> None:
    answer = looked_up(world, world.citizen(), room["room_number"])
    assert answer.status_code == 200
    found = answer.get_json()
    assert (found["id"], found["is_private"]) == (room["id"], True)
    assert found["question"] == room["question"]


def test_a_wrong_number_and_a_wrong_password_are_answered_alike(
    world: World, room: dict[str, Any]
) -> None:
    nowhere = "00000000" if room["room_number"] != "00000000" else "00000001"
    answers = [
        looked_up(world, world.citizen(), room["room_number"], "something else"),
        looked_up(world, world.citizen(), nowhere),
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].get_json() == answers[1].get_json()


def test_no_room_costs_as_much_as_a_wrong_password() -> None:
    work: list[object] = []

    def noted(task: Any) -> Any:
        work.append(task)
        return task()

    passwords = RoomPasswords(b"k" * 32, noted)
    passwords.opens(None, None, PASSWORD)  # the first makes what all others are held against
    work.clear()
    assert not passwords.opens(None, None, PASSWORD)
    assert len(work) == 1


def test_a_draft_is_no_room_yet(world: World, author: Person) -> None:
    draft = world.draft(author, room_password=PASSWORD)
    assert looked_up(world, world.citizen(), draft["room_number"]).status_code == 404


# being nowhere else


def test_a_private_poll_is_in_no_list_and_no_search(
    world: World, author: Person, room: dict[str, Any]
) -> None:
    public = world.open_poll(author)
    for query in ("", "?status=open", "?origin=government", "?q=나무"):
        answer = world.client.get(f"/v1/polls{query}", headers=author.headers)
        assert [poll["id"] for poll in answer.get_json()["items"]] == [public["id"]], query


def test_a_private_poll_is_not_found_by_those_who_are_near(world: World, author: Person) -> None:
    here = {"rule": "area", "area": {"center": CITY_HALL, "radius_m": 500}}
    world.open_poll(author, presence=here, room_password=PASSWORD)
    public = world.open_poll(author, presence=here)
    body = {"position": position(**CITY_HALL), "radius_m": 2000}
    answer = world.client.post("/v1/polls/nearby", json=body)
    assert [poll["id"] for poll in answer.get_json()["items"]] == [public["id"]]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_a_private_poll_is_shown_to_a_stranger(
    world: World, room: dict[str, Any], path: str
) -> None:
    stranger = world.officer()  # of another department
    for headers in ({}, stranger.headers, {"Room-Pass": "nonsense"}):
        answer = world.client.get(page_of(room, path), headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not-found"), headers


def test_a_stranger_does_not_get_the_paper_of_a_private_poll(
    world: World, author: Person, room: dict[str, Any]
) -> None:
    path, guest = f"/v1/polls/{room['id']}/paper", world.citizen()
    for who in (guest, world.officer()):
        answer = world.client.get(path, headers=who.headers)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not-found")
    token = looked_up(world, guest, room["room_number"]).get_json()["room_pass"]
    for headers in (author.headers, guest.headers | {"Room-Pass": token}):
        answer = world.client.get(path, headers=headers)
        assert answer.get_json()["question"] == room["question"]


@pytest.mark.parametrize("path", PAGES)
def test_a_pass_opens_every_page_without_a_token(
    world: World, author: Person, path: str, room: dict[str, Any]
) -> None:
    token = looked_up(world, world.citizen(), room["room_number"]).get_json()["room_pass"]
    public = world.open_poll(author)
    world.run_shuffler()
    with_pass = world.client.get(page_of(room, path), headers={"Room-Pass": token})
    as_public = world.client.get(page_of(public, path))
    assert with_pass.status_code == as_public.status_code


def test_a_pass_opens_its_own_room_and_for_half_a_day(world: World, room: dict[str, Any]) -> None:
    passes, other = world.wiring.room_passes, world.open_poll(room_password=PASSWORD)
    late, _ = passes.issue(poll_id=room_id(room), now=utc_now() - LIFETIME)
    others, _ = passes.issue(poll_id=room_id(other), now=utc_now())
    forged, _ = RoomPasses([b"x" * 32]).issue(poll_id=room_id(room), now=utc_now())
    good, _ = passes.issue(poll_id=room_id(room), now=utc_now())
    answers = [
        world.client.get(f"/v1/polls/{room['id']}", headers={"Room-Pass": token}).status_code
        for token in (late, others, forged, good)
    ]
    assert answers == [404, 404, 404, 200]


def test_the_citys_log_does_not_tell_which_private_poll_it_is_about(
    world: World, author: Person, room: dict[str, Any], tmp_path: Path
) -> None:
    public = world.open_poll(author)
    world.finish(room)
    world.finish(public)
    world.sign()
    entries = world.client.get("/v1/log/entries").get_json()["items"]
    named = "".join(entry["data"] for entry in entries)
    assert room_id(public).hex in named
    assert room_id(room).hex not in named


def test_the_bundle_of_a_private_poll_passes_the_verifier(
    world: World, author: Person, room: dict[str, Any], tmp_path: Path
) -> None:
    for voter in world.citizens(6):
        assert world.cast(room, voter, room_password=PASSWORD).status_code == 201
    world.finish(room)
    code, said = verified(tmp_path, world.make_bundle(room, author.headers))
    assert (code, said["city log"]) == (0, "ok")


def test_officers_of_other_departments_see_no_request_about_it(
    world: World, author: Person, room: dict[str, Any]
) -> None:
    stranger = world.officer()
    closing = f"/v1/polls/{room['id']}/close"
    assert world.client.post(closing, headers=author.headers).status_code == 202
    assert len(requests_seen(world, author)) == 1
    assert requests_seen(world, stranger) == []
    answer = world.client.post(closing, headers=stranger.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not-found")
    assert world.client.get(f"/v1/polls/{room['id']}", headers=author.headers).get_json()[
        "status"
    ] == "open"  # fmt: skip


def requests_seen(world: World, officer: Person) -> list[dict[str, Any]]:
    answer = world.client.get("/v1/approvals", headers=officer.headers)
    return list(answer.get_json()["items"])


def test_a_code_at_a_site_tells_a_stranger_only_that_a_private_poll_is_held_there(
    world: World, author: Person
) -> None:
    room = world.open_poll(author, room_password=PASSWORD, presence={"rule": "site"})
    site = {"name": "강당", "address": "세종대로 110", "radius_m": 80, **CITY_HALL}
    made = world.client.post("/v1/sites", json=site, headers=author.headers).get_json()
    body = {"poll_id": room["id"], "kind": "link"}
    url = f"/v1/sites/{made['id']}/codes"
    code = world.client.post(url, json=body, headers=author.headers).get_json()["code"]
    page = world.client.get(f"/q/{code}", headers={"Accept": "text/html"})
    shown = page.get_data(as_text=True)
    assert (page.status_code, f"mvote://rooms?code={code}" in shown) == (200, True)
    assert not any(word in shown for word in ("광장에 나무를", "강당", room["id"]))
    assert world.client.get(f"/v1/codes/{code}").status_code == 404
    member = world.citizen()
    token = looked_up(world, member, room["room_number"]).get_json()["room_pass"]
    scan = {"position": position(**CITY_HALL)}
    scans = [
        world.client.post(f"/v1/codes/{code}/scans", json=scan, headers=member.headers | more)
        for more in ({}, {"Room-Pass": token})
    ]
    assert [answer.status_code for answer in scans] == [404, 201]


# voting


def test_whoever_gives_the_password_may_vote_and_nobody_else(
    world: World, room: dict[str, Any]
) -> None:
    voter, key = world.citizen(), new_key()
    refused = [
        world.cast(room, voter, key=key),
        world.cast(room, voter, key=key, room_password="not this one"),
    ]
    for answer in refused:
        body = answer.get_json()
        found = (answer.status_code, body["code"], body["rule"])
        assert found == (403, "not-eligible", "room_password")
    assert world.count("participation") == 0
    answer = world.cast(room, voter, key=key, room_password=PASSWORD)
    assert answer.status_code == 201
    again = world.cast(room, voter, key=key, room_password=PASSWORD)
    assert (again.status_code, again.get_json()) == (201, answer.get_json())


def test_the_evaluator_names_the_room_and_nothing_else_to_who_stands_outside(
    world: World, author: Person
) -> None:
    room = world.open_poll(author, room_password=PASSWORD, eligibility={"min_age": 90})
    outside = eligibility(world, room, world.citizen()).get_json()
    assert [reason["rule"] for reason in outside["reasons"]] == ["room_password"]
    inside = eligibility(world, room, world.citizen(), room_password=PASSWORD).get_json()
    assert [reason["rule"] for reason in inside["reasons"]] == ["min_age"]
