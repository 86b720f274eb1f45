"""Google's Play Integrity: what a decoded verdict must say, as Google documents it.

Source: "Integrity verdicts" (developer.android.com/google/play/integrity/verdicts).
"""

from __future__ import annotations

import base64
import datetime as dt
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from mvote.polls.integrity.attesting import (
    EPOCH,
    Ask,
    Attestation,
    Platform,
    Vouched,
    digest_of_key,
    key_bytes,
    request_hash,
)
from mvote.polls.integrity.errors import AttestationInvalid

OLDEST = dt.timedelta(seconds=90)
"""A token is made for a nonce, which lives 60 s; the rest is for clocks that differ."""
AHEAD = dt.timedelta(seconds=30)
DEVICE_VERDICTS = (
    "MEETS_BASIC_INTEGRITY",
    "MEETS_DEVICE_INTEGRITY",
    "MEETS_STRONG_INTEGRITY",
)
ENOUGH = "MEETS_DEVICE_INTEGRITY"
"""Unless a city says otherwise: certified by Google, and not tampered with."""
MILLISECONDS = re.compile(r"[0-9]{1,15}", re.ASCII)


class Decoder(Protocol):
    """Opens a token. Only what Google made may come out of it."""

    def payload(self, token: str) -> Any:
        """The verdict, parsed JSON. Raises AttestationInvalid, AttestorAway."""


@dataclass(frozen=True, kw_only=True)
class PlayRules:
    """Which verdict is good enough."""

    package: str
    #: SHA-256 of the certificates that the app is signed with
    certificates: frozenset[bytes]
    #: one of DEVICE_VERDICTS: at least this
    device_verdict: str = ENOUGH
    #: only whoever got the app from Google Play
    licensed: bool = False


@dataclass(frozen=True, kw_only=True)
class PlayIntegrity:
    """Vouches by tokens for one request each; the app names the phone's key in what it hashes.

    The verdict itself names no phone. The genuine app puts the id of a key that it keeps in the
    phone's hardware into the statement, and Google vouches that the app is genuine: so a forger
    can no more name another key than forge the rest.
    """

    rules: PlayRules
    decoder: Decoder
    platform: Platform = "play-integrity"

    def check(
        self,
        session: Session,
        *,
        statement: bytes,
        attestation: Attestation,
        citizen_id: uuid.UUID,  # the statement holds a nonce of theirs
        now: dt.datetime,
    ) -> Ask:
        key = key_bytes(attestation.key_id)
        if not statement.endswith(b"\n" + attestation.key_id.encode()):
            raise AttestationInvalid("key-id")

        def ask() -> Vouched:
            payload = self.decoder.payload(attestation.token)
            check_verdict(self.rules, payload, statement=statement, now=now)
            return Vouched(platform=self.platform, device_key=digest_of_key(self.platform, key))

        return ask


def check_verdict(rules: PlayRules, payload: Any, *, statement: bytes, now: dt.datetime) -> None:
    """Whether Google says of this very request what it must. Raises AttestationInvalid."""
    _check_request(rules, _part(payload, "requestDetails"), statement, now)
    _check_app(rules, _part(payload, "appIntegrity"))
    verdicts = _texts(_part(payload, "deviceIntegrity").get("deviceRecognitionVerdict"))
    enough = DEVICE_VERDICTS[DEVICE_VERDICTS.index(rules.device_verdict) :]
    if not verdicts & set(enough):
        raise AttestationInvalid("device")
    if "testingDetails" in payload:  # a verdict that was ordered in Google's console
        raise AttestationInvalid("testing")
    if rules.licensed:
        account = _part(payload, "accountDetails")
        if account.get("appLicensingVerdict") != "LICENSED":
            raise AttestationInvalid("license")


def _check_request(
    rules: PlayRules, details: Mapping[str, Any], statement: bytes, now: dt.datetime
) -> None:
    """Standard requests bring `requestHash` back, classic ones `nonce`, which may be padded."""
    if details.get("requestPackageName") != rules.package:
        raise AttestationInvalid("request-package")
    expected = base64.urlsafe_b64encode(request_hash(statement)).decode()
    given = [details[name] for name in ("requestHash", "nonce") if name in details]
    if len(given) != 1 or given[0] not in (expected, expected.rstrip("=")):
        raise AttestationInvalid("request-hash")
    if not -AHEAD <= now - _instant(details.get("timestampMillis")) <= OLDEST:
        raise AttestationInvalid("timestamp")


def _check_app(rules: PlayRules, app: Mapping[str, Any]) -> None:
    if app.get("appRecognitionVerdict") != "PLAY_RECOGNIZED":
        raise AttestationInvalid("app-recognition")
    if app.get("packageName") != rules.package:
        raise AttestationInvalid("package")
    known = {base64.urlsafe_b64encode(each).decode() for each in rules.certificates}
    found = _texts(app.get("certificateSha256Digest"))
    if not found or not found <= known | {each.rstrip("=") for each in known}:
        raise AttestationInvalid("certificate")


def _part(payload: Any, name: str) -> Mapping[str, Any]:
    part = payload.get(name) if isinstance(payload, dict) else None
    if not isinstance(part, dict):
        raise AttestationInvalid("form")
    return part


def _texts(value: Any) -> set[str]:
    """The texts of a list; none of anything else."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return set()
    return set(value)


def _instant(value: Any) -> dt.datetime:
    """Google writes milliseconds as a text: its numbers have 64 bits."""
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not MILLISECONDS.fullmatch(text):
        raise AttestationInvalid("form")
    try:
        return EPOCH + dt.timedelta(milliseconds=int(text))
    except OverflowError:
        raise AttestationInvalid("form") from None
