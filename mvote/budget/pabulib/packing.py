"""Ballots as bytes: many in one portion, each mark two bytes, points four bytes beside it.

A portion of n ballots is little-endian: n times how many projects a ballot names (u16), then the
projects of all of them by their place in the file (u16), then the points given to them (u32),
which are left out where every mark counts alike. Whose ballots they are is nowhere in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mvote.budget.pabulib.ballots import Ballot

PORTION = 1_000
"""So many ballots are packed together."""
_PLACE, _POINTS = np.dtype("<u2"), np.dtype("<u4")


class Packer:
    """Packs ballots over *references*; with *points* only where a mark does not say it all."""

    def __init__(self, references: Sequence[str], *, with_points: bool) -> None:
        self._references = tuple(references)
        self._places = {reference: place for place, reference in enumerate(references)}
        self._with_points = with_points

    def portions(self, ballots: Iterable[Ballot]) -> Iterator[tuple[int, bytes]]:
        """All *ballots* in their order: how many, and their bytes."""
        waiting = iter(ballots)
        while portion := list(islice(waiting, PORTION)):
            yield len(portion), self._packed(portion)

    def _packed(self, ballots: Sequence[Ballot]) -> bytes:
        marks = [self._places[mark] for ballot in ballots for mark in ballot.references]
        lengths = [len(ballot.references) for ballot in ballots]
        parts: list[NDArray[Any]] = [
            np.array(lengths, dtype=_PLACE),
            np.array(marks, dtype=_PLACE),
        ]
        if self._with_points:
            points = [each for ballot in ballots for each in ballot.points]
            parts.append(np.array(points, dtype=_POINTS))
        return b"".join(part.tobytes() for part in parts)

    def unpacked(self, count: int, packed: bytes) -> Iterator[Ballot]:
        """The *count* ballots of one portion."""
        lengths = np.frombuffer(packed, dtype=_PLACE, count=count).tolist()
        total, begins = sum(lengths), count * _PLACE.itemsize
        marks = np.frombuffer(packed, dtype=_PLACE, count=total, offset=begins).tolist()
        points = [1] * total
        if self._with_points:
            begins += total * _PLACE.itemsize
            points = np.frombuffer(packed, dtype=_POINTS, count=total, offset=begins).tolist()
        at = 0
        for length in lengths:
            named = tuple(self._references[place] for place in marks[at : at + length])
            yield Ballot(named, tuple(points[at : at + length]))
            at += length
