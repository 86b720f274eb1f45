"""The parts of an XLSX file as XML, piece by piece: no tree, no entities, and an end to it all.

The parser is expat, of the standard library. A document type is refused before anything could be
declared in it, so that nothing can expand; nothing is kept of what goes by but what is asked for.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import TypeAlias
from xml.parsers import expat

from mvote.polls.rolls.breathing import Breathe
from mvote.polls.rolls.errors import RollUnreadable

PIECE = 2**16
MOST_BYTES = 512 * 2**20
"""Of all parts that are read, unpacked."""
SMALL, MOST_PACKED = 2**20, 300
"""Beyond the first size no part is packed to less than a 300th, but for bombs."""
MOST_ELEMENTS = 25_000_000
DEEPEST = 64
MOST_NAMES, MOST_ATTRIBUTES = 1_000, 200
"""Different names of elements and attributes in a part, which expat keeps to its end; and
attributes of one element. Excel uses a few dozen of either."""
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""As Office packs; other ways unpack far more at once than was asked for."""
LONGEST_TOKEN = 2**20
"""A tag, with all its attributes, is kept until it ends."""
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError)
"""A damaged part, one that is not there, packed in a strange way, or locked."""

Start: TypeAlias = Callable[[str, dict[str, str]], None]
End: TypeAlias = Callable[[str], None]
Text: TypeAlias = Callable[[str], None]


class Budget:
    """What reading one file may take in all. Raises RollUnreadable when it is used up."""

    def __init__(self, breathe: Breathe) -> None:
        self._bytes, self._elements = MOST_BYTES, MOST_ELEMENTS
        self._breathe = breathe

    def pieces(self, archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
        """A part, unpacked as it is asked for."""
        try:
            self._check(archive.getinfo(part))
            with archive.open(part) as opened:
                while piece := opened.read(PIECE):
                    self._breathe()
                    self._bytes -= len(piece)
                    if self._bytes < 0:
                        raise RollUnreadable("too_much")
                    yield piece
        except BROKEN:
            raise RollUnreadable("not_xlsx") from None

    def _check(self, part: zipfile.ZipInfo) -> None:
        """Refuse a part that says itself that it is too large, or is packed like nothing real."""
        if part.compress_type not in PACKED:
            raise RollUnreadable("not_xlsx")
        is_bomb = part.file_size > SMALL and part.file_size > MOST_PACKED * part.compress_size
        if part.file_size > self._bytes or is_bomb:
            raise RollUnreadable("too_much")

    def element(self) -> None:
        """Count one element."""
        self._elements -= 1
        if self._elements < 0:
            raise RollUnreadable("too_much")


def local(name: str) -> str:
    """A name without the prefix of its namespace; in SpreadsheetML no two differ in it alone."""
    return name.rpartition(":")[2]


def parse(
    pieces: Iterator[bytes], budget: Budget, *, start: Start, end: End, text: Text
) -> Iterator[None]:
    """Tell of what is in the *pieces* by calling back; gives control back after each of them."""
    names: dict[str, str] = {}
    parser = expat.ParserCreate(intern=names)
    parser.buffer_text = True
    depth = 0

    def started(name: str, said: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        budget.element()
        if depth > DEEPEST or len(said) > MOST_ATTRIBUTES:
            raise RollUnreadable("too_much")
        start(local(name), said)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(local(name))

    def refuse(*_: object) -> None:
        raise RollUnreadable("too_much")

    parser.StartElementHandler, parser.EndElementHandler = started, ended
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    fed = 0
    try:
        for piece in pieces:
            parser.Parse(piece)
            fed += len(piece)
            if fed - parser.CurrentByteIndex > LONGEST_TOKEN or len(names) > MOST_NAMES:
                raise RollUnreadable("too_much")
            yield
        parser.Parse(b"", True)  # noqa: FBT003 - of the library
    except expat.ExpatError:
        raise RollUnreadable("not_xlsx") from None
    yield


def elements(pieces: Iterator[bytes], budget: Budget) -> Iterator[tuple[str, dict[str, str]]]:
    """The elements of a small part with their attributes, without the prefixes of these."""
    found: list[tuple[str, dict[str, str]]] = []

    def start(name: str, said: dict[str, str]) -> None:
        if len(found) > MOST_ELEMENTS_OF_A_SMALL_PART:
            raise RollUnreadable("too_much")
        found.append((name, {local(key): value for key, value in said.items()}))

    for _ in parse(pieces, budget, start=start, end=_ignore, text=_ignore):
        pass
    yield from found


MOST_ELEMENTS_OF_A_SMALL_PART = 10_000


def _ignore(_: str) -> None:
    return
