"""The strings that the cells of an XLSX file share."""

from __future__ import annotations

from collections.abc import Iterator

from mvote.polls.rolls.cells import LONGEST_CELL
from mvote.polls.rolls.errors import RollUnreadable
from mvote.polls.rolls.xlsx_parts import Budget, parse

MOST_STRINGS = 2_500_000
MOST_SIGNS = 50_000_000


def read_strings(pieces: Iterator[bytes], budget: Budget) -> Iterator[str]:
    """Each string, cut to LONGEST_CELL; how it is pronounced (`rPh`) is no part of it."""
    reader = _Strings()
    for _ in parse(pieces, budget, start=reader.start, end=reader.end, text=reader.text):
        found, reader.found = reader.found, []
        yield from found


class _Strings:
    def __init__(self) -> None:
        self.found: list[str] = []
        self._said = ""
        self._is_text = self._is_spoken = False
        self._strings, self._signs = MOST_STRINGS, MOST_SIGNS

    def start(self, name: str, _: dict[str, str]) -> None:
        if name == "si":
            self._said = ""
        elif name == "rPh":
            self._is_spoken = True
        self._is_text = name == "t" and not self._is_spoken

    def text(self, piece: str) -> None:
        if self._is_text and len(self._said) < LONGEST_CELL:
            self._said = (self._said + piece)[:LONGEST_CELL]

    def end(self, name: str) -> None:
        self._is_text = False
        if name == "rPh":
            self._is_spoken = False
        elif name == "si":
            self._strings -= 1
            self._signs -= len(self._said)
            if self._strings < 0 or self._signs < 0:
                raise RollUnreadable("too_much")
            self.found.append(self._said)
