"""Rows of a table as a file has them, whatever kind of file it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

MOST_ROWS = 1_048_576
"""As many as a sheet of Excel has."""
MOST_COLUMNS = 1_024
LONGEST_CELL = 100
"""Of a cell so many characters are kept: numbers and headings are shorter."""

Broken: TypeAlias = Literal["formula", "error_value"]


@dataclass(frozen=True, slots=True)
class NoValue:
    """A cell without a value that can be read: a formula never worked out, or an error."""

    reason: Broken


Cell: TypeAlias = str | NoValue


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as a spreadsheet shows it, and its cells that are not empty."""

    number: int
    cells: Mapping[int, Cell]
    hidden: bool = False


@dataclass
class Sheet:
    """The rows of one table, to be read once; *merged* is known when they have been read."""

    name: str | None
    rows: Iterator[Row]
    #: first and last row, first and last column of cells that were made one
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)

    def is_within_merged(self, row: int, column: int) -> bool:
        """Whether a cell lies within merged ones, whose value stands in the first of them."""
        return any(
            top <= row <= bottom and left <= column <= right
            for top, bottom, left, right in self.merged
        )


class Table(Protocol):
    """A file of one or more sheets."""

    #: what was found out about the file: the encoding of a CSV file, else `xlsx`
    kind: str

    def names(self) -> list[str]:
        """The names of its sheets that are shown, in order; none of a CSV file."""

    def sheet(self, name: str | None) -> Sheet:
        """A sheet by its name, the only one of a CSV file by None. Raises RollUnreadable."""


def letters(column: int) -> str:
    """The name of a column (from 0) as spreadsheets show it: A, B … Z, AA."""
    name, left = "", column + 1
    while left:
        left, place = divmod(left - 1, 26)
        name = chr(ord("A") + place) + name
    return name


def place_of(name: str) -> int:
    """The column (from 0) of a name such as `AB`, which is letters alone."""
    column = 0
    for letter in name:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1
