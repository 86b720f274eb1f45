"""XLSX (ECMA-376), row by row in bounded memory and time; a formula is never worked out."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from mvote.polls.rolls.breathing import Breathe
from mvote.polls.rolls.cells import Sheet
from mvote.polls.rolls.errors import RollUnreadable
from mvote.polls.rolls.xlsx_parts import Budget, elements
from mvote.polls.rolls.xlsx_rows import read_rows
from mvote.polls.rolls.xlsx_strings import read_strings

OLE = b"\xd0\xcf\x11\xe0"
"""How files of Excel before 2007 begin, and those that a password locks."""
END_OF_FOLDER, END_BYTES, LONGEST_COMMENT = b"PK\x05\x06", 22, 2**16
LOCATOR, LOCATOR_BYTES = b"PK\x06\x07", 20
LARGE_END, LARGE_END_BYTES = b"PK\x06\x06", 56
"""Where they precede the end record, its figures are not those that count (ZIP64)."""
MOST_PARTS, LONGEST_FOLDER = 2_000, 2**20
WORKBOOK, RELATIONS, STRINGS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "sharedStrings"


class XlsxTable:
    """A workbook. Raises RollUnreadable for what is none, or is more than a roll can need."""

    kind = "xlsx"

    def __init__(self, file: BinaryIO, breathe: Breathe) -> None:
        _check_folder(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise RollUnreadable("not_xlsx") from None
        self._budget = Budget(breathe)
        self._targets, self._strings_at = self._relations()
        self._sheets = self._shown_and_hidden()
        self._strings: list[str] | None = None

    def names(self) -> list[str]:
        return [name for name, (_, is_shown) in self._sheets.items() if is_shown]

    def sheet(self, name: str | None) -> Sheet:
        if name is None or name not in self._sheets:
            raise RollUnreadable("no_such_sheet", sheet=name, sheets=self.names())
        if self._strings is None:
            self._strings = list(self._read_strings())
        sheet = Sheet(name=name, rows=iter(()))
        pieces = self._budget.pieces(self._zip, self._sheets[name][0])
        sheet.rows = read_rows(pieces, self._budget, self._strings, sheet.merged)
        return sheet

    def _read_strings(self) -> Iterator[str]:
        if self._strings_at and self._strings_at in self._zip.NameToInfo:
            pieces = self._budget.pieces(self._zip, self._strings_at)
            yield from read_strings(pieces, self._budget)

    def _relations(self) -> tuple[dict[str, str], str | None]:
        """Where each relation of the workbook leads to, and where its strings are."""
        targets: dict[str, str] = {}
        strings = None
        for name, said in elements(self._budget.pieces(self._zip, RELATIONS), self._budget):
            if name != "Relationship":
                continue
            target = posixpath.normpath(posixpath.join("/xl", said.get("Target", "")))[1:]
            targets[said.get("Id", "")] = target
            if said.get("Type", "").endswith("/" + STRINGS):
                strings = target
        return targets, strings

    def _shown_and_hidden(self) -> dict[str, tuple[str, bool]]:
        """Of each sheet the part that holds it, which no two share, and whether it is shown."""
        found: dict[str, tuple[str, bool]] = {}
        left = set(self._zip.NameToInfo)
        for name, said in elements(self._budget.pieces(self._zip, WORKBOOK), self._budget):
            target = self._targets.get(said.get("id", ""), "")
            if name == "sheet" and target in left:
                left.remove(target)
                found[said.get("name", "")] = target, said.get("state", "visible") == "visible"
        if not found:
            raise RollUnreadable("not_xlsx")
        return found


def _check_folder(file: BinaryIO) -> None:
    """Refuse what is no ZIP file, or one whose folder alone would take much memory to read."""
    size = file.seek(0, 2)
    file.seek(0)
    if file.read(len(OLE)) == OLE:
        raise RollUnreadable("old_or_locked")
    begins = max(0, size - LONGEST_COMMENT - END_BYTES - LOCATOR_BYTES - LARGE_END_BYTES)
    file.seek(begins)
    tail = file.read()
    end = tail.rfind(END_OF_FOLDER)
    if end < 0 or len(tail) < end + END_BYTES:
        raise RollUnreadable("not_xlsx")
    parts, folder = _figure(tail, end + 10, 2), _figure(tail, end + 12, 4)
    locator = end - LOCATOR_BYTES
    if locator >= 0 and tail.startswith(LOCATOR, locator):
        parts, folder = _large_figures(tail, locator, begins)
    if parts > MOST_PARTS or folder > LONGEST_FOLDER:
        raise RollUnreadable("too_much")
    file.seek(0)


def _large_figures(tail: bytes, locator: int, begins: int) -> tuple[int, int]:
    """The figures of a ZIP64 file, which must stand where everybody looks for them."""
    end = locator - LARGE_END_BYTES
    if (
        end < 0
        or not tail.startswith(LARGE_END, end)
        or _figure(tail, end + 4, 8) != LARGE_END_BYTES - 12
        or _figure(tail, locator + 8, 8) != begins + end
    ):
        raise RollUnreadable("not_xlsx")
    return _figure(tail, end + 32, 8), _figure(tail, end + 40, 8)


def _figure(content: bytes, place: int, size: int) -> int:
    return int.from_bytes(content[place : place + size], "little")
