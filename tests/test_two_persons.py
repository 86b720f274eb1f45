"""Two persons for one act: the first asks, a second and different one carries it out, once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from mvote.base import utc_now
from tests.support.ballots import at_once
from tests.support.governing import REASON, correct, let_expire, status, void
from tests.support.world import Person, World, new_key


def waiting(world: World, officer: Person) -> list[dict[str, Any]]:
    listed = world.client.get("/v1/approvals", headers=officer.headers).get_json()
    return list(listed["items"])


def test_the_first_officer_asks_and_a_second_carries_out(world: World) -> None:
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    asked = void(world, poll, first)
    assert asked.status_code == 202
    assert set(asked.get_json()) >= {"approval_id", "expires_at"}
    assert (status(world, poll), world.count("notice")) == ("open", 0)
    done = void(world, poll, second)
    assert (done.status_code, done.get_json()["status"]) == (200, "voided")
    [(asked_by, granted_by)] = world.rows("SELECT asked_by, granted_by FROM approval")
    assert (asked_by, granted_by) == (first.id, second.id)


def test_a_request_lives_for_a_day(world: World) -> None:
    before = utc_now()
    asked = void(world, world.open_poll(), world.officer()).get_json()
    expires = dt.datetime.fromisoformat(asked["expires_at"])
    assert before <= expires - dt.timedelta(hours=24) <= utc_now()


def test_the_same_officer_gets_the_same_answer_again_and_nothing_happens(world: World) -> None:
    poll, officer = world.open_poll(), world.officer()
    answers = [void(world, poll, officer) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.get_data() for answer in answers}) == 1
    assert (status(world, poll), world.count("approval")) == ("open", 1)


def test_an_officer_who_repeats_with_a_key_after_the_act_hears_that_it_was_asked_for(
    world: World,
) -> None:
    """The kept answer is about the request, which it names; the poll says what became of it."""
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    headers = first.headers | {"Idempotency-Key": new_key()}
    path = f"/v1/polls/{poll['id']}/void"
    before = world.client.post(path, json=REASON, headers=headers)
    void(world, poll, second)
    after = world.client.post(path, json=REASON, headers=headers)
    assert (before.status_code, before.get_data()) == (after.status_code, after.get_data())
    assert world.count("notice") == world.count("approval") == 1


def test_a_second_officer_who_repeats_with_a_key_acts_once_and_hears_the_same(
    world: World,
) -> None:
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    correct(world, poll, first, "3쪽의 금액은 5억 원입니다.")
    headers = second.headers | {"Idempotency-Key": new_key()}
    body, path = {"text": "3쪽의 금액은 5억 원입니다."}, f"/v1/polls/{poll['id']}/notices"
    answers = [world.client.post(path, json=body, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.get_data() for answer in answers}) == 1
    assert world.count("notice") == 1


def test_other_arguments_are_another_request_and_the_answer_says_so(world: World) -> None:
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    one = void(world, poll, first, text="중복 투표가 있었습니다.").get_json()
    other = void(world, poll, second, text="안내문이 달랐습니다.")
    assert other.status_code == 202
    assert other.get_json()["approval_id"] != one["approval_id"]
    assert (one["other_requests"], other.get_json()["other_requests"]) == ([], [one["approval_id"]])
    assert other.get_json()["arguments"] == {"text": {"ko": "안내문이 달랐습니다."}}
    assert (status(world, poll), world.count("notice")) == ("open", 0)


def test_a_request_for_one_poll_says_nothing_of_another(world: World) -> None:
    one, other = world.open_poll(), world.open_poll()
    void(world, one, world.officer())
    assert void(world, other, world.officer()).status_code == 202
    assert {status(world, one), status(world, other)} == {"open"}


def test_officers_see_what_waits_newest_first_and_nothing_that_is_done(world: World) -> None:
    first, second = world.officer(), world.officer()
    polls = [world.open_poll() for _ in range(3)]
    for poll in polls:
        void(world, poll, first)
    void(world, polls[1], second)
    listed = waiting(world, second)
    assert [item["subject_id"] for item in listed] == [polls[2]["id"], polls[0]["id"]]
    assert {item["act"] for item in listed} == {"poll:void"}
    assert {item["asked_by"] for item in listed} == {str(first.id)}
    assert listed[0]["arguments"] == REASON


def test_what_waits_is_read_page_by_page(world: World) -> None:
    officer = world.officer()
    asked = [void(world, world.open_poll(), officer).get_json()["approval_id"] for _ in range(3)]
    page = world.client.get("/v1/approvals?limit=2", headers=officer.headers).get_json()
    rest = world.client.get(
        f"/v1/approvals?limit=2&cursor={page['next_cursor']}", headers=officer.headers
    ).get_json()
    found = [item["approval_id"] for item in page["items"] + rest["items"]]
    assert (found, rest["next_cursor"]) == (asked[::-1], None)


def test_an_expired_request_is_not_granted_but_asked_anew(world: World) -> None:
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    old = void(world, poll, first).get_json()["approval_id"]
    let_expire(world)
    assert waiting(world, first) == []
    new = void(world, poll, second)
    assert new.status_code == 202
    assert new.get_json()["approval_id"] != old
    assert void(world, poll, first).status_code == 200


def test_the_request_of_somebody_who_is_no_officer_any_more_waits_no_longer(
    world: World,
) -> None:
    poll, first, second = world.open_poll(), world.officer(), world.officer()
    void(world, poll, first)
    administrator = world.administrator()
    roles = f"/v1/citizens/{first.id}/roles"
    world.client.put(roles, json={"roles": []}, headers=administrator.headers)
    assert waiting(world, second) == []
    assert void(world, poll, second).status_code == 202
    assert void(world, poll, first).status_code == 403
    assert status(world, poll) == "open"


def test_of_officers_who_are_second_at_the_same_moment_one_acts(world: World) -> None:
    poll, officers = world.open_poll(), [world.officer() for _ in range(9)]
    correct(world, poll, officers[0], "정정합니다.")

    def second(officer: Person) -> int:
        client = world.app.test_client()
        path = f"/v1/polls/{poll['id']}/notices"
        return client.post(path, json={"text": "정정합니다."}, headers=officer.headers).status_code

    answers = at_once(second, officers[1:], threads=8)
    assert sorted(answers) == [201] + [422] * 7
    assert (world.count("notice"), world.count("approval")) == (1, 1)


def test_of_officers_who_are_first_at_the_same_moment_one_asks_and_one_acts(
    world: World,
) -> None:
    poll, officers = world.open_poll(), [world.officer() for _ in range(8)]

    def call(officer: Person) -> int:
        client = world.app.test_client()
        path = f"/v1/polls/{poll['id']}/void"
        return client.post(path, json=REASON, headers=officer.headers).status_code

    answers = at_once(call, officers, threads=8)
    assert sorted(answers) == [200, 202] + [409] * 6
    assert (world.count("notice"), world.count("approval")) == (1, 1)
