"""Reading a roll: from a file to numbers, and a report of every row that was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import BinaryIO, Literal, NamedTuple, TypeAlias

from mvote.polls.rolls.breathing import BREATH, Breathe, no_breath
from mvote.polls.rolls.cells import Row, Sheet, Table, letters
from mvote.polls.rolls.columns import SAMPLE, Column, find_column, seen, shown
from mvote.polls.rolls.csv_table import CsvTable
from mvote.polls.rolls.errors import RollUnreadable
from mvote.polls.rolls.numbers import Numbers
from mvote.polls.rolls.xlsx_table import XlsxTable

Kind: TypeAlias = Literal["csv", "xlsx"]
TABLES: Mapping[Kind, type[CsvTable | XlsxTable]] = {"csv": CsvTable, "xlsx": XlsxTable}
MOST_REJECTED_SHOWN = 1_000
MOST_SHEETS = 50
"""So many are looked through; another one is read if it is named."""


class Rejected(NamedTuple):
    """A row that was left out. Its number is not repeated: whoever sent the file has it."""

    row: int
    column: str
    reason: str


@dataclass
class Report:
    """What was found in a file. Filled in while its numbers are taken."""

    #: the encoding of a CSV file, else `xlsx`
    kind: str
    sheet: str | None
    sheets: list[str]
    column: str
    heading: str | None
    #: rows that hold anything, below the headings
    rows: int = 0
    accepted: int = 0
    #: rows whose number stood in an earlier one
    duplicates: int = 0
    #: rows that the spreadsheet hides; they are read like all others
    hidden: int = 0
    #: the first MOST_REJECTED_SHOWN of them
    rejected: list[Rejected] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def rejected_total(self) -> int:
        return self.reasons.total()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the organiser says of a file, if anything: which sheet, which column."""

    sheet: str | None = None
    column: str | None = None


ANY = Choice()


class Reading:
    """One file, to be read once: iterating gives its numbers (E.164), and fills in the report."""

    def __init__(
        self,
        file: BinaryIO,
        kind: Kind,
        *,
        region: str,
        choice: Choice = ANY,
        breathe: Breathe = no_breath,
    ) -> None:
        self._numbers, self._breathe = Numbers(region), breathe
        table = TABLES[kind](file, breathe)
        self._sheet, self._first, self._column = self._choose(table, choice)
        self.report = Report(
            kind=table.kind,
            sheet=self._sheet.name,
            sheets=table.names()[:MOST_SHEETS],
            column=letters(self._column.place),
            heading=None if self._column.heading is None else shown(self._column.heading),
        )

    def __iter__(self) -> Iterator[str]:
        """The numbers, those that come twice twice. Raises RollUnreadable."""
        place, report = self._column.place, self.report
        for n, row in enumerate(chain(self._first, self._sheet.rows)):
            if n % BREATH == 0:
                self._breathe()
            if row.number <= self._column.after or not row.cells:
                continue
            report.rows += 1
            report.hidden += row.hidden
            number, reason = self._numbers.read(row.cells.get(place))
            if number is not None:
                yield number
            else:
                self._reject(row.number, reason or "")
        self._tell_merged()

    def _reject(self, row: int, reason: str) -> None:
        report = self.report
        report.reasons[reason] += 1
        if len(report.rejected) < MOST_REJECTED_SHOWN:
            report.rejected.append(Rejected(row, report.column, reason))

    def _tell_merged(self) -> None:
        """Say of empty cells that they are part of merged ones, which a file tells at its end."""
        for n, each in enumerate(self.report.rejected):
            self._breathe()  # there may be many merged cells
            place = self._column.place
            if each.reason == "empty" and self._sheet.is_within_merged(each.row, place):
                self.report.rejected[n] = each._replace(reason="merged_cell")
                self.report.reasons.subtract(["empty"])
                self.report.reasons["merged_cell"] += 1
        self.report.reasons = +self.report.reasons

    def _choose(self, table: Table, choice: Choice) -> tuple[Sheet, list[Row], Column]:
        """The sheet that was named, or the first one with a column of numbers."""
        listed: list[str | None] = [*table.names()[:MOST_SHEETS]]
        names = [choice.sheet] if choice.sheet else listed or [None]
        saw: list[list[str]] = []
        for name in names:
            self._breathe()
            sheet = table.sheet(name)
            first = list(islice(sheet.rows, SAMPLE))
            column = find_column(first, self._numbers, choice.column)
            if column is not None:
                return sheet, first, column
            saw.append(seen(first))
        raise RollUnreadable("no_phone_column", sheets=table.names()[:MOST_SHEETS], saw=saw)
