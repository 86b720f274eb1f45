"""Reading a large file in a process that has others to serve."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO, cast

Breathe = Callable[[], None]
"""Lets other requests of the same process go on."""
PIECE = 2**13
BREATH = 200
"""After so many rows another breath is drawn."""


def no_breath() -> None:
    """Of a process that has nobody else to serve."""


class Breathing(io.RawIOBase):
    """A file that draws breath each time it is read: whoever works through it needs not think
    of it. Closing it leaves the file below open."""

    def __init__(self, file: BinaryIO, breathe: Breathe) -> None:
        super().__init__()
        self._file, self._breathe = file, breathe

    @classmethod
    def of(cls, file: BinaryIO, breathe: Breathe) -> BinaryIO:
        """*file*, read by the piece."""
        return cast("BinaryIO", io.BufferedReader(cls(file, breathe), PIECE))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        self._breathe()
        piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
