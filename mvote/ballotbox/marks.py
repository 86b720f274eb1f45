"""The mark: the last checkpoint of the city that we signed, in a file outside the database.

It is written before the signature leaves the process, so a database that was restored to an
earlier state is known by what it lacks.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from mvote.ballotbox.checkpoints import LogState, read_checkpoint
from mvote.ballotbox.notes import MalformedNote

NAME = "city-checkpoint"
log = logging.getLogger("mvote.signing")


class MarkUnreadable(ValueError):
    """The mark is there, but is no checkpoint: nobody can say any more what was signed."""


class MarkFile:
    """The mark as a file beside the shuffler's keys, and another beside their second copy."""

    def __init__(self, path: Path, copy: Path | None = None) -> None:
        self._path, self._copy = path, copy

    def read(self) -> LogState | None:
        """What was signed last; None if nothing ever was. Raises MarkUnreadable or OSError."""
        found = [_read(path) for path in (self._path, self._copy) if path]
        return max(filter(None, found), key=lambda state: state.size, default=None)

    def write(self, note: str) -> None:
        """Put *note* in the place of what was there, durably, or raise OSError and leave that.

        A second copy that is out of reach is said aloud, and stops nothing.
        """
        _write(self._path, note)
        if self._copy:
            try:
                _write(self._copy, note)
            except OSError as error:
                log.warning("mark not copied", extra={"reason": str(error)})


def _read(path: Path) -> LogState | None:
    try:
        return read_checkpoint(path.read_bytes())
    except FileNotFoundError:
        return None
    except MalformedNote as error:
        raise MarkUnreadable(f"{path}: {error}") from None


def _write(path: Path, note: str) -> None:
    path.parent.mkdir(exist_ok=True, mode=0o700)  # the keystore itself must be there
    replace_durably(path, note.encode(), mode=0o600)


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
