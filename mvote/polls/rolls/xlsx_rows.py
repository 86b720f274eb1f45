"""The rows of one sheet of an XLSX file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from mvote.polls.rolls.cells import (
    LONGEST_CELL,
    MOST_COLUMNS,
    MOST_ROWS,
    Cell,
    NoValue,
    Row,
    place_of,
)
from mvote.polls.rolls.errors import RollUnreadable
from mvote.polls.rolls.xlsx_parts import Budget, parse

REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
MOST_MERGED = 10_000
LARGEST_EXPONENT, SMALLEST_EXPONENT = 30, -100

Merged = list[tuple[int, int, int, int]]


def read_rows(
    pieces: Iterator[bytes], budget: Budget, strings: Sequence[str], merged: Merged
) -> Iterator[Row]:
    """The rows in order; *merged* is filled in when the last of them was read."""
    reader = _Rows(strings, merged)
    for _ in parse(pieces, budget, start=reader.start, end=reader.end, text=reader.text):
        found, reader.found = reader.found, []
        yield from found


class _Rows:
    def __init__(self, strings: Sequence[str], merged: Merged) -> None:
        self.found: list[Row] = []
        self._strings, self._merged = strings, merged
        self._number, self._column, self._count = 0, -1, 0
        self._cells: dict[int, Cell] = {}
        self._is_hidden = False
        self._kind, self._value = "n", ""
        self._has_formula = self._reads = False

    def start(self, name: str, said: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(said)
        elif name in ("v", "t"):
            self._reads = True
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            self._begin_row(said)
        elif name == "mergeCell":
            self._merge(said.get("ref", ""))

    def text(self, piece: str) -> None:
        if self._reads and len(self._value) < LONGEST_CELL:
            self._value = (self._value + piece)[:LONGEST_CELL]

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._reads = False
        elif name == "c":
            cell = self._cell()
            if cell:
                self._cells[self._column] = cell
        elif name == "row":
            self.found.append(Row(self._number, self._cells, self._is_hidden))

    def _begin_row(self, said: dict[str, str]) -> None:
        number = said.get("r", "")
        self._number = int(number) if number.isdecimal() and len(number) < 8 else self._number + 1
        self._count += 1  # whatever numbers they say that they have
        if max(self._number, self._count) > MOST_ROWS:
            raise RollUnreadable("too_many_rows", most=MOST_ROWS)
        self._cells, self._column = {}, -1
        self._is_hidden = said.get("hidden") in ("1", "true")

    def _begin_cell(self, said: dict[str, str]) -> None:
        place = REFERENCE.fullmatch(said.get("r", ""))
        self._column = place_of(place[1]) if place else self._column + 1
        if self._column >= MOST_COLUMNS:
            raise RollUnreadable("too_many_columns", row=self._number, most=MOST_COLUMNS)
        self._kind, self._value = said.get("t", "n"), ""
        self._has_formula = False

    def _cell(self) -> Cell | None:
        if not self._value:
            return NoValue("formula") if self._has_formula else None
        if self._kind == "e":
            return NoValue("error_value")
        if self._kind == "s":
            return self._shared()
        return _written_out(self._value) if self._kind == "n" else self._value

    def _shared(self) -> str:
        place = self._value
        if not (place.isdecimal() and len(place) < 8 and int(place) < len(self._strings)):
            raise RollUnreadable("not_xlsx")
        return self._strings[int(place)]

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        begin, end = REFERENCE.fullmatch(first), REFERENCE.fullmatch(last)
        if not (begin and end):
            return
        if len(self._merged) >= MOST_MERGED:
            raise RollUnreadable("too_much")
        self._merged.append((int(begin[2]), int(end[2]), place_of(begin[1]), place_of(end[1])))


def _written_out(value: str) -> str:
    """A number of Excel without an exponent: it is stored with all its digits."""
    if value.isdecimal():
        return value
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if not number:
        return "0"
    return format(number, "f")[:LONGEST_CELL] if _is_whole(number) else value


def _is_whole(number: Decimal) -> bool:
    """Whether it is a whole number that is written out in few digits."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):  # of what is no number, or has no end
        return False
    is_short = exponent >= SMALLEST_EXPONENT and number.adjusted() <= LARGEST_EXPONENT
    return is_short and number == number.to_integral_value()
