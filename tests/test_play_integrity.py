"""Play Integrity, with made-up keys: verdicts of this request are taken, no other is."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey
from sqlalchemy.orm import Session

from mvote.base import utc_now
from mvote.polls.integrity.attesting import Attestation, digest_of_key, request_hash, spelt
from mvote.polls.integrity.errors import AttestationInvalid
from mvote.polls.integrity.play_integrity import (
    AHEAD,
    DEVICE_VERDICTS,
    OLDEST,
    PlayIntegrity,
    PlayRules,
    check_verdict,
)
from mvote.polls.integrity.play_tokens import LocalDecoder
from tests.support.made_up_google import CERTIFICATE, PACKAGE, Google, verdict

NOW = utc_now()
KEY_ID = spelt(b"k" * 32)
STATEMENT = b"mvote/position/1\nand so on\n" + KEY_ID.encode()
RULES = PlayRules(package=PACKAGE, certificates=frozenset({CERTIFICATE}))
SECOND = dt.timedelta(seconds=1)
GOOGLE = Google()


def judged(payload: Any, rules: PlayRules = RULES) -> str:
    """The reason why a verdict is refused; empty if it is taken."""
    try:
        check_verdict(rules, payload, statement=STATEMENT, now=NOW)
    except AttestationInvalid as refusal:
        return refusal.why
    return ""


def test_a_verdict_of_this_request_is_taken_standard_or_classic() -> None:
    assert judged(verdict(STATEMENT, NOW)) == ""
    for padding in ("", "="):
        classic = verdict(STATEMENT, NOW)
        details = classic["requestDetails"]
        details["nonce"] = details.pop("requestHash") + padding
        assert judged(classic) == ""


def changed(*path: str, to: Any) -> Any:
    payload = deepcopy(verdict(STATEMENT, NOW))
    part = payload
    for name in path[:-1]:
        part = part[name]
    if to is KeyError:
        del part[path[-1]]
    else:
        part[path[-1]] = to
    return payload


def at(instant: dt.datetime) -> str:
    return str(int(instant.timestamp() * 1000))


OTHER_HASH = spelt(request_hash(b"another"))
FORGED: list[tuple[tuple[str, ...], Any, str]] = [
    (("requestDetails",), KeyError, "form"),
    (("requestDetails",), [], "form"),
    (("requestDetails", "requestPackageName"), "kr.example.other", "request-package"),
    (("requestDetails", "requestPackageName"), KeyError, "request-package"),
    (("requestDetails", "requestHash"), OTHER_HASH, "request-hash"),
    (("requestDetails", "requestHash"), KeyError, "request-hash"),
    (("requestDetails", "requestHash"), None, "request-hash"),
    (("requestDetails", "requestHash"), request_hash(STATEMENT).hex(), "request-hash"),
    (("requestDetails", "nonce"), OTHER_HASH, "request-hash"),
    (("requestDetails", "timestampMillis"), at(NOW - OLDEST - SECOND), "timestamp"),
    (("requestDetails", "timestampMillis"), at(NOW + AHEAD + SECOND), "timestamp"),
    (("requestDetails", "timestampMillis"), KeyError, "form"),
    (("requestDetails", "timestampMillis"), "-1", "form"),
    (("requestDetails", "timestampMillis"), True, "form"),
    (("requestDetails", "timestampMillis"), 1.5, "form"),
    (("requestDetails", "timestampMillis"), "9" * 15, "form"),
    (("requestDetails", "timestampMillis"), "٣", "form"),
    (("appIntegrity",), KeyError, "form"),
    (("appIntegrity", "appRecognitionVerdict"), "UNRECOGNIZED_VERSION", "app-recognition"),
    (("appIntegrity", "appRecognitionVerdict"), "UNEVALUATED", "app-recognition"),
    (("appIntegrity", "packageName"), "kr.example.other", "package"),
    (("appIntegrity", "packageName"), KeyError, "package"),
    (("appIntegrity", "certificateSha256Digest"), [OTHER_HASH], "certificate"),
    (("appIntegrity", "certificateSha256Digest"), [spelt(CERTIFICATE), OTHER_HASH], "certificate"),
    (("appIntegrity", "certificateSha256Digest"), [], "certificate"),
    (("appIntegrity", "certificateSha256Digest"), [1], "certificate"),
    (("appIntegrity", "certificateSha256Digest"), spelt(CERTIFICATE), "certificate"),
    (("deviceIntegrity",), KeyError, "form"),
    (("deviceIntegrity", "deviceRecognitionVerdict"), [], "device"),
    (("deviceIntegrity", "deviceRecognitionVerdict"), KeyError, "device"),
    (("deviceIntegrity", "deviceRecognitionVerdict"), ["MEETS_BASIC_INTEGRITY"], "device"),
    (("deviceIntegrity", "deviceRecognitionVerdict"), ["MEETS_VIRTUAL_INTEGRITY"], "device"),
    (("deviceIntegrity", "deviceRecognitionVerdict"), "MEETS_DEVICE_INTEGRITY", "device"),
    (("testingDetails",), {"isTestingResponse": True}, "testing"),
]


@pytest.mark.parametrize(("path", "to", "why"), FORGED, ids=range(len(FORGED)))
def test_a_verdict_that_is_wrong_in_one_place_is_refused(
    path: tuple[str, ...], to: Any, why: str
) -> None:
    assert judged(changed(*path, to=to)) == why


@pytest.mark.parametrize("payload", [None, [], "text", 7, {}], ids=range(5))
def test_what_is_no_verdict_is_refused(payload: Any) -> None:
    assert judged(payload) == "form"


@pytest.mark.parametrize("wanted", DEVICE_VERDICTS)
def test_a_city_says_how_much_a_phone_must_prove(wanted: str) -> None:
    rules = PlayRules(package=PACKAGE, certificates=RULES.certificates, device_verdict=wanted)
    taken = []
    for given_verdict in DEVICE_VERDICTS:
        path = ("deviceIntegrity", "deviceRecognitionVerdict")
        taken.append(judged(changed(*path, to=[given_verdict]), rules) == "")
    assert taken == [index >= DEVICE_VERDICTS.index(wanted) for index in range(3)]


def test_a_license_is_asked_for_where_the_city_says_so() -> None:
    rules = PlayRules(package=PACKAGE, certificates=RULES.certificates, licensed=True)
    assert judged(verdict(STATEMENT, NOW), rules) == ""
    unlicensed = changed("accountDetails", "appLicensingVerdict", to="UNLICENSED")
    assert (judged(unlicensed), judged(unlicensed, rules)) == ("", "license")
    assert judged(changed("accountDetails", to=KeyError), rules) == "form"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_nothing_in_a_members_place_breaks_anything(value: Any) -> None:
    for path, _, _ in FORGED:
        judged(changed(*path, to=value))


def decoded(token: str, google: Google = GOOGLE) -> Any:
    return LocalDecoder(decryption=google.decryption, verification=google.verification).payload(
        token
    )


def refused(token: str) -> str:
    with pytest.raises(AttestationInvalid) as refusal:
        decoded(token)
    return refusal.value.why


def test_a_token_made_for_our_keys_is_opened_here() -> None:
    payload = verdict(STATEMENT, NOW)
    assert decoded(GOOGLE.token(payload)) == payload


def test_tokens_that_somebody_else_made_are_refused() -> None:
    payload, other = verdict(STATEMENT, NOW), Google()
    assert refused(other.token(payload)) == "token"
    assert refused(Google(secret=GOOGLE.secret).token(payload)) == "token"
    assert refused(Google(key=GOOGLE.key).token(payload)) == "token"
    assert refused(GOOGLE.signed(payload)) == "token"
    assert refused(GOOGLE.sealed(json.dumps(payload))) == "token"


def test_no_header_chooses_how_a_token_is_opened() -> None:
    payload = verdict(STATEMENT, NOW)
    inner = GOOGLE.signed(payload)
    for outer in (
        {"alg": "A256KW", "enc": "A256GCM", "zip": "DEF"},
        {"alg": "A256KW", "enc": "A128GCM"},
        {"alg": "A256KW", "enc": "A256CBC-HS512"},
        {"alg": "dir", "enc": "A256GCM"},
        {"alg": "A256GCMKW", "enc": "A256GCM"},
    ):
        key, allowed = OctKey.import_key(GOOGLE.secret), [*outer.values()]
        assert refused(jwe.encrypt_compact(outer, inner, key, algorithms=allowed)) == "token"
    secret = OctKey.import_key(GOOGLE.verification)  # a public key as if it were a secret
    mixed = jws.serialize_compact({"alg": "HS256"}, json.dumps(payload), secret)
    assert refused(GOOGLE.sealed(mixed)) == "token"
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    body = inner.split(".")[1]
    assert refused(GOOGLE.sealed(f"{none}.{body}.")) == "token"


@given(st.text(max_size=200))
def test_no_text_at_all_is_a_token(text: str) -> None:
    refused(text)


@given(st.data())
def test_no_token_with_a_changed_sign_is_opened(data: st.DataObject) -> None:
    token = GOOGLE.token(verdict(STATEMENT, NOW))
    place = data.draw(st.integers(0, len(token) - 1))
    sign = data.draw(st.sampled_from("ABCDEFabcdef012345-_."))
    broken = token[:place] + sign + token[place + 1 :]
    if broken != token and not _only_spelt_otherwise(broken, token):
        refused(broken)


def _only_spelt_otherwise(one: str, other: str) -> bool:
    """The last sign of base64 holds bits that mean nothing."""

    def read(token: str) -> list[bytes] | None:
        try:
            return [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]
        except ValueError:
            return None

    return read(one) == read(other)


def test_a_token_that_is_too_long_or_too_deep_is_refused() -> None:
    assert refused("x" * 20_000) == "form"
    assert refused(GOOGLE.sealed("[" * 9_000)) == "token"


def test_keys_that_are_none_are_refused_at_the_start() -> None:
    wrong = Google(key=ECKey.generate_key("P-384"))
    with pytest.raises(ValueError, match="P-256"):
        LocalDecoder(decryption=GOOGLE.decryption, verification=wrong.verification)
    with pytest.raises(ValueError, match="32 bytes"):
        LocalDecoder(decryption="AAAA", verification=GOOGLE.verification)


def checked(statement: bytes, key_id: str, token: str) -> bytes:
    decoder = LocalDecoder(decryption=GOOGLE.decryption, verification=GOOGLE.verification)
    attestation = Attestation(platform="play-integrity", key_id=key_id, token=token)
    ask = PlayIntegrity(rules=RULES, decoder=decoder).check(
        Session(),
        statement=statement,
        attestation=attestation,
        citizen_id=uuid.UUID(int=1),
        now=NOW,
    )
    return ask().device_key


def test_the_key_that_the_genuine_app_named_is_the_phones() -> None:
    token = GOOGLE.token(verdict(STATEMENT, NOW))
    named = digest_of_key("play-integrity", b"k" * 32)
    assert checked(STATEMENT, KEY_ID, token) == named
    another = spelt(b"l" * 32)
    for statement in (STATEMENT, STATEMENT.replace(KEY_ID.encode(), another.encode())):
        with pytest.raises(AttestationInvalid):
            checked(statement, another, token)
