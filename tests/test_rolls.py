"""A roll asks people by name: imported whole, kept as keyed hashes, frozen with its poll."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest

from mvote.ballotbox.keystore import KeyMissing
from mvote.ballotbox.notation import h, m
from mvote.polls.rolls.importing import LARGEST_FILE
from tests.support.hostile import check_problem, no_trace
from tests.support.rolls import (
    CSV,
    ROLL,
    XLSX,
    bearer,
    csv_of,
    e164,
    number,
    opened,
    send_roll,
    xlsx_of,
)
from tests.support.world import Person, World, new_key


def may_vote(world: World, poll: dict[str, object], who: Person) -> bool:
    path = f"/v1/polls/{poll['id']}/eligibility"
    answer = world.client.post(path, json={}, headers=who.headers)
    assert answer.status_code == 200
    return bool(answer.get_json()["may_vote"])


def test_whoever_confirms_a_number_on_the_roll_may_vote_before_and_after_the_opening(
    world: World,
) -> None:
    officer, early = world.officer(), bearer(world, 1)
    poll = world.draft(officer, eligibility=ROLL)
    answer = send_roll(world, poll, officer, csv_of([number(1), number(2)]))
    assert answer.status_code == 201
    opened(world, poll, officer)
    late, stranger = bearer(world, 2), bearer(world, 3)
    assert [may_vote(world, poll, each) for each in (early, late, stranger)] == [True, True, False]
    assert world.cast(poll, early).status_code == 201
    assert world.cast(poll, late).status_code == 201
    refused = world.cast(poll, stranger)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "not-eligible")
    assert refused.get_json()["rule"] == "roll"
    assert "명부에 등록된 번호" in refused.get_json()["next_step"]
    assert world.count("participation") == 2


def test_what_is_kept_of_a_number_is_a_hash_by_a_key_of_this_poll_alone(world: World) -> None:
    officer = world.officer()
    polls = [world.draft(officer, eligibility=ROLL) for _ in range(2)]
    for poll in polls:
        assert send_roll(world, poll, officer, csv_of([number(1)])).status_code == 201
    phone_hash = world.app.extensions["phones"].hash_of(e164(1))
    found = []
    for poll in polls:
        poll_id = uuid.UUID(poll["id"])
        key = world.wiring.keystore.get(f"poll/{poll_id.hex}/E")
        rows = world.rows("SELECT entry FROM roll_entry WHERE poll_id = %s", poll_id)
        assert [bytes(entry) for (entry,) in rows] == [
            m(key, "mvote/roll-entry/1", poll_id.bytes, phone_hash)
        ]
        found += rows
    assert found[0] != found[1]


def test_the_definition_binds_the_roll_by_its_size_and_a_hash(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer, eligibility=ROLL)
    send_roll(world, poll, officer, csv_of(number(n) for n in range(7)))
    opened(world, poll, officer)
    entries = sorted(bytes(each) for (each,) in world.rows("SELECT entry FROM roll_entry"))
    bound = h("mvote/roll/1", uuid.UUID(poll["id"]).bytes, *entries).hex()
    definition = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    assert definition["roll"] == {"size": 7, "sha256": bound}


def test_a_dry_run_reports_and_keeps_nothing(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer)
    rows = [number(1), "010-1234", number(1), "02-123-4567", "", number(2)]
    with no_trace(world, but="allowance"):
        dry = send_roll(world, poll, officer, csv_of(rows), query="?dry_run=true")
    assert dry.status_code == 200
    report = dry.get_json()
    assert (report["dry_run"], report["rows"], report["accepted"]) == (True, 6, 2)
    assert (report["duplicates"], report["rejected_total"]) == (1, 3)
    assert [(each["row"], each["column"], each["reason"]) for each in report["rejected"]] == [
        (3, "B", "not_a_number"), (5, "B", "not_mobile"), (6, "B", "empty"),
    ]  # fmt: skip
    assert {"ko", "en"} == set(report["rejected"][0]["title"])
    with pytest.raises(KeyMissing):
        world.wiring.keystore.get(f"poll/{uuid.UUID(poll['id']).hex}/E")
    kept = send_roll(world, poll, officer, csv_of(rows))
    assert kept.status_code == 201
    assert kept.get_json() == report | {"dry_run": False}


def test_its_people_see_a_summary_and_nobody_ever_a_number(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer, eligibility=ROLL)
    path = f"/v1/polls/{poll['id']}/roll/summary"
    check_problem(world.client.get(path, headers=officer.headers), 404, "not-found", "ko")
    content = csv_of([number(1), number(2), number(2), "x"])
    assert number(1)[4:] not in send_roll(world, poll, officer, content).get_data(as_text=True)
    summary = world.client.get(path, headers=officer.headers)
    assert {key: summary.get_json()[key] for key in ("size", "rows", "duplicates", "rejected")} == {
        "size": 2, "rows": 4, "duplicates": 1, "rejected": 1,
    }  # fmt: skip
    stranger = world.citizen()
    check_problem(world.client.get(path, headers=stranger.headers), 404, "not-found", "ko")
    opened(world, poll, officer)
    check_problem(world.client.get(path, headers=stranger.headers), 403, "not-allowed", "ko")


def test_a_citizen_gives_their_own_poll_a_roll_of_a_thousand_and_replaces_it_alone(
    world: World,
) -> None:
    author, other = world.citizen(), world.citizen()
    poll = world.draft(author, eligibility=ROLL)
    too_many = csv_of(number(n) for n in range(1_001))
    with no_trace(world, but="allowance"):
        check_problem(send_roll(world, poll, author, too_many), 422, "roll-too-large", "ko")
        check_problem(send_roll(world, poll, other, too_many), 404, "not-found", "ko")
    for n in (1, 2):
        assert send_roll(world, poll, author, csv_of([number(n)])).status_code == 201
        assert world.count("roll_entry") == 1
    opened(world, poll, author)
    assert may_vote(world, poll, bearer(world, 2))
    assert not may_vote(world, poll, bearer(world, 1))


# replacing


def test_a_government_roll_is_replaced_by_two_officers_who_send_the_same_file(
    world: World,
) -> None:
    first = world.officer()
    second = colleague(world, first)
    poll = world.draft(first, eligibility=ROLL)
    assert send_roll(world, poll, first, csv_of([number(1)])).status_code == 201
    asked = send_roll(world, poll, first, csv_of([number(2), number(3)]))
    assert asked.status_code == 202
    assert asked.get_json()["act"] == "poll:replace_roll"
    assert world.count("roll_entry") == 1
    other_file = send_roll(world, poll, second, csv_of([number(4)]))
    assert other_file.status_code == 202
    assert other_file.get_json()["other_requests"] == [asked.get_json()["approval_id"]]
    assert world.count("roll_entry") == 1
    done = send_roll(world, poll, second, csv_of([number(2), number(3)]))
    assert (done.status_code, done.get_json()["accepted"]) == (201, 2)
    assert world.count("roll_entry") == 2
    assert world.rows("SELECT size FROM roll") == [(2,)]


def test_the_database_replaces_a_government_roll_only_with_a_request_of_another(
    world: World,
) -> None:
    officer = world.officer()
    poll = world.draft(officer, eligibility=ROLL)
    send_roll(world, poll, officer, csv_of([number(1)]))
    asked = send_roll(world, poll, officer, csv_of([number(2)])).get_json()["approval_id"]
    for approval in (None, asked):
        with (
            as_owner(world) as connection,
            pytest.raises((psycopg.errors.RestrictViolation, psycopg.errors.CheckViolation)),
        ):
            connection.execute("SELECT begin_roll(%s, %s, %s)", [poll["id"], approval, officer.id])
    assert world.count("roll_entry") == 1


def test_nothing_replaces_a_roll_once_its_poll_is_opened_not_even_before_voting(
    world: World,
) -> None:
    officer = world.officer()
    poll = world.draft(
        officer, eligibility=ROLL, opens_at="2099-01-01T00:00:00Z", closes_at="2099-01-02T00:00:00Z"
    )
    answer = send_roll(world, poll, officer, csv_of([number(1)]))
    assert answer.status_code == 201
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE poll SET opens_at = now() + interval '1 day',"
            " closes_at = now() + interval '2 days'"
        )
    opened(world, poll, officer)
    with no_trace(world, but="allowance"):
        refused = send_roll(world, poll, officer, csv_of([number(2)]))
        check_problem(refused, 409, "impossible-transition", "ko")
    for change in (
        "INSERT INTO roll_entry SELECT poll_id, sha256('late') FROM roll_entry LIMIT 1",
        "DELETE FROM roll_entry",
        "UPDATE roll_entry SET entry = entry",
        "UPDATE roll SET size = 2",
        "DELETE FROM roll",
    ):
        with as_owner(world) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(change)


def test_a_whole_roll_takes_no_more_entries(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer, eligibility=ROLL)
    send_roll(world, poll, officer, csv_of([number(1)]))
    with as_owner(world) as connection, pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute(
            "INSERT INTO roll_entry SELECT poll_id, sha256('one more') FROM roll_entry"
        )


# opening


def test_a_poll_with_a_roll_opens_only_if_it_is_asked_for_and_there(world: World) -> None:
    officer = world.officer()
    asks, has = world.draft(officer, eligibility=ROLL), world.draft(officer)
    send_roll(world, has, officer, csv_of([number(1)]))
    for poll, code in ((asks, "no-roll"), (has, "roll-not-asked")):
        answer = world.client.post(f"/v1/polls/{poll['id']}/open", headers=officer.headers)
        assert answer.status_code == 409
        assert [each["code"] for each in answer.get_json()["hindrances"]] == [code]


def test_a_roll_too_small_for_a_result_is_warned_of(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer, eligibility=ROLL)
    send_roll(world, poll, officer, csv_of([number(1)]))
    answer = world.client.post(f"/v1/polls/{poll['id']}/open", headers=officer.headers)
    assert [each["code"] for each in answer.get_json()["warnings"]] == ["roll-too-small"]


# refusals of requests


def test_a_roll_is_csv_or_xlsx_of_64_mib_at_most(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer)
    content = csv_of([number(1)])
    with no_trace(world, but="allowance"):
        for kind in ("application/json", "text/plain", "application/vnd.ms-excel"):
            refused = send_roll(world, poll, officer, content, kind)
            check_problem(refused, 415, "unsupported-media-type", "ko")
        large = send_roll(world, poll, officer, bytes(LARGEST_FILE + 1))
        check_problem(large, 413, "too-large", "ko")
        unread = send_roll(world, poll, officer, content, XLSX)
        check_problem(unread, 422, "roll-unreadable", "ko")
    assert unread.get_json()["reason"] == "not_xlsx"


def test_only_its_own_people_import_a_roll_and_only_signed_in(world: World) -> None:
    officer, other = world.officer(), world.officer()
    poll = world.draft(officer)
    with no_trace(world):
        check_problem(send_roll(world, poll, other, csv_of([number(1)])), 404, "not-found", "ko")
        answer = world.client.post(f"/v1/polls/{poll['id']}/roll", data=b"", content_type=CSV)
        check_problem(answer, 401, "token-missing", "ko")


def test_the_same_key_imports_once_and_gives_the_same_report(world: World) -> None:
    officer = world.officer()
    poll = world.draft(officer)
    key, content = new_key(), xlsx_of([["연락처"], [number(1)]])
    answers = [
        send_roll(world, poll, officer, content, XLSX, **{"Idempotency-Key": key}) for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].get_data() == answers[1].get_data()
    assert world.count("approval") == 0


def as_owner(world: World) -> psycopg.Connection[Any]:
    """A connection that triggers hold back, and no privilege does."""
    return psycopg.connect(world.admin_url)


def colleague(world: World, officer: Person) -> Person:
    """Another officer of the same department."""
    person = world.citizen()
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO role_grant (id, citizen_id, role, department_id, granted_at)"
            " SELECT gen_random_uuid(), %s, role, department_id, granted_at FROM role_grant"
            " WHERE citizen_id = %s",
            [person.id, officer.id],
        )
    return person
