"""Platforms of the test's own that vouch for phones, over HTTP."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from api.wiring import Wiring
from mvote.base import utc_now
from mvote.polls.integrity.app_attestor import AppAttest, device_statement
from mvote.polls.integrity.attesting import Attestors, position_statement, spelt
from mvote.polls.integrity.development import DevelopmentAttestor
from mvote.polls.integrity.play_integrity import Decoder, PlayIntegrity, PlayRules
from mvote.polls.integrity.play_tokens import LocalDecoder
from mvote.polls.presence import Position
from tests.support.integrity import nonce_of
from tests.support.made_up_apple import Apple, Phone
from tests.support.made_up_google import CERTIFICATE, PACKAGE, Google, verdict
from tests.support.world import GWANGHWAMUN, Person, World, position

PLAY_RULES = PlayRules(package=PACKAGE, certificates=frozenset({CERTIFICATE}))
Vouch = Callable[[bytes], str]
"""A token for a statement."""


@dataclass
class Platforms:
    """A made-up Apple, a made-up Google and the key of development, that a world believes."""

    world: World
    apple: Apple = field(default_factory=Apple)
    google: Google = field(default_factory=Google)

    def installed(self, monkeypatch: pytest.MonkeyPatch, decoder: Decoder | None = None) -> None:
        """Let the application believe them in this test."""
        wiring: Wiring = self.world.wiring
        local = LocalDecoder(
            decryption=self.google.decryption, verification=self.google.verification
        )
        attestors = Attestors(
            [
                AppAttest(rules=self.apple.rules(), owners=wiring.owners),
                PlayIntegrity(rules=PLAY_RULES, decoder=decoder or local),
                self.development,
            ]
        )
        judge = replace(wiring.judge, attestors=attestors)
        gate = replace(wiring.gate, attestors=attestors)
        changed = replace(wiring, attestors=attestors, judge=judge, gate=gate)
        monkeypatch.setitem(self.world.app.extensions, "wiring", changed)

    @property
    def development(self) -> DevelopmentAttestor:
        return DevelopmentAttestor(b"d" * 32, environment="test")

    def registered(self, citizen: Person, phone: Phone | None = None) -> Phone:
        """A phone whose key the citizen has registered."""
        phone = phone or Phone(self.apple)
        answer = self.register(citizen, phone)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return phone

    def register(self, citizen: Person, phone: Phone, **changed: Any) -> TestResponse:
        nonce = changed.get("nonce") or nonce_of(self.world, citizen)
        content = phone.attested(device_statement(nonce, citizen.id))
        body = {
            "platform": "app-attest",
            "key_id": phone.key_id,
            "attestation": spelt(content),
            "nonce": nonce,
        }
        url = "/v1/me/devices"
        return self.world.client.post(url, json=body | changed, headers=citizen.headers)

    def by_google(self, **changed: Any) -> Vouch:
        """A token that Google would give at this moment."""

        def vouch(statement: bytes) -> str:
            return self.google.token(verdict(statement, utc_now()) | changed)

        return vouch


def by_phone(phone: Phone) -> Vouch:
    """An assertion by the phone's key."""
    return lambda statement: spelt(phone.asserted(statement))


def cast_attested(
    world: World,
    poll: dict[str, Any],
    voter: Person,
    vouch: Vouch,
    *,
    platform: str,
    key_id: str,
    forging: dict[str, Any] | None = None,
    **more: Any,
) -> TestResponse:
    """A cast from within the area, with a word for it. *forging*: what is stated otherwise."""
    nonce = more.pop("nonce", None) or nonce_of(world, voter)
    here = position(**GWANGHWAMUN)
    forged = forging or {}
    of_position = {name: forged[name] for name in here.keys() & forged.keys()}
    stated: dict[str, Any] = {
        "poll_id": uuid.UUID(poll["id"]),
        "nonce": nonce,
        "position": replace(stated_position(here), **of_position),
        "is_mock": False,
        "key_id": key_id,
    }
    forged = {name: forged[name] for name in stated.keys() & forged.keys()}
    token = vouch(position_statement(**(stated | forged)))
    attestation = {"platform": platform, "key_id": key_id, "token": token}
    integrity = {"nonce": nonce, "attestation": attestation}
    return world.cast(poll, voter, position=here, integrity=integrity, **more)


def stated_position(body: dict[str, Any]) -> Position:
    """What an app states of the position in a body."""
    captured_at = dt.datetime.fromisoformat(body["captured_at"])
    return Position(**(body | {"captured_at": captured_at}))
