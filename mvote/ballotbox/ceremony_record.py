"""The public record of a ceremony: which key, who holds a share of it, and how many open it.

Canonical JSON (RFC 8785), format `mvote-ceremony/1`; its SHA-256 stands on every trustee's sheet
and in the definition of the poll that the key serves.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

FORMAT = "mvote-ceremony/1"
FEWEST, MOST = 2, 16
LONGEST_NAME = 60
KEY_BYTES = 32
HASH_BYTES = 16
IDENTIFIERS = 2**15


class NoRecord(ValueError):
    """This is not the record of a ceremony; the message says where it is wrong."""


@dataclass(frozen=True, kw_only=True)
class SharePlace:
    """One share: its number (from 1), who holds it, and by what it is known again."""

    number: int
    name: str
    fingerprint: bytes


@dataclass(frozen=True, kw_only=True)
class CeremonyRecord:
    """What everyone may know of a key that trustees hold."""

    public_key: bytes
    threshold: int
    #: SLIP-39's: what all shares of one ceremony begin with
    identifier: int
    #: of the fingerprints
    salt: bytes
    made_on: dt.date
    places: tuple[SharePlace, ...]

    def __post_init__(self) -> None:
        if [place.number for place in self.places] != list(range(1, len(self.places) + 1)):
            raise NoRecord("the shares are not numbered 1, 2, 3 …")
        check_trustees(self.names, self.threshold)

    @property
    def names(self) -> list[str]:
        """The trustees, in the order of their shares."""
        return [place.name for place in self.places]

    @property
    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "format": FORMAT,
            "made_on": self.made_on.isoformat(),
            "public_key": self.public_key.hex(),
            "threshold": self.threshold,
            "identifier": self.identifier,
            "salt": self.salt.hex(),
            "shares": [
                {
                    "number": place.number,
                    "name": place.name,
                    "fingerprint": place.fingerprint.hex(),
                }
                for place in self.places
            ],
        }

    @property
    def content(self) -> bytes:
        """The canonical bytes."""
        return rfc8785.dumps(self.document)

    @property
    def hash(self) -> bytes:
        """SHA-256 of the canonical bytes."""
        return hashlib.sha256(self.content).digest()


def check_trustees(names: Sequence[str], threshold: int) -> None:
    """Raise NoRecord unless so many of so many trustees can hold a key."""
    if not FEWEST <= threshold <= len(names) <= MOST:
        raise NoRecord(f"{FEWEST} ≤ threshold ≤ shares ≤ {MOST} does not hold")
    if len(set(names)) < len(names) or not all(map(_is_name, names)):
        raise NoRecord(f"each trustee needs an own name of 1 to {LONGEST_NAME} letters")


def _is_name(name: str) -> bool:
    """A name that can be printed on one line, and is written in the usual form (NFC)."""
    clean = name == unicodedata.normalize("NFC", name).strip() and name.isprintable()
    return clean and 0 < len(name) <= LONGEST_NAME


def read_record(content: bytes) -> CeremonyRecord:
    """The record in *content*. Raises NoRecord unless it is one, byte for byte."""
    try:
        record = record_of(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise NoRecord(f"not the record of a ceremony: {error}") from None
    if record.content != content.strip():
        raise NoRecord("not the record of a ceremony: it is not written canonically")
    return record


def record_of(document: Any) -> CeremonyRecord:
    """The record that a JSON document is. Raises NoRecord."""
    try:
        if document["format"] != FORMAT:
            raise NoRecord(f"the format is not {FORMAT}")
        return CeremonyRecord(
            public_key=_hex(document["public_key"], KEY_BYTES),
            threshold=_whole(document["threshold"], MOST),
            identifier=_whole(document["identifier"], IDENTIFIERS),
            salt=_hex(document["salt"], HASH_BYTES),
            made_on=dt.date.fromisoformat(document["made_on"]),
            places=tuple(
                SharePlace(
                    number=_whole(place["number"], MOST),
                    name=str(place["name"]),
                    fingerprint=_hex(place["fingerprint"], HASH_BYTES),
                )
                for place in document["shares"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NoRecord(str(error)) from None


def _hex(value: str, length: int) -> bytes:
    found = bytes.fromhex(value)
    if len(found) != length:
        raise NoRecord(f"{value!r} is not the hex of {length} bytes")
    return found


def _whole(value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise NoRecord(f"{value!r} is no whole number up to {most}")
    return value
