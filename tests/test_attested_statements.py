"""What an attestation vouches for, byte by byte: an app must come to the same."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvote.polls.integrity.attesting import (
    Attestation,
    Attestors,
    digest_of_key,
    key_bytes,
    position_statement,
    request_hash,
)
from mvote.polls.integrity.errors import AttestationInvalid
from mvote.polls.presence import Position

POLL = uuid.UUID("0192a0a0-0000-7000-8000-0000000000AB")
NONCE = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
KEY = base64.urlsafe_b64encode(bytes(range(32, 64))).decode().rstrip("=")
HASH = "9d2c2c5e8bae32f4b34df778b6c304a7c058d1252e80a7da357013715648c022"
SEOUL = Position(
    lat=37.5665,
    lon=126.978,
    accuracy_m=16.2,
    captured_at=dt.datetime(2026, 11, 22, 6, 0, 0, 123456, dt.UTC),
)


def statement(position: Position = SEOUL, **changed: Any) -> bytes:
    given: dict[str, Any] = {"poll_id": POLL, "nonce": NONCE, "is_mock": False, "key_id": KEY}
    return position_statement(position=position, **(given | changed))


def test_the_statement_is_these_lines_and_its_hash_is_asked_for() -> None:
    """The vector of docs/client.md."""
    assert statement().decode().split("\n") == [
        "mvote/position/1",
        "0192a0a0-0000-7000-8000-0000000000ab",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "375665000",
        "1269780000",
        "1620",
        "1795327200123",
        "real",
        "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8",
    ]
    assert request_hash(statement()).hex() == HASH


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        (0.00000005, "1"),
        (-0.00000005, "-1"),
        (0.00000004999, "0"),
        (-0.00000004, "0"),
        (1.00000015, "10000002"),
        (-33.85678505, "-338567851"),
        (1e-20, "0"),
        (90.0, "900000000"),
        (-0.0, "0"),
    ],
)
def test_coordinates_are_rounded_half_away_from_zero_as_they_are_written(
    degrees: float, expected: str
) -> None:
    lines = statement(replace(SEOUL, lat=degrees)).decode().split("\n")
    assert lines[3] == expected


@pytest.mark.parametrize(("metres", "expected"), [(0.005, "1"), (1.005, "101"), (12, "1200")])
def test_the_radius_is_written_in_centimetres(metres: float, expected: str) -> None:
    assert statement(replace(SEOUL, accuracy_m=metres)).decode().split("\n")[5] == expected


def test_whatever_is_told_otherwise_is_another_statement() -> None:
    later = SEOUL.captured_at + dt.timedelta(milliseconds=1)
    others = [
        statement(replace(SEOUL, lat=37.5665001)),
        statement(replace(SEOUL, lon=126.9780001)),
        statement(replace(SEOUL, accuracy_m=16.21)),
        statement(replace(SEOUL, captured_at=later)),
        statement(is_mock=True),
        statement(poll_id=uuid.UUID(int=1)),
        statement(nonce=KEY),
        statement(key_id=NONCE),
    ]
    assert len({request_hash(each) for each in [statement(), *others]}) == len(others) + 1


@given(st.binary(min_size=32, max_size=32))
def test_each_key_has_one_spelling(key: bytes) -> None:
    spelt = base64.urlsafe_b64encode(key).decode().rstrip("=")
    assert key_bytes(spelt) == key
    for other in (spelt + "=", spelt + "\n", spelt[:-1], spelt[:-1] + "B", "+" + spelt[1:]):
        with pytest.raises(AttestationInvalid):
            key_bytes(other)


def test_one_platforms_key_is_not_anothers() -> None:
    assert digest_of_key("app-attest", b"k") != digest_of_key("play-integrity", b"k")


def test_a_platform_that_is_not_configured_vouches_for_nothing() -> None:
    nobody = Attestors()
    assert nobody.platforms == ()
    attestation = Attestation(platform="development", key_id=KEY, token="")
    with pytest.raises(AttestationInvalid):
        nobody.check(
            None,  # type: ignore[arg-type]
            statement=statement(),
            attestation=attestation,
            citizen_id=POLL,
            now=SEOUL.captured_at,
        )
