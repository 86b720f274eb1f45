"""Attestation: a phone's platform vouches that the genuine app made this very request.

It says which app runs on which kind of device, never where: who fakes a position for the whole
phone gets it attested as well. What is attested is a statement, bound to one nonce and one key.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import logging
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, Protocol

from sqlalchemy.orm import Session

from mvote.polls.integrity.errors import AttestationInvalid
from mvote.polls.presence import Position

Platform = Literal["app-attest", "play-integrity", "development"]
PLATFORMS: tuple[Platform, ...] = ("app-attest", "play-integrity", "development")
LONGEST_TOKEN = 16_384
"""Characters; Google's are the longest, at two to four thousand."""
KEY_BYTES = 32
KEY_ID = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
"""32 bytes in base64url without padding: each key has this one spelling."""
POSITION_LABEL = "mvote/position/1"
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
log = logging.getLogger("mvote.attestation")


@dataclass(frozen=True, kw_only=True, repr=False)
class Attestation:
    """What an app sends as its platform's word. Has no repr, so it is never logged."""

    platform: str
    #: which key of the phone: see KEY_ID
    key_id: str
    #: App Attest: the assertion in base64url; Play Integrity: the token as it came
    token: str


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """What a platform said of one request. Nothing is written yet: see `devices.use_device`."""

    platform: str
    #: 32 bytes, a digest; names the phone's key, not a person
    device_key: bytes
    #: App Attest: must grow from use to use
    counter: int | None = None


Ask = Callable[[], Vouched]
"""Asks a platform that is elsewhere, which may take seconds: call it while you hold no connection
to the database. Raises AttestationInvalid, AttestorAway."""


class Attestor(Protocol):
    """One platform's way of vouching."""

    @property
    def platform(self) -> Platform:
        """Its name in requests."""

    def check(
        self,
        session: Session,
        *,
        statement: bytes,
        attestation: Attestation,
        citizen_id: uuid.UUID,
        now: dt.datetime,
    ) -> Vouched | Ask:
        """What the platform says of *statement*, or how to ask it. Reads, never writes.

        Raises AttestationInvalid.
        """


class Attestors:
    """The platforms that this city has configured."""

    def __init__(self, attestors: Iterable[Attestor] = ()) -> None:
        self._of: dict[str, Attestor] = {each.platform: each for each in attestors}

    @property
    def platforms(self) -> tuple[str, ...]:
        """By name; empty where none is configured, so that no poll can demand attestation."""
        return tuple(sorted(self._of))

    def of(self, platform: str) -> Attestor:
        """Raises AttestationInvalid for a platform that is not configured."""
        if platform not in self._of:
            raise AttestationInvalid("platform")
        return self._of[platform]

    def check(
        self,
        session: Session,
        *,
        statement: bytes,
        attestation: Attestation,
        citizen_id: uuid.UUID,
        now: dt.datetime,
    ) -> Vouched | Ask:
        """What the platform named in *attestation* says, or how to ask it; a refusal is logged by
        name, without data.

        Raises AttestationInvalid.
        """
        with _refusals_logged(attestation.platform):
            said = self.of(attestation.platform).check(
                session,
                statement=statement,
                attestation=attestation,
                citizen_id=citizen_id,
                now=now,
            )
        return said if isinstance(said, Vouched) else _logging(said, attestation.platform)


def _logging(ask: Ask, platform: str) -> Ask:
    def asked() -> Vouched:
        with _refusals_logged(platform):
            return ask()

    return asked


@contextmanager
def _refusals_logged(platform: str) -> Iterator[None]:
    try:
        yield
    except AttestationInvalid as refused:
        known = platform if platform in PLATFORMS else "unknown"
        log.info("attestation refused", extra={"platform": known, "why": refused.why})
        raise


def position_statement(
    *, poll_id: uuid.UUID, nonce: str, position: Position, is_mock: bool, key_id: str
) -> bytes:
    """What an attestation of a position vouches for; docs/client.md has test vectors.

    The last line names the phone's key: so the genuine app says which one it holds, on every
    platform.
    """
    milliseconds = (position.captured_at - EPOCH) // dt.timedelta(milliseconds=1)
    lines = (
        POSITION_LABEL,
        str(poll_id),
        nonce,
        str(_scaled(position.lat, 7)),
        str(_scaled(position.lon, 7)),
        str(_scaled(position.accuracy_m, 2)),
        str(milliseconds),
        "mock" if is_mock else "real",
        key_id,
    )
    return "\n".join(lines).encode()


def request_hash(statement: bytes) -> bytes:
    """32 bytes: App Attest's `clientDataHash`; in base64url Play Integrity's `requestHash`."""
    return hashlib.sha256(statement).digest()


def key_bytes(key_id: str) -> bytes:
    """The 32 bytes of a key's id. Raises AttestationInvalid for any other spelling."""
    if not KEY_ID.fullmatch(key_id):
        raise AttestationInvalid("key-id")
    return base64.urlsafe_b64decode(key_id + "=")


def spelt(content: bytes) -> str:
    """*content* in base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def digest_of_key(platform: str, key: bytes) -> bytes:
    """What names a phone's key here; apart by platform, so that none can pose as another's."""
    return hashlib.sha256(b"mvote/device-key/1\x00" + platform.encode() + b"\x00" + key).digest()


def _scaled(value: float, digits: int) -> int:
    """Half away from zero, on the decimal value of the double's shortest form."""
    return int(Decimal(repr(value)).scaleb(digits).quantize(Decimal(1), rounding=ROUND_HALF_UP))
