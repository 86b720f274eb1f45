"""What the city asks of a witness: to look at each new checkpoint, and to sign that it did.

Adapters to real witnesses (HTTP, git, a directory) lie in `api/witnesses/`. They may be slow or
broken in any way; what they bring is checked here, with the key that was pinned for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mvote.ballotbox.notes import Verifier, encoded64


class WitnessFault(Exception):
    """The witness could not be asked, or answered with something else; the message says what."""


class WitnessContradicts(WitnessFault):
    """The witness has cosigned another history of the log than the one that was offered."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A signed checkpoint of *size* entries, with the proof that it extends the *old* first ones.

    *body* is the request of c2sp.org/tlog-witness, `add-checkpoint`.
    """

    note: str
    size: int
    old: int
    proof: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        steps = "".join(f"{encoded64(step)}\n" for step in self.proof)
        return f"old {self.old}\n{steps}\n{self.note}".encode()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a witness has to say: signed notes of this log that it holds, cosigned or not.

    *holds* is the size of the newest one that it has cosigned, where it says no more than that.
    """

    notes: tuple[str, ...] = ()
    holds: int | None = None


class Witness(Protocol):
    """Somebody who remembers the city's log, and cosigns what extends it."""

    verifier: Verifier
    #: what it holds can be read before anything is offered
    readable: bool
    #: seconds between two visits
    every_s: float

    def look(self) -> Answer:
        """What it holds now. Raises WitnessFault."""

    def offer(self, offer: Offer) -> Answer:
        """Give it a new checkpoint. Raises WitnessFault or WitnessContradicts."""
