"""Every way in which a coordinate may have been written down, and a search for all of them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Sequence

Place = tuple[float, float]
"""Latitude and longitude."""
BASE32 = "0123456789bcdefghjkmnpqrstuvwxyz"


def packed(form: str) -> Callable[[Place], list[bytes]]:
    """Both coordinates alone and side by side, in either order: by *form*, and in hex."""

    def spell(place: Place) -> list[bytes]:
        lat, lon = place
        # four bytes alone would be found everywhere by chance
        alone = [struct.pack(form, lat), struct.pack(form, lon)] if form[-1] in "dq" else []
        pairs = [struct.pack(form + form[-1], *pair) for pair in ((lat, lon), (lon, lat))]
        return alone + pairs

    return spell


def scaled(form: str) -> Callable[[Place], list[bytes]]:
    """As `packed`, of ten-millionths of a degree."""
    spell = packed(form)
    return lambda place: spell((round(place[0] * 1e7), round(place[1] * 1e7)))


def decimals(place: Place) -> list[bytes]:
    """With four decimals, however many follow; and as whole ten-millionths."""
    return [
        *(f"{int(each * 10_000) / 10_000:.4f}".encode() for each in place),
        *(str(round(each * 1e7)).encode() for each in place),
    ]


def geohash(place: Place) -> list[bytes]:
    """Seven characters, some 150 m."""
    lat, lon = place
    spans = {"lon": (-180.0, 180.0), "lat": (-90.0, 90.0)}
    bits = ""
    for n in range(35):
        axis, value = ("lat", lat) if n % 2 else ("lon", lon)
        low, high = spans[axis]
        middle = (low + high) / 2
        bits += "1" if value >= middle else "0"
        spans[axis] = (middle, high) if value >= middle else (low, middle)
    return ["".join(BASE32[int(bits[n : n + 5], 2)] for n in range(0, 35, 5)).encode()]


SPELLINGS: dict[str, Callable[[Place], list[bytes]]] = {
    "decimal": decimals,
    "geohash": geohash,
    "float8 little": packed("<d"),
    "float8 big": packed(">d"),
    "float4 little": packed("<f"),
    "float4 big": packed(">f"),
    "int4 little": scaled("<i"),
    "int4 big": scaled(">i"),
    "int8 little": scaled("<q"),
    "int8 big": scaled(">q"),
}
"""EWKB holds the eight bytes of a double, and is found by them."""


FEW = 50
_CLOCK = re.compile(rb"\d\d:")
"""What stands before the seconds of an instant: those may well be 37.5731."""


class Search:
    """Looks for the spellings of *places*, raw and in hex; fast where they are near each other."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._needles: dict[str, list[_Alike]] = {}
        for name, spell in SPELLINGS.items():
            columns = zip(*(spell(place) for place in places), strict=True)
            forms = [
                form for column in columns for form in (column, [n.hex().encode() for n in column])
            ]
            self._needles[name] = [_Alike(form) for form in forms]

    def found_in(self, haystack: bytes) -> set[str]:
        """The names of the spellings that are there."""
        needles = self._needles.items()
        return {name for name, all_ in needles if any(each.is_in(haystack) for each in all_)}


def _common(needles: Sequence[bytes]) -> bytes:
    """What all of them begin with."""
    first, last = min(needles), max(needles)
    same = 0
    while same < len(first) and first[same] == last[same]:
        same += 1
    return first[:same]


class _Alike:
    """Needles of one length that begin or end alike: where that is, one of them may be."""

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._needles = frozenset(needles)
        head = _common(needles)
        tail = _common([needle[::-1] for needle in needles])[::-1]
        self._part = max(head, tail, key=len)
        self._length = len(needles[0])
        self._before = 0 if self._part == head else self._length - len(tail)

    def is_in(self, haystack: bytes) -> bool:
        return any(
            haystack[at : at + self._length] in self._needles
            and not _CLOCK.match(haystack, max(at - 3, 0), at)
            for at in self._candidates(haystack)
        )

    def _candidates(self, haystack: bytes) -> Iterator[int]:
        is_few = len(self._needles) < FEW
        for part in self._needles if is_few else [self._part]:
            for found in re.finditer(re.escape(part), haystack):
                yield found.start() if is_few else max(found.start() - self._before, 0)
