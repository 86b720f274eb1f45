"""Passwords of private rooms: how they are kept, and what guessing them comes to."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.polls import rooms
from mvote.ballotbox.notation import h
from mvote.base import new_id
from mvote.polls.guessing import BY_CITIZEN, OF_ROOM
from mvote.polls.room_passwords import RoomPasswords
from tests.support.racing import meeting_of
from tests.support.rooms import PASSWORD, looked_up, room_id
from tests.support.world import Person, World, new_key


@pytest.fixture
def author(world: World) -> Person:
    return world.officer()


@pytest.fixture
def room(world: World, author: Person) -> dict[str, Any]:
    """An open private poll, as its author sees it."""
    return world.open_poll(author, room_password=PASSWORD)


# keeping the password


def test_the_password_is_in_no_definition_and_in_no_row(
    world: World, author: Person, room: dict[str, Any]
) -> None:
    definition = world.client.get(f"/v1/polls/{room['id']}/definition", headers=author.headers)
    assert definition.get_json()["room"] is True
    assert PASSWORD not in definition.get_data(as_text=True)
    tables = world.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for (table,) in tables:
        rows = world.rows(f"SELECT t::text FROM {table} t")  # noqa: S608
        assert not any(PASSWORD in row for (row,) in rows), table
    [(kept,)] = world.rows("SELECT password_hash FROM room")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,")


def test_without_the_key_of_the_keystore_the_stolen_hash_opens_for_no_password(
    world: World, room: dict[str, Any]
) -> None:
    [(kept,)] = world.rows("SELECT password_hash FROM room")
    assert not RoomPasswords(b"x" * 32).opens(room_id(room), kept, PASSWORD)
    assert world.wiring.room_passwords.opens(room_id(room), kept, PASSWORD)


def test_a_kept_answer_is_no_means_to_guess_a_password(world: World, author: Person) -> None:
    """The hash of the request must not be one that whoever guesses the body can compute."""
    body = {"title": "방", "room_password": PASSWORD}
    for _ in range(2):
        headers = author.headers | {"Idempotency-Key": new_key()}
        assert world.client.post("/v1/polls", json=body, headers=headers).status_code == 201
    hashes = {bytes(kept) for (kept,) in world.rows("SELECT request_hash FROM kept_answer")}
    assert len(hashes) == 2


def test_a_room_is_locked_and_opened_while_the_poll_is_a_draft_only(
    world: World, author: Person
) -> None:
    draft = world.draft(author, room_password=PASSWORD)
    open_again = changed(world, author, draft, room_password=None)
    assert (open_again["is_private"], "room_number" in open_again) == (False, False)
    locked = changed(world, author, open_again, room_password="another one")
    assert locked["is_private"]
    world.client.post(f"/v1/polls/{draft['id']}/open", headers=author.headers)
    assert looked_up(world, world.citizen(), locked["room_number"], PASSWORD).status_code == 404
    number = locked["room_number"]
    assert looked_up(world, world.citizen(), number, "another one").status_code == 200
    url = f"/v1/polls/{draft['id']}"
    tag = world.client.get(url, headers=author.headers).headers["ETag"]
    answer = world.client.patch(
        url, json={"room_password": PASSWORD}, headers=author.headers | {"If-Match": tag}
    )
    assert (answer.status_code, answer.get_json()["code"]) == (409, "impossible-transition")
    assert looked_up(world, world.citizen(), number, "another one").status_code == 200


def test_a_password_that_was_replaced_opens_nothing_whoever_tried_it_on_the_draft(
    world: World, author: Person
) -> None:
    draft, early = world.draft(author, room_password=PASSWORD), world.citizen()
    number = draft["room_number"]
    assert looked_up(world, early, number, PASSWORD).status_code == 404
    changed(world, author, draft, room_password="another one")
    world.client.post(f"/v1/polls/{draft['id']}/open", headers=author.headers)
    for who in (early, world.citizen()):
        assert looked_up(world, who, number, PASSWORD).status_code == 404
        refused = world.cast(draft, who, room_password=PASSWORD).get_json()
        assert (refused["code"], refused["rule"]) == ("not-eligible", "room_password")
    assert (world.count("participation"), world.count("envelope")) == (0, 0)
    assert looked_up(world, early, number, "another one").status_code == 200


def test_what_was_right_once_is_remembered_of_the_very_password_that_is_kept() -> None:
    passwords, poll_id, citizen_id = RoomPasswords(b"k" * 32), new_id(), new_id()
    before, after = (passwords.hashed(poll_id, each) for each in (PASSWORD, "another one"))
    assert passwords.opens(poll_id, before, PASSWORD)
    passwords.let_in(poll_id, before, PASSWORD, citizen_id)
    assert passwords.has_let_in(poll_id, before, PASSWORD, citizen_id)
    assert not passwords.opens(poll_id, after, PASSWORD)
    assert not passwords.has_let_in(poll_id, after, PASSWORD, citizen_id)


def test_a_drafts_password_is_not_even_looked_at(
    world: World, author: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    draft = world.draft(author, room_password=PASSWORD)
    monkeypatch.setattr(RoomPasswords, "opens", lambda _, *given: asked.append(given[:2]))
    assert looked_up(world, world.citizen(), draft["room_number"]).status_code == 404
    assert asked == [(None, None)]


def changed(world: World, who: Person, draft: dict[str, Any], **changes: Any) -> dict[str, Any]:
    url = f"/v1/polls/{draft['id']}"
    tag = world.client.get(url, headers=who.headers).headers["ETag"]
    answer = world.client.patch(url, json=changes, headers=who.headers | {"If-Match": tag})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE room SET password_hash = '$argon2id$x'",
        "DELETE FROM room",
        "UPDATE poll SET is_private = false",
    ],
)
def test_the_database_lets_nobody_change_the_room_of_a_frozen_poll(
    world: World, engines: dict[str, Engine], room: dict[str, Any], statement: str
) -> None:
    with Session(engines["api"]) as session, pytest.raises(IntegrityError):
        session.execute(text(statement))


@pytest.mark.parametrize("password", ["", "short", "x" * 129, 12345678, "nul\x00 in between"])
def test_a_password_has_eight_characters_at_least(
    world: World, author: Person, password: object
) -> None:
    body = {"title": "방", "room_password": password}
    answer = world.client.post("/v1/polls", json=body, headers=author.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["pointer"] == "/room_password"
    assert (world.count("poll"), world.count("room")) == (0, 0)


# guessing


def guess_at_once(world: World, room: dict[str, Any], count: int) -> list[int]:
    """So many wrong passwords of one citizen at the same moment: the answers' statuses."""
    guesser, start = world.citizen(), meeting_of(count)

    def guess(n: int) -> int:
        client = world.app.test_client()
        body = {"number": room["room_number"], "password": f"guess number {n}"}
        start.wait()
        answer = client.post("/v1/rooms/lookup", json=body, headers=guesser.headers)
        return answer.status_code

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(guess, range(count)))


