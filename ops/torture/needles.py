"""Looking for many byte strings at once in large files, in every form in which they may lie there.

A secret can lie in a file as it is, in hex (so PostgreSQL dumps bytes), or in base64, where it may
begin at each of three places.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

SHORTEST = 8  # bytes; anything shorter would be found by chance
PIECE = 64 * 2**20
BITS = 24
SPREAD = np.uint64(0x9E3779B97F4A7C15)
Words = npt.NDArray[np.uint64]


def forms(needle: bytes) -> Iterator[bytes]:
    """The ways in which *needle* may be written."""
    yield needle
    yield needle.hex().encode()
    yield needle.hex().upper().encode()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + needle)
        inside = whole[(0, 2, 3)[before] : (before + len(needle)) * 8 // 6]
        yield inside
        yield inside.translate(bytes.maketrans(b"+/", b"-_"))


class Needles:
    """What is looked for, by name."""

    def __init__(self, wanted: Mapping[str, Iterable[bytes]]) -> None:
        self._names = {
            form: name
            for name, needles in wanted.items()
            for needle in needles
            for form in forms(needle)
            if len(form) >= SHORTEST
        }
        heads = np.array([int.from_bytes(f[:SHORTEST], "little") for f in self._names], np.uint64)
        self._heads = np.unique(heads)
        self._likely = np.zeros(2**BITS, np.bool_)
        self._likely[_spread(self._heads)] = True
        self._by_head: dict[bytes, list[bytes]] = {}
        for form in self._names:
            self._by_head.setdefault(form[:SHORTEST], []).append(form)
        self._longest = max(map(len, self._names))

    def __len__(self) -> int:
        return len(self._names)

    def within(self, content: bytes) -> dict[str, int]:
        """How often needles of each name occur in *content*."""
        found: dict[str, int] = {}
        for place in self._places(content):
            for form in self._by_head[content[place : place + SHORTEST]]:
                if content.startswith(form, place):
                    found[self._names[form]] = found.get(self._names[form], 0) + 1
        return found

    def _places(self, content: bytes) -> Iterator[int]:
        """Where the first eight bytes of a needle are."""
        for shift in range(SHORTEST):
            count = (len(content) - shift) // SHORTEST
            if count <= 0:
                return
            words = np.frombuffer(content, np.dtype("<u8"), count, shift)
            likely = np.flatnonzero(self._likely[_spread(words)])
            nearest = np.searchsorted(self._heads, words[likely]).clip(max=len(self._heads) - 1)
            hits = likely[self._heads[nearest] == words[likely]]
            yield from (int(hit) * SHORTEST + shift for hit in hits)

    def in_files(self, paths: Iterable[Path]) -> dict[str, int]:
        """How often needles of each name occur in the files."""
        found: dict[str, int] = {}
        for path in paths:
            for piece in _pieces(path, self._longest):
                for name, times in self.within(piece).items():
                    found[name] = found.get(name, 0) + times
        return found


def _spread(words: Words) -> npt.NDArray[np.intp]:
    spread: npt.NDArray[np.intp] = ((words * SPREAD) >> np.uint64(64 - BITS)).astype(np.intp)
    return spread


def _pieces(path: Path, overlap: int) -> Iterator[bytes]:
    """The file in pieces, each with the end of the one before, so that nothing falls between."""
    before = b""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield before + piece
            before = piece[-overlap:]
