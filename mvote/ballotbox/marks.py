"""The mark: the last checkpoint of the city that we signed, in a file outside the database.

It is written before the signature leaves the process, so a database that was restored to an
earlier state is known by what it lacks.
"""

from __future__ import annotations

import os
from pathlib import Path

from mvote.ballotbox.checkpoints import LogState, read_checkpoint
from mvote.ballotbox.notes import MalformedNote

NAME = "city-checkpoint"


class MarkUnreadable(ValueError):
    """The mark is there, but is no checkpoint: nobody can say any more what was signed."""


class MarkFile:
    """The mark as a file in the shuffler's own folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> LogState | None:
        """What was signed last; None if nothing ever was. Raises MarkUnreadable or OSError."""
        try:
            return read_checkpoint(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except MalformedNote as error:
            raise MarkUnreadable(f"{self._path}: {error}") from None

    def write(self, note: str) -> None:
        """Put *note* in the place of what was there, durably, or raise OSError and leave that."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_durably(self._path, note.encode(), mode=0o600)


def replace_durably(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write *path* whole and durably; readers see what was there before or all of *content*."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
