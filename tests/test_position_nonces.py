"""Nonces: a position is sent after one was given out, by whom it was given to, and once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from mvote.base import utc_now
from mvote.polls.integrity import nonces
from mvote.polls.integrity.attesting import Attestors
from mvote.polls.integrity.nonces import use_nonce
from tests.support.integrity import CIRCLE, asking, code_at, nonce_of, site_of
from tests.support.world import CITY_HALL, GWANGHWAMUN, Person, World, new_key, position

HERE = GWANGHWAMUN
FORGED = "A" * 43


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    """A poll that takes positions with a nonce only."""
    return world.open_poll(presence=asking("nonce"))


def send(
    world: World, poll: dict[str, Any], voter: Person, nonce: str | None, **more: Any
) -> TestResponse:
    """A cast from within the area, with *nonce*."""
    integrity = {} if nonce is None else {"integrity": {"nonce": nonce}}
    return world.cast(poll, voter, **{"position": position(**HERE)} | integrity | more)


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


INVALID = (403, "position-nonce-invalid")


def recorded(world: World) -> int:
    return world.count("participation")


def test_a_position_with_a_nonce_is_taken_and_its_nonce_is_used_up(
    world: World, poll: dict[str, Any]
) -> None:
    voter = world.citizen()
    nonce = nonce_of(world, voter)
    assert world.count("position_nonce") == 1
    assert send(world, poll, voter, nonce).status_code == 201
    assert world.rows("SELECT count(*) FROM position_nonce WHERE used_for IS NULL") == [(0,)]
    other = world.open_poll(presence=CIRCLE)
    assert refusal(send(world, other, voter, nonce)) == INVALID
    assert recorded(world) == 1


def test_without_a_nonce_such_a_poll_takes_no_position(world: World, poll: dict[str, Any]) -> None:
    voter = world.citizen()
    assert refusal(send(world, poll, voter, None)) == INVALID
    assert refusal(send(world, poll, voter, None, integrity={"mock": False})) == INVALID
    assert recorded(world) == 0


def test_a_poll_that_asks_for_none_takes_positions_as_ever_and_refuses_what_is_forged(
    world: World,
) -> None:
    poll = world.open_poll(presence=CIRCLE)
    voter = world.citizen()
    assert refusal(send(world, poll, voter, FORGED)) == INVALID
    assert recorded(world) == 0
    assert send(world, poll, voter, None).status_code == 201


def test_a_nonce_of_somebody_else_is_none(world: World, poll: dict[str, Any]) -> None:
    friend, voter = world.citizens(2)
    nonce = nonce_of(world, friend)
    assert refusal(send(world, poll, voter, nonce)) == INVALID
    assert recorded(world) == 0
    assert send(world, poll, friend, nonce).status_code == 201  # and stays theirs


def test_a_nonce_is_good_for_a_minute(world: World, poll: dict[str, Any]) -> None:
    voter, before = world.citizen(), utc_now()
    answer = world.client.post("/v1/positions/nonces", headers=voter.headers).get_json()
    (expires_at,) = world.rows("SELECT expires_at FROM position_nonce")[0]
    assert before <= expires_at - dt.timedelta(seconds=60) <= utc_now()
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE position_nonce SET expires_at = now()")
    assert refusal(send(world, poll, voter, answer["nonce"])) == INVALID
    assert recorded(world) == 0


def test_what_is_refused_anyway_leaves_the_nonce_as_it_was(
    world: World, poll: dict[str, Any]
) -> None:
    voter = world.citizen()
    nonce = nonce_of(world, voter)
    away = send(world, poll, voter, nonce, position=position(**CITY_HALL | {"lat": 37.0}))
    assert refusal(away) == (403, "outside-area")
    old = send(world, poll, voter, nonce, position=position(**HERE, age_s=90))
    assert refusal(old) == (403, "position-stale")
    assert world.count("position_nonce") == 1
    assert recorded(world) == 0
    assert send(world, poll, voter, nonce).status_code == 201


def test_a_retry_whose_nonce_is_used_gets_the_same_receipt(
    world: World, poll: dict[str, Any]
) -> None:
    voter, key = world.citizen(), new_key()
    nonce = nonce_of(world, voter)
    first = send(world, poll, voter, nonce, key=key)
    again = send(world, poll, voter, nonce, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_data() == again.get_data()
    assert send(world, poll, voter, None, key=key).get_data() == first.get_data()
    assert recorded(world) == 1


def test_eligibility_looks_at_a_nonce_and_leaves_it_good(
    world: World, poll: dict[str, Any]
) -> None:
    voter = world.citizen()
    nonce, url = nonce_of(world, voter), f"/v1/polls/{poll['id']}/eligibility"
    body = {"position": position(**HERE), "integrity": {"nonce": nonce}}
    for _ in range(2):
        answer = world.client.post(url, json=body, headers=voter.headers).get_json()
        assert answer == {"may_vote": True, "reasons": []}
    body["integrity"] = {"nonce": FORGED}
    answer = world.client.post(url, json=body, headers=voter.headers).get_json()
    assert [reason["code"] for reason in answer["reasons"]] == ["position-nonce-invalid"]
    assert answer["reasons"][0]["next_step"]
    assert send(world, poll, voter, nonce).status_code == 201


def test_a_scan_uses_a_nonce_and_the_token_it_gives_needs_none(world: World) -> None:
    officer, voter = world.officer(), world.citizen()
    site = site_of(world, officer)
    poll = world.open_poll(officer, presence={"rule": "site", "integrity": "nonce"})
    code = code_at(world, site, poll, officer)
    url, here = f"/v1/codes/{code}/scans", position(**CITY_HALL)
    bare = world.client.post(url, json={"position": here}, headers=voter.headers)
    assert refusal(bare) == INVALID
    nonce = nonce_of(world, voter)
    body = {"position": here, "integrity": {"nonce": nonce}}
    away = body | {"position": position(**GWANGHWAMUN)}
    assert refusal(world.client.post(url, json=away, headers=voter.headers))[1] == "outside-area"
    assert world.count("position_nonce") == 1
    scanned = world.client.post(url, json=body, headers=voter.headers)
    assert scanned.status_code == 201, scanned.get_data(as_text=True)
    assert refusal(world.client.post(url, json=body, headers=voter.headers)) == INVALID
    token = scanned.get_json()["presence_token"]
    assert world.cast(poll, voter, presence_token=token).status_code == 201


def test_a_token_of_the_site_admits_where_the_position_beside_it_does_not(
    world: World, poll: dict[str, Any]
) -> None:
    officer, voter = world.officer(), world.citizen()
    site = site_of(world, officer, **HERE)
    code = code_at(world, site, poll, officer)
    body = {"position": position(**HERE), "integrity": {"nonce": nonce_of(world, voter)}}
    scanned = world.client.post(f"/v1/codes/{code}/scans", json=body, headers=voter.headers)
    token = scanned.get_json()["presence_token"]
    assert send(world, poll, voter, None, presence_token=token).status_code == 201


def test_whoever_has_no_account_gets_no_nonce(world: World) -> None:
    answer = world.client.post("/v1/positions/nonces")
    assert refusal(answer) == (401, "token-missing")
    assert world.count("position_nonce") == 0


def test_of_a_nonce_is_kept_a_hash_that_names_nobody(world: World) -> None:
    voter = world.citizen()
    nonce = nonce_of(world, voter)
    [row] = world.rows("SELECT * FROM position_nonce")
    assert nonce not in str(row)
    assert voter.id.hex not in str(row).replace("-", "")
    [(is_unlogged,)] = world.rows(
        "SELECT relpersistence = 'u' FROM pg_class WHERE relname = 'position_nonce'"
    )
    assert is_unlogged


def test_nonces_that_nobody_used_are_removed(
    world: World, engines: dict[str, Engine], session: Session
) -> None:
    voter = world.citizen()
    nonce_of(world, voter)
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE position_nonce SET expires_at = now() - interval '1 s'")
    fresh = nonce_of(world, voter)
    nonces.forget_expired_nonces(session)
    session.commit()
    assert world.count("position_nonce") == 1
    use_nonce(session, citizen_id=voter.id, nonce=fresh, now=utc_now())


@pytest.mark.parametrize(
    "integrity",
    [
        {"nonce": "short"},
        {"nonce": FORGED, "mock": "no"},
        {"attestation": {"platform": "app-attest", "key_id": "k", "token": "t"}},
        {"nonce": FORGED, "attestation": {"platform": "another", "key_id": "k", "token": "t"}},
        {"nonce": FORGED, "lat": 37.5},
        [],
    ],
    ids=lambda integrity: str(integrity)[:40],
)
def test_what_is_misshapen_is_refused_before_anything_is_done(world: World, integrity: Any) -> None:
    poll = world.open_poll(presence=CIRCLE)
    answer = send(world, poll, world.citizen(), None, integrity=integrity)
    assert refusal(answer) == (422, "invalid-request")
    assert recorded(world) == 0


def test_an_attestation_of_a_platform_that_is_not_asked_here_is_refused(world: World) -> None:
    poll, voter = world.open_poll(presence=CIRCLE), world.citizen()
    attestation = {"platform": "play-integrity", "key_id": FORGED, "token": "t"}
    integrity = {"nonce": nonce_of(world, voter), "attestation": attestation}
    answer = send(world, poll, voter, None, integrity=integrity)
    assert refusal(answer) == (403, "attestation-invalid")
    assert recorded(world) == 0
    assert world.count("position_nonce") == 1


# What the definition says.


def test_the_definition_says_what_is_asked_and_nothing_where_nothing_is(world: World) -> None:
    for demand, said in (("nonce", {"integrity": "nonce"}), ("none", {}), (None, {})):
        poll = world.open_poll(presence=asking(demand))
        document = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
        assert {k: v for k, v in document["presence"].items() if k == "integrity"} == said


def test_where_no_position_is_asked_for_nothing_can_be_asked_of_it(world: World) -> None:
    officer = world.officer()
    body = {"title": "나무", "presence": {"rule": "none", "integrity": "nonce"}}
    answer = world.client.post("/v1/polls", json=body, headers=officer.headers)
    assert refusal(answer) == (422, "invalid-request")
    assert world.count("poll") == 0


def test_a_poll_that_asks_for_attestation_does_not_open_where_no_platform_vouches(
    app_without_platforms: World,
) -> None:
    world = app_without_platforms
    officer = world.officer()
    draft = world.draft(officer, presence=asking("attested"))
    answer = world.client.post(f"/v1/polls/{draft['id']}/open", headers=officer.headers)
    assert refusal(answer) == (409, "not-ready-to-open")
    [hindrance] = answer.get_json()["hindrances"]
    assert (hindrance["code"], hindrance["pointer"]) == ("no-platform", "/presence/integrity")
    assert world.count("poll_definition") == 0


@pytest.fixture
def app_without_platforms(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    without = replace(world.wiring, attestors=Attestors())
    monkeypatch.setitem(world.app.extensions, "wiring", without)
    return world


def test_of_four_ballots_in_as_many_polls_with_one_nonce_one_is_recorded(world: World) -> None:
    polls = [world.open_poll(presence=CIRCLE) for _ in range(4)]
    voter = world.citizen()
    nonce = nonce_of(world, voter)
    answers = [send(world, poll, voter, nonce).status_code for poll in polls]
    assert sorted(answers) == [201, 403, 403, 403]
    assert recorded(world) == 1
