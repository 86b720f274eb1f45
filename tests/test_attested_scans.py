"""A platform's word where a code is scanned, and where one only asks whether one may vote."""

from __future__ import annotations

import logging
import uuid
from typing import Any

import pytest

from mvote.polls.integrity.attesting import position_statement
from tests.support.attesting import Platforms, by_phone, cast_attested, stated_position
from tests.support.integrity import asking, code_at, nonce_of, site_of
from tests.support.made_up_apple import Phone
from tests.support.world import CITY_HALL, GWANGHWAMUN, Person, World, position


@pytest.fixture
def platforms(world: World, monkeypatch: pytest.MonkeyPatch) -> Platforms:
    platforms = Platforms(world)
    platforms.installed(monkeypatch)
    return platforms


def vouched(
    world: World, poll: dict[str, Any], voter: Person, phone: Phone, place: dict[str, float]
) -> dict[str, Any]:
    """A position with the phone's word for it."""
    nonce, here = nonce_of(world, voter), position(**place)
    statement = position_statement(
        poll_id=uuid.UUID(poll["id"]),
        nonce=nonce,
        position=stated_position(here),
        is_mock=False,
        key_id=phone.key_id,
    )
    token = by_phone(phone)(statement)
    attestation = {"platform": "app-attest", "key_id": phone.key_id, "token": token}
    return {"position": here, "integrity": {"nonce": nonce, "attestation": attestation}}


def test_a_scan_takes_a_word_for_its_position_once(world: World, platforms: Platforms) -> None:
    officer, voter = world.officer(), world.citizen()
    phone, site = platforms.registered(voter), site_of(world, officer)
    poll = world.open_poll(officer, presence={"rule": "site", "integrity": "attested"})
    url = f"/v1/codes/{code_at(world, site, poll, officer)}/scans"
    other = vouched(world, {"id": str(uuid.uuid4())}, voter, phone, CITY_HALL)
    refused = world.client.post(url, json=other, headers=voter.headers)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "attestation-invalid")
    assert world.rows("SELECT counter FROM device_key") == [(0,)]
    body = vouched(world, poll, voter, phone, CITY_HALL)
    scanned = world.client.post(url, json=body, headers=voter.headers)
    assert scanned.status_code == 201, scanned.get_data(as_text=True)
    assert world.rows("SELECT counter FROM device_key") == [(2,)]
    again = world.client.post(url, json=body, headers=voter.headers)
    assert (again.status_code, again.get_json()["code"]) == (403, "position-nonce-invalid")
    token = scanned.get_json()["presence_token"]
    assert world.cast(poll, voter, presence_token=token).status_code == 201


def test_who_only_asks_uses_neither_nonce_nor_counter(world: World, platforms: Platforms) -> None:
    poll, voter = world.open_poll(presence=asking("attested")), world.citizen()
    phone = platforms.registered(voter)
    body = vouched(world, poll, voter, phone, GWANGHWAMUN)
    url = f"/v1/polls/{poll['id']}/eligibility"
    for _ in range(2):
        answer = world.client.post(url, json=body, headers=voter.headers).get_json()
        assert answer == {"may_vote": True, "reasons": []}
    assert world.rows("SELECT counter FROM device_key") == [(0,)]
    assert world.cast(poll, voter, **body).status_code == 201


def test_who_may_not_vote_anyway_leaves_the_counter_as_it_was(
    world: World, platforms: Platforms
) -> None:
    poll = world.open_poll(presence=asking("attested"), eligibility={"min_age": 99})
    voter = world.citizen(birth_year=2000)
    phone = platforms.registered(voter)
    how: dict[str, Any] = {"platform": "app-attest", "key_id": phone.key_id}
    answer = cast_attested(world, poll, voter, by_phone(phone), **how)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not-eligible")
    assert world.rows("SELECT counter FROM device_key") == [(0,)]
    assert world.count("position_nonce") == 1


def test_the_log_names_the_check_that_failed_and_nothing_of_whom_or_where(
    world: World, platforms: Platforms, caplog: pytest.LogCaptureFixture
) -> None:
    poll, voter = world.open_poll(presence=asking("attested")), world.citizen()
    phone = platforms.registered(voter)
    body = vouched(world, {"id": str(uuid.uuid4())}, voter, phone, GWANGHWAMUN)
    with caplog.at_level(logging.INFO, logger="mvote.attestation"):
        assert world.cast(poll, voter, **body).status_code == 403
    [record] = [each for each in caplog.records if each.name == "mvote.attestation"]
    said = vars(record)
    assert (said["platform"], said["why"]) == ("app-attest", "signature")
    for secret in (str(voter.id), body["integrity"]["nonce"], phone.key_id, GWANGHWAMUN["lat"]):
        assert str(secret) not in str(said)
