"""XLSX (ECMA-376), row by row in bounded memory and time; a formula is never worked out."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from mvote.polls.rolls.cells import Sheet
from mvote.polls.rolls.errors import RollUnreadable
from mvote.polls.rolls.xlsx_parts import Budget, elements
from mvote.polls.rolls.xlsx_rows import read_rows
from mvote.polls.rolls.xlsx_strings import read_strings

OLE = b"\xd0\xcf\x11\xe0"
"""How files of Excel before 2007 begin, and those that a password locks."""
END_OF_FOLDER, END_BYTES, LONGEST_COMMENT = b"PK\x05\x06", 22, 2**16
MOST_PARTS, LONGEST_FOLDER = 2_000, 2**20
WORKBOOK, RELATIONS, STRINGS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "sharedStrings"


class XlsxTable:
    """A workbook. Raises RollUnreadable for what is none, or is more than a roll can need."""

    kind = "xlsx"

    def __init__(self, file: BinaryIO) -> None:
        _check_folder(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise RollUnreadable("not_xlsx") from None
        self._budget = Budget()
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
        """Of each sheet the part that holds it, and whether it is shown."""
        found: dict[str, tuple[str, bool]] = {}
        for name, said in elements(self._budget.pieces(self._zip, WORKBOOK), self._budget):
            target = self._targets.get(said.get("id", ""), "")
            if name == "sheet" and target in self._zip.NameToInfo:
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
    file.seek(max(0, size - LONGEST_COMMENT - END_BYTES))
    tail = file.read()
    end = tail.rfind(END_OF_FOLDER)
    if end < 0 or len(tail) < end + END_BYTES:
        raise RollUnreadable("not_xlsx")
    parts = int.from_bytes(tail[end + 10 : end + 12], "little")
    folder = int.from_bytes(tail[end + 12 : end + 16], "little")
    if parts > MOST_PARTS or folder > LONGEST_FOLDER:
        raise RollUnreadable("too_much")
    file.seek(0)
