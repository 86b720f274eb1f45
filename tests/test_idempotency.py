"""A POST that is sent again with its Idempotency-Key is answered again, not carried out again."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.answers import Asked, KeptAnswer, answer_before, keep_answer
from mvote.base import utc_now
from mvote.housekeeping import remove_expired
from tests.support.ballots import at_once
from tests.support.waiting import PATIENCE_SECONDS, wait_until_blocked
from tests.support.world import Person, World, new_key, question

TOMORROW = (utc_now() + dt.timedelta(days=1)).isoformat()
ONLY_ASK = {
    "check_eligibility", "find_polls_nearby", "locate_point", "look_up_room", "ask_reach",
    "show_the_value", "ask_similar",
}  # fmt: skip
RULES_OF_THEIR_OWN = {
    "cast_ballot", "send_code", "sign_in", "refresh_tokens", "scan_code",
    "ask_for_identity", "sign_in_by_identity", "change_my_number",
    "report_a_poll",  # no answer may name who reported; one person reports a poll once anyway
    # what they answer is a secret that nobody keeps
    "make_a_display", "print_slips", "ask_for_nonce",
    # a kept answer would tie an account to a phone; whoever repeats it shows an assertion
    "register_my_device",
}  # fmt: skip


def drafted(world: World, author: Person, key: str, **content: Any) -> TestResponse:
    """POST /polls with a key."""
    body = {"title": "나무", "question": question(), "closes_at": TOMORROW} | content
    return world.client.post("/v1/polls", json=body, headers=headed(author, key))


def headed(person: Person, key: str) -> dict[str, str]:
    return person.headers | {"Idempotency-Key": key}


def test_every_post_can_be_repeated_but_those_that_only_ask_or_have_a_rule_of_their_own(
    app: Flask,
) -> None:
    views = [
        app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
    ]
    repeated = {view.__name__ for view in views if getattr(view, "idempotent", False)}
    others = {view.__name__ for view in views} - repeated
    assert others == ONLY_ASK | RULES_OF_THEIR_OWN


def test_the_same_request_gets_the_same_answer_byte_for_byte_and_is_carried_out_once(
    world: World,
) -> None:
    author, key = world.officer(), new_key()
    first, second = drafted(world, author, key), drafted(world, author, key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_data() == second.get_data()
    kept = ("ETag", "Content-Type", "Cache-Control", "Vary")
    assert [first.headers.get(n) for n in kept] == [second.headers.get(n) for n in kept]
    assert world.count("poll") == 1


def test_the_same_key_with_another_request_is_refused(world: World) -> None:
    author, key = world.officer(), new_key()
    drafted(world, author, key)
    other = drafted(world, author, key, title="꽃")
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency-key-reused")
    assert world.count("poll") == 1


def test_a_key_stands_for_one_thing_of_an_operation_not_for_its_namesake(world: World) -> None:
    author, key = world.officer(), new_key()
    one, other = world.draft(author), world.draft(author)
    opened = world.client.post(f"/v1/polls/{one['id']}/open", headers=headed(author, key))
    reused = world.client.post(f"/v1/polls/{other['id']}/open", headers=headed(author, key))
    assert opened.status_code == 200
    assert (reused.status_code, reused.get_json()["code"]) == (422, "idempotency-key-reused")


def test_the_key_of_one_citizen_says_nothing_about_anothers(world: World) -> None:
    key = new_key()
    mine, theirs = (drafted(world, world.citizen(), key).get_json() for _ in range(2))
    assert mine["id"] != theirs["id"]
    assert world.count("poll") == 2


def test_one_key_may_serve_one_request_of_each_operation(world: World) -> None:
    author, key = world.officer(), new_key()
    poll = drafted(world, author, key).get_json()
    opened = world.client.post(f"/v1/polls/{poll['id']}/open", headers=headed(author, key))
    assert opened.get_json()["status"] == "open"


def test_a_poll_that_was_opened_answers_the_retry_with_its_first_answer(world: World) -> None:
    author, key = world.officer(), new_key()
    path = f"/v1/polls/{world.draft(author)['id']}/open"
    first = world.client.post(path, headers=headed(author, key))
    again = world.client.post(path, headers=headed(author, key))
    without = world.client.post(path, headers=author.headers)
    assert first.get_data() == again.get_data()
    assert (without.status_code, without.get_json()["code"]) == (409, "impossible-transition")


def test_a_refusal_is_not_kept_so_that_the_same_request_may_succeed_later(world: World) -> None:
    author, key = world.officer(), new_key()
    draft = world.draft(author, closes_at=None)
    path = f"/v1/polls/{draft['id']}"
    assert world.client.post(f"{path}/open", headers=headed(author, key)).status_code == 409
    assert world.count("kept_answer") == 0
    etag = world.client.get(path, headers=author.headers).headers["ETag"]
    closes = {"closes_at": (utc_now() + dt.timedelta(hours=1)).isoformat()}
    world.client.patch(path, json=closes, headers=author.headers | {"If-Match": etag})
    assert world.client.post(f"{path}/open", headers=headed(author, key)).status_code == 200


def test_twins_that_come_at_once_are_carried_out_once(world: World) -> None:
    author, key = world.officer(), new_key()
    answers = at_once(lambda _: drafted(world, author, key).get_data(), range(12), threads=12)
    assert len(set(answers)) == 1
    assert world.count("poll") == 1


def test_a_request_waits_until_the_fate_of_its_twin_is_known(world: World) -> None:
    asked = Asked(citizen_id=world.citizen().id, operation="x", key="k", content=b"")
    engine = world.engines["api"]
    seen: list[bytes | None] = []

    def ask_too() -> None:
        with Session(engine) as session:
            kept = answer_before(session, asked)
            seen.append(kept.body if kept else None)

    with Session(engine) as first:
        answer_before(first, asked)
        act = _meanwhile(ask_too)
        wait_until_blocked(world.admin_url, "pg_advisory_xact_lock")
        with transaction(first):
            keep_answer(first, asked, status=201, headers={}, body=b"kept")
    act()
    assert seen == [b"kept"]


def _meanwhile(act: Callable[[], None]) -> Callable[[], None]:
    """Begin *act* in a thread; the result waits for its end."""
    thread = threading.Thread(target=act)
    thread.start()
    return lambda: thread.join(PATIENCE_SECONDS)


def test_without_the_answer_the_act_is_not_kept_either(world: World) -> None:
    author, key = world.officer(), new_key()
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("REVOKE INSERT ON kept_answer FROM mvote_api")
        try:
            assert drafted(world, author, key).status_code == 500
        finally:
            connection.execute("GRANT INSERT ON kept_answer TO mvote_api")
    assert world.count("poll") == 0


@pytest.mark.parametrize("key", ["", "with space", "ключ", "x" * 256, "tab\tbed"])
def test_a_key_that_is_none_is_refused_before_anything_is_done(world: World, key: str) -> None:
    answer = drafted(world, world.officer(), key)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["name"] == "Idempotency-Key"
    assert world.count("poll") == 0


def test_without_the_header_nothing_is_kept(world: World) -> None:
    world.draft()
    assert world.count("kept_answer") == 0


def test_neither_the_key_nor_the_request_is_kept_only_their_hashes(world: World) -> None:
    author, key = world.officer(), new_key()
    drafted(world, author, key)
    ((whole,),) = world.rows("SELECT kept_answer::text FROM kept_answer")
    assert key not in whole
    assert key.encode().hex() not in whole


def test_answers_are_removed_after_a_day_and_not_before(world: World, session: Session) -> None:
    author, keys = world.officer(), [new_key(), new_key()]
    for key in keys:
        drafted(world, author, key)
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE kept_answer SET kept_until = clock_timestamp() - interval '1 second'"
            " WHERE key_hash = %s", [_hash_of(author, keys[0])]
        )  # fmt: skip
    with transaction(session):
        remove_expired(session)
    ((left,),) = world.rows("SELECT key_hash FROM kept_answer")
    assert left == _hash_of(author, keys[1])


def _hash_of(author: Person, key: str) -> bytes:
    return Asked(citizen_id=author.id, operation="", key=key, content=b"").key_hash


def test_kept_answers_go_with_the_account(world: World) -> None:
    author = world.citizen()
    drafted(world, author, new_key())
    assert world.client.delete("/v1/me", headers=author.headers).status_code == 204
    assert world.count("kept_answer") == 0


def test_kept_answers_cannot_be_altered_by_the_web(world: World, session: Session) -> None:
    drafted(world, world.officer(), new_key())
    kept = session.scalars(select(KeptAnswer)).one()
    kept.status = 500
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.flush()


def test_content_decides_and_not_its_meaning() -> None:
    one = Asked(citizen_id=uuid.uuid4(), operation="x", key="k", content=b'{"a": 1}')
    other = Asked(citizen_id=one.citizen_id, operation="x", key="k", content=b'{"a":1}')
    assert one.key_hash == other.key_hash
    assert one.lock == other.lock
    assert one.request_hash != other.request_hash
