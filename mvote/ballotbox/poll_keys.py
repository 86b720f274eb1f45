"""The keys of one poll: V (roll), R (request), L (link). Never one key for two uses."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from mvote.ballotbox.keystore import Holder, KeyMissing, Keystore

KEY_BYTES = 32
KEPT_SECONDS = 60.0
FORGOTTEN_AT_ONCE = 2
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
    """Poll keys as the api reads them, remembered for a minute: so long one is used after its end.

    Then is looked whether the keystore still has them, which costs a tenth of reading them again.
    What nobody asked for in two minutes is forgotten when another poll's keys are wanted.
    """

    keystore: Keystore
    clock: Callable[[], float] = time.monotonic
    #: by when they were looked for last, the longest ago first
    _kept: dict[uuid.UUID, tuple[float, PollKeys]] = field(default_factory=dict, repr=False)

    def of(self, poll_id: uuid.UUID, *, remember: bool = True) -> PollKeys | None:
        """The keys of a poll; None if its roll key was never made or is destroyed."""
        now = self.clock()
        seen_at, kept = self._kept.get(poll_id, (now, None))
        if kept and now < seen_at + KEPT_SECONDS:
            return kept
        keys = kept if kept and self._stand(poll_id, kept) else self._read(poll_id)
        self._kept.pop(poll_id, None)
        if keys and remember:
            self._kept[poll_id] = (now, keys)
        self._forget_old(now)
        return keys

    def forget(self, poll_id: uuid.UUID) -> None:
        """Drop what is remembered of a poll."""
        self._kept.pop(poll_id, None)

    def _forget_old(self, now: float) -> None:
        for poll_id, (seen_at, _) in list(islice(self._kept.items(), FORGOTTEN_AT_ONCE)):
            if now > seen_at + 2 * KEPT_SECONDS:
                del self._kept[poll_id]

    def _stand(self, poll_id: uuid.UUID, kept: PollKeys) -> bool:
        """Whether the keystore has just those keys: under a name there is ever one key only."""
        return all(
            self.keystore.has(key_name(poll_id, letter)) == (getattr(kept, letter) is not None)
            for letter in HANDED_TO
        )

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