def test_of_many_guesses_at_once_no_more_are_looked_at_than_a_citizen_has(
    world: World, room: dict[str, Any]
) -> None:
    found = guess_at_once(world, room, 20)
    assert found == [404] * BY_CITIZEN.most + [429] * (20 - BY_CITIZEN.most)


def test_that_test_would_notice_guesses_that_are_counted_afterwards(
    world: World, room: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[tuple[Any, dict[str, Any]]] = []
    monkeypatch.setattr(rooms, "count_guess", lambda *args, **kw: waiting.append((args, kw)))
    assert guess_at_once(world, room, 20) == [404] * 20


def test_what_another_gave_rightly_is_a_guess_all_the_same(
    world: World, room: dict[str, Any]
) -> None:
    """Once somebody has come in, the process remembers the password: that must tell nobody."""
    assert looked_up(world, world.citizen(), room["room_number"]).status_code == 200
    guesser, url = world.citizen(), f"/v1/polls/{room['id']}/eligibility"
    guesses = [f"guess number {n}" for n in range(BY_CITIZEN.most)] + [PASSWORD]
    answers = [
        world.client.post(url, json={"room_password": guess}, headers=guesser.headers)
        for guess in guesses
    ]
    assert [answer.status_code for answer in answers] == [200] * BY_CITIZEN.most + [429]


def test_a_ballot_is_answered_again_even_to_who_has_no_guess_left(
    world: World, room: dict[str, Any]
) -> None:
    voter, key = world.citizen(), new_key()
    first = world.cast(room, voter, key=key, room_password=PASSWORD)
    for n in range(BY_CITIZEN.most + 1):
        again = world.cast(room, voter, key=key, room_password=f"guess number {n}")
        assert (again.status_code, again.get_json()) == (201, first.get_json())
    refused = world.cast(room, voter, room_password="yet another guess")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "already-voted")


def test_a_right_password_is_no_guess(world: World, room: dict[str, Any]) -> None:
    who = world.citizen()
    for _ in range(BY_CITIZEN.most + 5):
        assert looked_up(world, who, room["room_number"]).status_code == 200


def test_many_accounts_together_get_no_further_than_the_rooms_own_limit(
    world: World, room: dict[str, Any]
) -> None:
    with Session(world.engines["api"]) as session:
        session.execute(
            text(
                "INSERT INTO allowance (name, subject_hash, span_ends_at, used) VALUES"
                " (:name, :subject, clock_timestamp() + interval '1 hour', :used)"
            ),
            {
                "name": OF_ROOM.name,
                "subject": h("mvote/room-guessed/1", room["room_number"].encode()),
                "used": OF_ROOM.most,
            },
        )
        session.commit()
    answer = looked_up(world, world.citizen(), room["room_number"])
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too-many-requests")
    assert re.fullmatch(r"\d+", answer.headers["Retry-After"])
