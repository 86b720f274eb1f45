"""The keys of one poll: V (roll), R (request), L (link). Never one key for two uses."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from mvote.ballotbox.keystore import Holder, KeyMissing, Keystore

KEY_BYTES = 32
KEPT_SECONDS = 60.0
KEPT_POLLS = 20_000
HANDED_TO: dict[str, Holder | None] = {"V": "auditor", "R": None, "L": "shuffler"}


def key_name(poll_id: uuid.UUID, letter: str) -> str:
    """The name of a poll's key in every holder's keystore."""
    return f"poll/{poll_id.hex}/{letter}"


@dataclass(frozen=True, kw_only=True, repr=False)
class PollKeys:
    """The three keys as the api holds them. R and L are None once destroyed."""

    V: bytes
    R: bytes | None
    L: bytes | None


def make_poll_keys(keystore: Keystore, poll_id: uuid.UUID) -> None:
    """Make V, R and L when a poll is frozen; hand L to the shuffler and V to the auditor.

    Safe to repeat after a failed opening: a key that is there stays.
    """
    for letter, other in HANDED_TO.items():
        name = key_name(poll_id, letter)
        with suppress(FileExistsError):
            keystore.put(name, os.urandom(KEY_BYTES))
        if other:
            with suppress(FileExistsError):
                keystore.hand_over(other, name, keystore.get(name))


@dataclass
class PollKeyring:
    """Poll keys as the api reads them, remembered for a minute: so long one survives its end."""

    keystore: Keystore
    clock: Callable[[], float] = time.monotonic
    _kept: dict[uuid.UUID, tuple[float, PollKeys]] = field(default_factory=dict, repr=False)

    def of(self, poll_id: uuid.UUID, *, remember: bool = True) -> PollKeys | None:
        """The keys of a poll; None if its roll key was never made or is destroyed."""
        kept = self._kept.get(poll_id)
        if kept and self.clock() < kept[0]:
            return kept[1]
        keys = self._read(poll_id)
        if len(self._kept) >= KEPT_POLLS:
            self._kept.clear()
        if keys and remember:
            self._kept[poll_id] = (self.clock() + KEPT_SECONDS, keys)
        return keys

    def forget(self, poll_id: uuid.UUID) -> None:
        """Drop what is remembered of a poll."""
        self._kept.pop(poll_id, None)

    def _read(self, poll_id: uuid.UUID) -> PollKeys | None:
        roll_key = self._one(poll_id, "V")
        if roll_key is None:
            return None
        return PollKeys(V=roll_key, R=self._one(poll_id, "R"), L=self._one(poll_id, "L"))

    def _one(self, poll_id: uuid.UUID, letter: str) -> bytes | None:
        try:
            return self.keystore.get(key_name(poll_id, letter))
        except KeyMissing:
            return None
