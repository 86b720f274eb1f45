"""The rows of a .pb file, one after another, with the line where each begins."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from mvote.budget.pabulib.errors import BrokenPbFile
from mvote.wording import say

MOST_BYTES = 64 * 2**20
LONGEST_LINE = 2**20
BYTE_ORDER_MARK = "\ufeff"


class Row(NamedTuple):
    """`line` counts from 1; the cells have no space around them."""

    line: int
    cells: list[str]


def rows_of(stream: BinaryIO) -> Iterator[Row]:
    """Every row that is not empty. Raises BrokenPbFile for what is no text, or too large."""
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=";")
    while True:
        begins = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BrokenPbFile(begins, say("not a row of a table: {error}", error=error)) from None
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield Row(begins, stripped)


class _Lines:
    """The stream's lines as text; counts what it has read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._line = 0
        self._bytes = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        self._line += 1
        raw = self._stream.readline(LONGEST_LINE + 1)
        self._bytes += len(raw)
        if not raw:
            raise StopIteration
        if len(raw) > LONGEST_LINE:
            raise BrokenPbFile(
                self._line,
                say("the row is longer than {longest_line} bytes", longest_line=LONGEST_LINE),
            )
        if self._bytes > MOST_BYTES:
            raise BrokenPbFile(
                self._line, say("the file is larger than {value} MiB", value=MOST_BYTES // 2**20)
            )
        return self._text(raw)

    def _text(self, raw: bytes) -> str:
        if b"\0" in raw:
            raise BrokenPbFile(self._line, say("there is a NUL in the row"))
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            problem = say("byte {number} of the row is not UTF-8", number=error.start + 1)
            raise BrokenPbFile(self._line, problem) from None
        return text.removeprefix(BYTE_ORDER_MARK) if self._line == 1 else text
