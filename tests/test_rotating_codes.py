"""Rotating codes: a value proves presence while the screen shows it, to each citizen once."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mvote.housekeeping import remove_expired
from mvote.people.limits import Limit
from mvote.polls.onsite import scanning
from mvote.polls.onsite.errors import ScanValueExpired, ScanValueUsed
from mvote.polls.onsite.rotation import Rotation, Shown, shown_at, step_of, use_once, value_of
from mvote.polls.onsite.wrapping import CodeSecrets, SecretUnreadable
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.racing import race
from tests.support.sites import Place
from tests.support.world import CITY_HALL, World, position

KEY = "CONSTRAINT pk_used_value PRIMARY KEY (poll_id, use_hash)"
SECRET = b"12345678901234567890123456789012"
instants = st.datetimes(
    dt.datetime(2020, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    dt.datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


@pytest.fixture
def code(place: Place) -> str:
    return str(place.code("rotating")["code"])


# the values


@pytest.mark.parametrize(
    ("seconds", "value"),
    [
        (59, "46119246"),
        (1111111109, "68084774"),
        (1111111111, "67062674"),
        (1234567890, "91819424"),
        (2000000000, "90698825"),
        (20000000000, "77737706"),
    ],
)
def test_values_are_those_of_rfc_6238(seconds: int, value: str) -> None:
    assert value_of(SECRET, seconds // 30) == value


@given(instants, st.floats(0, 29.9))
def test_what_a_screen_shows_is_taken_at_least_thirty_seconds_after_it_goes(
    now: dt.datetime, later: float
) -> None:
    shown = shown_at(SECRET, now)
    assert step_of(SECRET, shown.value, now) is not None
    assert step_of(SECRET, shown.value, shown.expires_at + dt.timedelta(seconds=later)) is not None
    assert shown.accepted_until - shown.expires_at == dt.timedelta(seconds=30)


@given(instants, st.floats(60.001, 500))
def test_no_value_is_taken_a_minute_after_it_was_shown(now: dt.datetime, later: float) -> None:
    shown = shown_at(SECRET, now)
    with pytest.raises(ScanValueExpired):
        step_of(SECRET, shown.value, now + dt.timedelta(seconds=later))


def test_two_codes_never_have_the_same_secret_and_none_opens_anothers(place: Place) -> None:
    secrets = place.world.wiring.gate.secrets
    first, second = (place.code("rotating")["code"] for _ in range(2))
    assert place.value(first) != place.value(second)
    with Session(place.world.engines["api"]) as session:
        sealed = session.get_one(Rotation, first).sealed_secret
    with pytest.raises(SecretUnreadable):
        secrets.unwrap(sealed, purpose=f"rotation/{second}")
    with pytest.raises(SecretUnreadable):
        CodeSecrets(bytes(32)).unwrap(sealed, purpose=f"rotation/{first}")


def test_the_database_holds_no_secret_that_makes_values(place: Place, code: str) -> None:
    with Session(place.world.engines["api"]) as session:
        sealed = session.get_one(Rotation, code).sealed_secret
    made = {value_of(sealed[at : at + 32], step) for at in range(29) for step in range(3)}
    assert place.value(code) not in made


# scanning


def test_a_value_from_the_screen_admits_one_ballot(place: Place, code: str) -> None:
    voter = place.world.citizen()
    answer = place.scan(code, voter, value=place.value(code))
    assert answer.status_code == 201
    assert answer.get_json()["site_id"] == place.site["id"]
    token = answer.get_json()["presence_token"]
    assert place.world.cast(place.poll, voter, presence_token=token).status_code == 201


def test_a_screenshot_61_seconds_later_is_refused_and_writes_nothing(
    place: Place, code: str
) -> None:
    voter = place.world.citizen()
    old = place.value(code, seconds_ago=61)
    with no_trace(place.world):
        answer = place.scan(code, voter, value=old)
    assert refused(answer) == (403, "scan-value-expired")
    assert answer.get_json()["next_step"]


def test_a_value_is_good_once_for_each_citizen_and_for_every_citizen(
    place: Place, code: str
) -> None:
    first, second = place.world.citizens(2)
    value = place.value(code)
    assert place.scan(code, first, value=value).status_code == 201
    assert refused(place.scan(code, first, value=value)) == (409, "scan-value-used")
    assert place.scan(code, second, value=value).status_code == 201
    assert place.world.count("used_value") == 2


def _use(place: Place, session: Session, citizen_id: uuid.UUID) -> None:
    use_once(session, poll_id=uuid.UUID(place.poll["id"]), secret=SECRET, citizen_id=citizen_id,
             step=1)  # fmt: skip


def test_of_one_citizens_many_scans_at_the_same_moment_one_gets_through(
    place: Place, engines: dict[str, Engine]
) -> None:
    citizen = place.world.citizen().id
    outcomes = race(engines["api"], 8, lambda session: _use(place, session, citizen))
    assert sum(isinstance(each, ScanValueUsed) for each in outcomes) == 7
    assert place.world.count("used_value") == 1


def test_the_sabotaged_twin_without_the_key_lets_all_of_them_through(
    place: Place, engines: dict[str, Engine]
) -> None:
    citizen = place.world.citizen().id
    with psycopg.connect(place.world.admin_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE used_value DROP CONSTRAINT pk_used_value")
    try:
        outcomes = race(engines["api"], 8, lambda session: _use(place, session, citizen))
    finally:
        with psycopg.connect(place.world.admin_url, autocommit=True) as connection:
            connection.execute("DELETE FROM used_value")
            connection.execute(f"ALTER TABLE used_value ADD {KEY}")
    assert outcomes == [None] * 8


@pytest.mark.parametrize(
    "value", ["0000000", "abcdefgh", "１２３４５６７８", "12345678 OR 1=1", "#"]
)
def test_a_made_up_value_is_refused_and_only_counted(place: Place, code: str, value: str) -> None:
    answer = place.scan(code, place.world.citizen(), value=value)
    assert refused(answer) == (403, "scan-value-invalid")
    assert place.world.count("used_value") == 0
    assert place.world.count("allowance") == 2


def test_a_value_is_understood_as_people_type_it(place: Place, code: str) -> None:
    value = place.value(code)
    typed = f" {value[:4]}-{value[4:]} "
    assert place.scan(code, place.world.citizen(), value=typed).status_code == 201


def test_who_guesses_is_stopped_and_nobody_else(
    place: Place, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = Limit("scanned-values", 3, scanning.SPAN)
    monkeypatch.setattr(scanning, "VALUES_OF_A_CITIZEN", limit)
    guesser, voter = place.world.citizens(2)
    tries = [place.scan(code, guesser, value="00000000").status_code for _ in range(4)]
    assert tries == [403, 403, 403, 429]
    answer = place.scan(code, guesser, value=place.value(code))
    assert refused(answer) == (429, "too-many-requests")
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    assert place.scan(code, voter, value=place.value(code)).status_code == 201


def test_many_who_guess_together_have_few_tries_and_keep_out_nobody_with_the_value(
    place: Place, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = Limit("wrong-scanned-values", 3, scanning.SPAN)
    monkeypatch.setattr(scanning, "WRONG_AT_A_CODE", limit)
    guessers = place.world.citizens(3)
    for guesser in guessers:
        assert place.scan(code, guesser, value="00000000").status_code == 403
    tries = [place.scan(code, guessers[0], value="00000000").status_code for _ in range(3)]
    assert tries == [403, 403, 429]
    voter = place.world.citizen()
    assert place.scan(code, voter, value=place.value(code)).status_code == 201
    other = place.code("rotating")["code"]
    assert place.scan(other, guessers[0], value=place.value(other)).status_code == 201


@pytest.mark.parametrize("body", [{}, {"position": True}])
def test_without_a_value_nobody_is_admitted_not_even_on_the_spot(
    place: Place, code: str, body: dict[str, Any]
) -> None:
    here = {"position": position(**CITY_HALL)} if body else {}
    voter = place.world.citizen()
    with no_trace(place.world):
        answer = place.scan(code, voter, **here)
    assert refused(answer) == (403, "presence-required")


def test_the_value_of_another_code_proves_nothing(place: Place, code: str) -> None:
    other = place.code("rotating")["code"]
    answer = place.scan(code, place.world.citizen(), value=place.value(other))
    assert refused(answer) == (403, "scan-value-invalid")


def test_a_token_of_another_polls_code_admits_nobody(place: Place, code: str) -> None:
    other = place.world.open_poll(place.officer, presence={"rule": "site"})
    voter = place.world.citizen()
    token = place.scan(code, voter, value=place.value(code)).get_json()["presence_token"]
    answer = place.world.cast(other, voter, presence_token=token)
    assert refused(answer) == (403, "presence-token-invalid")


def test_a_revoked_an_expired_and_a_future_code_take_no_value(place: Place, code: str) -> None:
    world, voter = place.world, place.world.citizen()
    path = f"/v1/codes/{code}"
    assert world.client.delete(path, headers=place.officer.headers).status_code == 204
    early = place.code("rotating", valid_from="2090-01-01T00:00:00Z")["code"]
    late = place.code(
        "rotating", valid_from="2020-01-01T00:00:00Z", valid_until="2020-01-02T00:00:00Z"
    )["code"]
    for each in (code, early, late):
        with no_trace(world):
            answer = place.scan(each, voter, value=place.value(each))
        assert refused(answer) == (404, "not-found")


def test_what_tells_that_a_value_was_used_names_nobody_and_goes_with_the_value(
    place: Place, code: str
) -> None:
    voter = place.world.citizen()
    place.scan(code, voter, value=place.value(code))
    (row,) = place.world.rows("SELECT * FROM used_value")
    assert voter.id.bytes not in bytes(row[1])
    with psycopg.connect(place.world.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE used_value SET expires_at = now() - interval '1 s'")
    with Session(place.world.engines["api"]) as session:
        remove_expired(session)
        session.commit()
    assert place.world.count("used_value") == 0


def test_a_screen_shows_a_value_no_longer_than_its_step() -> None:
    at = dt.datetime(2026, 11, 22, 9, 0, 12, tzinfo=dt.UTC)
    assert shown_at(SECRET, at) == Shown(
        value=value_of(SECRET, int(at.timestamp()) // 30),
        expires_at=at.replace(second=30),
        accepted_until=at.replace(minute=1, second=0),
    )
