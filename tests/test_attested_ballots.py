"""Ballots from places that ask for a platform's word: taken with it; forged in one place, not."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from api import limits
from api.limits import Meter
from mvote.polls.integrity.attesting import digest_of_key, key_bytes, spelt
from mvote.polls.integrity.errors import AttestorAway
from tests.support.attesting import Platforms, Vouch, by_phone, cast_attested
from tests.support.integrity import asking, nonce_of
from tests.support.made_up_apple import Phone
from tests.support.world import GWANGHWAMUN, Person, World, new_key, position

INVALID = (403, "attestation-invalid")
KEY_ID = spelt(b"k" * 32)


@pytest.fixture
def platforms(world: World, monkeypatch: pytest.MonkeyPatch) -> Platforms:
    platforms = Platforms(world)
    platforms.installed(monkeypatch)
    return platforms


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    return world.open_poll(presence=asking("attested"))


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def apple(world: World, poll: dict[str, Any], voter: Person, phone: Phone, **more: Any) -> Any:
    how = {"platform": "app-attest", "key_id": phone.key_id} | more
    return cast_attested(world, poll, voter, how.pop("vouch", by_phone(phone)), **how)


def nothing_happened(world: World) -> None:
    """No ballot, no nonce used, no counter raised."""
    assert world.count("participation") == world.count("envelope") == 0
    assert world.rows("SELECT sum(counter) FROM device_key") in ([(0,)], [(None,)])


def test_a_registered_phone_vouches_for_ballots_one_after_the_other(
    world: World, platforms: Platforms, poll: dict[str, Any]
) -> None:
    other, voter = world.open_poll(presence=asking("attested")), world.citizen()
    phone = platforms.registered(voter)
    assert apple(world, poll, voter, phone).status_code == 201
    assert apple(world, other, voter, phone).status_code == 201
    assert world.rows("SELECT counter FROM device_key") == [(2,)]
    assert world.rows("SELECT count(*) FROM position_nonce WHERE used_for IS NULL") == [(0,)]


@pytest.mark.parametrize("platform", ["play-integrity", "development"])
def test_other_platforms_vouch_for_the_key_that_the_app_names(
    world: World, platforms: Platforms, poll: dict[str, Any], platform: str
) -> None:
    vouches: dict[str, Vouch] = {
        "play-integrity": platforms.by_google(),
        "development": lambda statement: spelt(platforms.development.sign(statement)),
    }
    answer = cast_attested(
        world, poll, world.citizen(), vouches[platform], platform=platform, key_id=KEY_ID
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert world.rows("SELECT platform FROM device") == [(platform,)]
    unkeyed = digest_of_key(platform, key_bytes(KEY_ID))
    assert world.rows("SELECT key_digest FROM device") != [(unkeyed,)]


def test_without_a_word_such_a_poll_takes_no_position(
    world: World, platforms: Platforms, poll: dict[str, Any]
) -> None:
    voter = world.citizen()
    integrity = {"nonce": nonce_of(world, voter)}
    answer = world.cast(poll, voter, position=position(**GWANGHWAMUN), integrity=integrity)
    assert refusal(answer) == (403, "attestation-required")
    assert answer.get_json()["next_step"]
    nothing_happened(world)


ELSEWHERE: dict[str, dict[str, Any]] = {
    "another poll": {"poll_id": uuid.UUID(int=7)},
    "another nonce": {"nonce": "A" * 43},
    "mock": {"is_mock": True},
    "another key": {"key_id": KEY_ID},
    "another place": {"lat": 37.5},
    "another radius": {"accuracy_m": 10.01},
    "another time": {"captured_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_a_word_for_another_request_is_refused_and_leaves_all_as_it_was(
    world: World, platforms: Platforms, poll: dict[str, Any], what: str
) -> None:
    voter = world.citizen()
    phone = platforms.registered(voter)
    answer = apple(world, poll, voter, phone, forging=ELSEWHERE[what])
    assert refusal(answer) == INVALID
    assert not {"why", "reason"} & set(answer.get_json())
    nothing_happened(world)
    assert world.count("position_nonce") == 1  # good still, for what is true
    assert apple(world, poll, voter, phone).status_code == 201


def test_what_google_says_of_another_app_phone_or_time_is_refused(
    world: World, platforms: Platforms, poll: dict[str, Any]
) -> None:
    voter = world.citizen()
    forged: tuple[dict[str, Any], ...] = (
        {"appIntegrity": {"appRecognitionVerdict": "UNRECOGNIZED_VERSION"}},
        {"deviceIntegrity": {}},
        {"requestDetails": {}},
    )
    for changed in forged:
        vouch = platforms.by_google(**changed)
        how: dict[str, Any] = {"platform": "play-integrity", "key_id": KEY_ID}
        assert refusal(cast_attested(world, poll, voter, vouch, **how)) == INVALID
    nothing_happened(world)
    assert world.count("device") == 0


def test_one_platforms_word_is_none_of_another(
    world: World, platforms: Platforms, poll: dict[str, Any]
) -> None:
    voter = world.citizen()
    phone = platforms.registered(voter)
    vouches = [by_phone(phone), platforms.by_google()]
    for vouch, platform in zip(vouches, ["play-integrity", "app-attest"], strict=True):
        answer = cast_attested(world, poll, voter, vouch, platform=platform, key_id=phone.key_id)
        assert refusal(answer) == INVALID
    nothing_happened(world)


def test_a_phone_that_somebody_else_registered_vouches_for_nobody_but_them(
    world: World, platforms: Platforms, poll: dict[str, Any]
) -> None:
    friend, voter = world.citizens(2)
    phone = platforms.registered(friend)
    assert refusal(apple(world, poll, voter, phone)) == INVALID
    nothing_happened(world)


def test_a_forged_word_is_refused_where_none_was_asked_for(
    world: World, platforms: Platforms
) -> None:
    poll, voter = world.open_poll(presence=asking(None)), world.citizen()
    phone = Phone(platforms.apple)
    assert refusal(apple(world, poll, voter, phone)) == INVALID
    nothing_happened(world)
    assert world.cast(poll, voter, position=position(**GWANGHWAMUN)).status_code == 201


def test_a_retry_gets_its_receipt_although_nonce_and_counter_are_used(
    world: World, platforms: Platforms, poll: dict[str, Any]
) -> None:
    voter, key = world.citizen(), new_key()
    phone = platforms.registered(voter)
    nonce = nonce_of(world, voter)
    assertion = {"token": ""}

    def once(statement: bytes) -> str:
        assertion["token"] = assertion["token"] or by_phone(phone)(statement)
        return assertion["token"]

    answers = [apple(world, poll, voter, phone, vouch=once, nonce=nonce, key=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].get_data() == answers[1].get_data()
    assert world.count("participation") == 1


class Away:
    """A Google that cannot be reached."""

    def payload(self, token: str) -> Any:
        raise AttestorAway


def test_where_google_is_away_nothing_is_recorded_and_all_can_be_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, poll: dict[str, Any]
) -> None:
    platforms, voter = Platforms(world), world.citizen()
    platforms.installed(monkeypatch, Away())
    nonce = nonce_of(world, voter)
    how: dict[str, Any] = {"platform": "play-integrity", "key_id": KEY_ID, "nonce": nonce}
    answer = cast_attested(world, poll, voter, platforms.by_google(), **how)
    assert refusal(answer) == (503, "attestor-away")
    assert answer.headers["Retry-After"]
    nothing_happened(world)
    platforms.installed(monkeypatch)
    answer = cast_attested(world, poll, voter, platforms.by_google(), **how)
    assert answer.status_code == 201


def test_no_text_in_an_attestations_place_breaks_anything(
    world: World, platforms: Platforms, poll: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "meter", Meter(10_000))
    voter = world.citizen()
    phone = platforms.registered(voter)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(["app-attest", "play-integrity", "development"]),
        st.text(min_size=1, max_size=200) | st.binary(min_size=1, max_size=200).map(spelt),
        st.just(phone.key_id) | st.text(min_size=1, max_size=60),
    )
    def sent(platform: str, token: str, key_id: str) -> None:
        attestation = {"platform": platform, "key_id": key_id, "token": token}
        integrity = {"nonce": nonce_of(world, voter), "attestation": attestation}
        here = position(**GWANGHWAMUN)
        answer = world.cast(poll, voter, position=here, integrity=integrity)
        assert answer.status_code in (403, 422, 429)

    sent()
    nothing_happened(world)


def test_the_command_of_development_makes_what_an_app_sends(
    world: World, poll: dict[str, Any]
) -> None:
    voter = world.citizen()
    nonce = nonce_of(world, voter)
    here = [f"--lat={GWANGHWAMUN['lat']}", f"--lon={GWANGHWAMUN['lon']}"]
    command = ["attest", f"--poll={poll['id']}", f"--nonce={nonce}", *here]
    printed = world.app.test_cli_runner().invoke(args=command)
    assert printed.exit_code == 0, printed.output
    assert world.cast(poll, voter, **json.loads(printed.output)).status_code == 201


def test_in_production_no_command_vouches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    production = replace(world.settings, environment="production")
    monkeypatch.setitem(world.app.extensions, "settings", production)
    command = ["attest", f"--poll={uuid.UUID(int=1)}", "--nonce=n", "--lat=1", "--lon=1"]
    printed = world.app.test_cli_runner().invoke(args=command)
    assert printed.exit_code == 1
    assert "phones vouch" in printed.output
