"""Broken rows of one file: as many of them named at once as somebody can mend in a go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter

from mvote.budget.pabulib.errors import BrokenPbFile
from mvote.budget.pabulib.rows import Row

MOST_NAMED = 100


class Faults:
    """What is broken so far, in any order; told in that of the file."""

    def __init__(self) -> None:
        self._found: list[BrokenPbFile] = []

    def note(self, broken: BrokenPbFile) -> None:
        """Keep it, to go on reading. Raises BrokenPbFile once so many are kept as are named."""
        self._found.append(broken)
        if len(self._found) == MOST_NAMED:
            raise self._all(more=True) from None

    def along(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The *rows*; raises BrokenPbFile with all there is where the file itself is broken."""
        try:
            for row in rows:  # noqa: UP028  # `yield from` would close *rows* with this walk
                yield row
        except BrokenPbFile as broken:
            self.note(broken)
            self.check()

    def tried(self, read: Callable[[], object]) -> None:
        """Note what *read* finds broken."""
        try:
            read()
        except BrokenPbFile as broken:
            self.note(broken)

    def check(self) -> None:
        """Raise BrokenPbFile with all that is kept, if anything is."""
        if self._found:
            raise self._all(more=False) from None

    def _all(self, *, more: bool) -> BrokenPbFile:
        first, *others = sorted(self._found, key=attrgetter("row"))
        return BrokenPbFile(first.row, first.problem, *others, more=more)
