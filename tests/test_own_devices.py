"""One's own phones over HTTP: registered with a platform's word, shown, taken away, forgotten."""

from __future__ import annotations

import uuid

import pytest
from werkzeug.test import TestResponse

from api import limits
from api.limits import Meter
from mvote.base import utc_now
from mvote.polls.integrity.app_attestor import device_statement
from mvote.polls.integrity.attesting import spelt
from tests.support.attesting import Platforms
from tests.support.integrity import nonce_of
from tests.support.made_up_apple import Phone
from tests.support.world import Person, World

pytestmark = pytest.mark.usefixtures("within_an_hour")

DEVICES = "/v1/me/devices"


@pytest.fixture
def platforms(world: World, monkeypatch: pytest.MonkeyPatch) -> Platforms:
    platforms = Platforms(world)
    platforms.installed(monkeypatch)
    return platforms


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def devices(world: World, citizen: Person) -> list[dict[str, str]]:
    answer = world.client.get(DEVICES, headers=citizen.headers).get_json()
    found: list[dict[str, str]] = answer["items"]
    return found


def test_a_phone_is_registered_and_shown_to_its_owner_alone(
    world: World, platforms: Platforms
) -> None:
    citizen, other = world.citizens(2)
    answer = platforms.register(citizen, Phone(platforms.apple))
    assert answer.status_code == 201
    today = utc_now().date().isoformat()
    expected = {"platform": "app-attest", "registered_on": today, "last_used_on": today}
    assert answer.get_json() == expected | {"id": answer.get_json()["id"]}
    assert devices(world, citizen) == [answer.get_json()]
    assert devices(world, other) == []
    exported = world.client.get("/v1/me/export", headers=citizen.headers).get_json()
    assert exported["devices"] == [expected]
    assert world.count("position_nonce") == 0


def test_a_word_that_is_forged_or_for_somebody_else_registers_nothing(
    world: World, platforms: Platforms
) -> None:
    citizen, other = world.citizens(2)
    phone, nonce = Phone(platforms.apple), nonce_of(world, citizen)
    of_other = spelt(phone.attested(device_statement(nonce, other.id)))
    answer = platforms.register(citizen, phone, nonce=nonce, attestation=of_other)
    assert refusal(answer) == (403, "attestation-invalid")
    forged: tuple[dict[str, str], ...] = (
        {"attestation": "AAAA"},
        {"attestation": "?"},
        {"key_id": Phone(platforms.apple).key_id},
        {"key_id": "short"},
    )
    for changed in forged:
        answer = platforms.register(citizen, phone, **changed)
        assert refusal(answer) == (403, "attestation-invalid")
        assert "why" not in answer.get_json()
    assert world.count("device") == world.count("device_key") == 0
    assert platforms.register(citizen, phone).status_code == 201


def test_a_try_that_fails_counts_and_uses_up_its_nonce(
    world: World, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "meter", Meter(10_000))
    citizen = world.citizen()
    phone, nonce = Phone(platforms.apple), nonce_of(world, citizen)
    answer = platforms.register(citizen, phone, nonce=nonce, attestation="AAAA")
    assert refusal(answer) == (403, "attestation-invalid")
    answer = platforms.register(citizen, phone, nonce=nonce)
    assert refusal(answer) == (403, "position-nonce-invalid")
    for _ in range(19):
        answer = platforms.register(citizen, phone, attestation="AAAA")
        assert refusal(answer) == (403, "attestation-invalid")
    assert refusal(platforms.register(citizen, phone)) == (429, "too-many-requests")
    assert world.count("device") == 0


def test_a_nonce_registers_one_phone_of_whom_it_was_given_to(
    world: World, platforms: Platforms
) -> None:
    citizen, other = world.citizens(2)
    used, theirs = nonce_of(world, citizen), nonce_of(world, other)
    assert platforms.register(citizen, Phone(platforms.apple), nonce=used).status_code == 201
    for nonce in (used, theirs, "A" * 43):
        answer = platforms.register(citizen, Phone(platforms.apple), nonce=nonce)
        assert refusal(answer) == (403, "position-nonce-invalid")
    assert world.count("device") == 1


def test_where_apple_is_not_configured_no_phone_is_registered(world: World) -> None:
    citizen = world.citizen()
    platforms = Platforms(world)
    answer = platforms.register(citizen, Phone(platforms.apple))
    assert refusal(answer) == (403, "attestation-invalid")
    assert world.count("device") == 0
    assert world.count("position_nonce") == 1


def test_nobody_registers_phones_without_end(
    world: World, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "meter", Meter(10_000))
    citizen = world.citizen()
    for _ in range(20):
        platforms.registered(citizen)
    answer = platforms.register(citizen, Phone(platforms.apple))
    assert refusal(answer) == (429, "too-many-requests")
    assert world.count("device") == 20


def test_a_phone_is_forgotten_by_its_owner_alone(world: World, platforms: Platforms) -> None:
    citizen, other = world.citizens(2)
    platforms.registered(citizen)
    [device] = devices(world, citizen)
    url = f"{DEVICES}/{device['id']}"
    assert refusal(world.client.delete(url, headers=other.headers)) == (404, "not-found")
    assert world.count("device_key") == 1
    assert world.client.delete(url, headers=citizen.headers).status_code == 204
    assert devices(world, citizen) == []
    exported = world.client.get("/v1/me/export", headers=citizen.headers).get_json()
    assert exported["devices"] == []
    assert world.count("device") == 1  # nobody's any more, and counted on
    assert refusal(world.client.delete(url, headers=citizen.headers)) == (404, "not-found")
    unknown = f"{DEVICES}/{uuid.uuid4()}"
    assert refusal(world.client.delete(unknown, headers=citizen.headers)) == (404, "not-found")


def test_an_account_that_is_deleted_leaves_no_phone_of_its_own(
    world: World, platforms: Platforms
) -> None:
    citizen, other = world.citizens(2)
    platforms.registered(citizen)
    kept = platforms.registered(other)
    assert world.client.delete("/v1/me", headers=citizen.headers).status_code == 204
    gone = world.wiring.owners.tag(citizen.id)
    assert world.rows("SELECT count(*) FROM device WHERE owner_tag = %s", gone) == [(0,)]
    assert len(devices(world, other)) == 1
    assert platforms.register(citizen, kept, nonce="A" * 43).status_code == 401
    assert world.count("device") == 2
