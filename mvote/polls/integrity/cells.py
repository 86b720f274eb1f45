"""Coarse cells, 0.1° by 0.1°: where somebody was, too roughly to tell where."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from itertools import product

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PER_DEGREE = 10
EARTH_KM = 6371.0088 * 0.994
"""The mean radius, so much shorter that no great circle on it is longer than a geodesic."""
FASTEST_KM_PER_MINUTE = 350 / 60
NONCE_BYTES = 12
_FORM = struct.Struct(">hhq")


@dataclass(frozen=True, slots=True, repr=False)
class Fix:
    """A cell by its south-western corner in tenths of a degree, and the minute since 1970."""

    lat: int
    lon: int
    minute: int


def cell_of(lat: float, lon: float) -> tuple[int, int]:
    """The cell of a point, by its south-western corner in tenths of a degree."""
    return math.floor(lat * PER_DEGREE), math.floor(lon * PER_DEGREE)


def is_impossible(before: Fix, after: Fix) -> bool:
    """Whether even the shortest way between the cells is faster than 350 km/h.

    Each minute was begun when it was noted: up to one more may have passed.
    """
    minutes = abs(after.minute - before.minute) + 1
    return kilometres_between(before, after) > minutes * FASTEST_KM_PER_MINUTE


def kilometres_between(one: Fix, other: Fix) -> float:
    """The shortest distance between two cells, never more than it is."""
    apart = abs(one.lon - other.lon)
    apart = max(min(apart, 360 * PER_DEGREE - apart) - 1, 0)
    if one.lat != other.lat and apart == 0:
        return max(abs(one.lat - other.lat) - 1, 0) / PER_DEGREE * math.radians(1) * EARTH_KM
    edges = product((one.lat, one.lat + 1), (other.lat, other.lat + 1))
    return min(_great_circle(*pair, apart) for pair in edges)


def _great_circle(lat: int, other_lat: int, apart: int) -> float:
    """Kilometres between two points in tenths of a degree (haversine)."""
    north, south = (math.radians(each / PER_DEGREE) for each in (lat, other_lat))
    turn = math.radians(apart / PER_DEGREE)
    half = math.sin((north - south) / 2) ** 2
    half += math.cos(north) * math.cos(south) * math.sin(turn / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def seal_fix(cipher: AESGCM, nonce: bytes, whose: bytes, fix: Fix) -> bytes:
    """The fix as it is kept: AES-GCM, bound to whose it is."""
    return nonce + cipher.encrypt(nonce, _FORM.pack(fix.lat, fix.lon, fix.minute), whose)


def open_fix(cipher: AESGCM, whose: bytes, sealed: bytes) -> Fix | None:
    """The fix; None if it is of another key, or somebody else's."""
    try:
        content = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], whose)
    except InvalidTag:
        return None
    return Fix(*_FORM.unpack(content))
