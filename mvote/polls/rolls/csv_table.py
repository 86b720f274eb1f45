"""CSV as spreadsheets write it in Korea: in several encodings, with several separators."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from mvote.polls.rolls.breathing import Breathe
from mvote.polls.rolls.cells import LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, Row, Sheet
from mvote.polls.rolls.errors import RollUnreadable

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WITHOUT_MARK = ("utf-8", "cp949")
SEPARATORS = ",;\t"
PIECE = 2**16
FIRST_LINES = 20
LONGEST_LINE = 2**20
"""In signs, of a line and of a row. Of one field the csv module takes 131,072."""


class CsvTable:
    """A CSV file (RFC 4180, or with semicolons or tabs), read row by row."""

    def __init__(self, file: BinaryIO, _: Breathe) -> None:  # the file breathes by itself
        self._file = file
        self.kind = _encoding_of(file)
        self._begin, self._separator = _beginning(file, self.kind)

    def names(self) -> list[str]:
        return []

    def sheet(self, name: str | None) -> Sheet:
        if name is not None:
            raise RollUnreadable("no_such_sheet", sheet=name, sheets=[])
        return Sheet(name=None, rows=self._rows())

    def _rows(self) -> Iterator[Row]:
        lines = _LinesOfRow(_lines(self._file, self.kind))
        for _ in range(self._begin):
            next(lines)
        found = csv.reader(lines, delimiter=self._separator, strict=True)
        number = self._begin
        while True:
            number += 1
            lines.begin_row()
            try:
                fields = next(found)
            except StopIteration:
                return
            except csv.Error:
                raise RollUnreadable("broken_csv", row=number) from None
            if number > MOST_ROWS:
                raise RollUnreadable("too_many_rows", most=MOST_ROWS)
            if len(fields) > MOST_COLUMNS:
                raise RollUnreadable("too_many_columns", row=number, most=MOST_COLUMNS)
            kept = {n: text[:LONGEST_CELL] for n, text in enumerate(fields) if text.strip()}
            yield Row(number, kept)


class _LinesOfRow:
    """Lines, of which one row may take no more than LONGEST_LINE signs: a row is whole only when
    its last quote is closed, and until then the csv module keeps all of its fields."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._taken = lines, 0

    def begin_row(self) -> None:
        self._taken = 0

    def __iter__(self) -> _LinesOfRow:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._taken += len(line)
        if self._taken > LONGEST_LINE:
            raise RollUnreadable("too_much")
        return line


def _encoding_of(file: BinaryIO) -> str:
    """The encoding in which all of the file makes sense. Raises RollUnreadable."""
    file.seek(0)
    first = file.read(4)
    for mark, encoding in MARKS:
        if first.startswith(mark):
            candidates: tuple[str, ...] = (encoding,)
            break
    else:
        candidates = WITHOUT_MARK
        if b"\x00" in first:  # ASCII and Hangul in UTF-16, whose mark was left out
            candidates = ("utf-16-le", "utf-16-be") if first[1:2] == b"\x00" else ("utf-16-be",)
    found = next((each for each in candidates if _makes_sense(file, each)), None)
    if found is None:
        raise RollUnreadable("encoding")
    return found


def _makes_sense(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while piece := file.read(PIECE):
            if "\x00" in decoder.decode(piece):
                return False
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The lines of the file with their ends. Raises RollUnreadable if one has no end in sight."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        while line := text.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE:
                raise RollUnreadable("too_much")
            yield line
    finally:
        with suppress(ValueError):  # whoever gave up reading may have closed it
            text.detach()  # the file is not ours to close


def _beginning(file: BinaryIO, encoding: str) -> tuple[int, str]:
    """How many lines to skip, and the separator: what `sep=` says, or what is there most often."""
    found: list[str] = []
    for line in _lines(file, encoding):
        if line.lower().startswith("sep=") and not found:
            said = line[4:5]
            return 1, said if said and said in SEPARATORS else ","
        found.append(line)
        if len(found) >= FIRST_LINES:
            break
    if not "".join(found).strip():
        raise RollUnreadable("empty")
    counts = {each: sum(line.count(each) for line in found) for each in SEPARATORS}
    return 0, max(SEPARATORS, key=lambda each: counts[each])
