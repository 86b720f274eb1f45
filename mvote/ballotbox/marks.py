"""The mark: the last checkpoint of the city that we signed, in a file outside the database.

It is written before the signature leaves the process, so a database that was restored to an
earlier state is known by what it lacks.
"""

from __future__ import annotations

import logging
from pathlib import Path

from mvote.ballotbox.checkpoints import LogState, read_checkpoint
from mvote.ballotbox.durably import write_over
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
    write_over(path, note.encode())
