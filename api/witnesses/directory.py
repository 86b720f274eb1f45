"""A witness that looks into a directory, such as a mount of somebody else's.

Beside the newest checkpoint lie, for each witness by the hash of its key: what would be sent to it
over HTTP (`.request`), and what it has cosigned last (`.cosigned`), which it writes itself.
"""

from __future__ import annotations

from pathlib import Path

from mvote.ballotbox.durably import write_over
from mvote.ballotbox.notes import LARGEST_NOTE, Verifier
from mvote.ballotbox.witnessing import Answer, Offer, WitnessFault

CHECKPOINT = "checkpoint"
FOR_ALL = 0o644
"""The witness is somebody else, and reads what we write."""


class DirectoryWitness:
    """A witness that reads *folder* now and then. The folder must be there."""

    readable = True
    every_s = 1.0

    def __init__(self, verifier: Verifier, folder: Path) -> None:
        self.verifier = verifier
        self._folder = folder
        self._request = f"{verifier.key_hash.hex()}.request"
        self._cosigned = f"{verifier.key_hash.hex()}.cosigned"

    @property
    def written(self) -> tuple[str, str]:
        """The names of the files that an offer writes."""
        return self._request, CHECKPOINT

    def look(self) -> Answer:
        try:
            if not self._folder.is_dir():
                raise WitnessFault(f"no such directory: {self._folder}")
            found = [self._read(name) for name in (CHECKPOINT, self._cosigned)]
        except (OSError, UnicodeDecodeError) as error:
            raise WitnessFault(f"cannot be read: {error}") from None
        return Answer(notes=tuple(note for note in found if note is not None))

    def offer(self, offer: Offer) -> Answer:
        try:
            write_over(self._folder / self._request, offer.body, mode=FOR_ALL)
            write_over(self._folder / CHECKPOINT, offer.note.encode(), mode=FOR_ALL)
        except OSError as error:
            raise WitnessFault(f"cannot be written: {error}") from None
        return Answer()

    def _read(self, name: str) -> str | None:
        try:
            with (self._folder / name).open("rb") as file:
                content = file.read(LARGEST_NOTE + 1)
        except FileNotFoundError:
            return None
        return content.decode()
