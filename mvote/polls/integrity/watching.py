"""Watching positions without slowing casting: noted in memory, written together a little later.

No coordinate gets as far as here into the queue: what is noted is a keyed hash of it, and a cell of
some ten kilometres. When more comes than is written, what is too much is dropped and counted:
nobody waits for it, and no ballot depends on it.
"""

from __future__ import annotations

import datetime as dt
import hmac
import logging
import struct
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from mvote.base import utc_now
from mvote.polls.integrity.cells import Fix, cell_of
from mvote.polls.integrity.checking import Integrity
from mvote.polls.integrity.day_keys import DayKeys
from mvote.polls.integrity.flags import Kind
from mvote.polls.presence import AHEAD, OLDEST, Position

MOST = 10_000
TOGETHER = 500
PAUSE_S = 1.0
IDLE_S = 600.0
"""So long nothing may be noted before the keys that are at hand are looked at."""
SILENCE_S = 60.0
"""Between two lines in the log."""
FEW_ACCOUNTS = 3
"""So many with one phone are a family."""
_PLACE = struct.Struct(">16sqq")
FAULTS = (SQLAlchemyError, OSError, LookupError, ValueError)
"""A lost database, a keystore that is away, a key that is not there or cannot be read."""
log = logging.getLogger("mvote.integrity")


@dataclass(slots=True, repr=False)
class Sighting:
    """That a voter sent a position, and what is to be remembered of it."""

    poll_id: uuid.UUID
    anchor: bytes
    #: None of a position that may be from anywhen
    fix: Fix | None
    #: keyed hashes of poll and coordinates, by today's key and by yesterday's if there is one
    places: list[bytes]
    #: what can be told at once
    kinds: list[Kind]
    #: it could not be written once
    is_second_try: bool = False


class Watch:
    """What one process noted and has not yet written. *write* is given at most TOGETHER."""

    def __init__(
        self,
        keys: DayKeys,
        write: Callable[[Sequence[Sighting]], None],
        *,
        most: int = MOST,
        pause_s: float = PAUSE_S,
    ) -> None:
        self.dropped = 0
        self._unsaid, self._silent_until = 0, 0.0
        self._keys, self._write = keys, write
        self._most, self._pause_s = most, pause_s
        self._queue: deque[Sighting] = deque()
        self._woken, self._ended = threading.Event(), threading.Event()
        self._starting, self._writing = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many are not yet written."""
        return len(self._queue)

    def see(
        self,
        poll_id: uuid.UUID,
        anchor: bytes,
        position: Position,
        *,
        said: Integrity,
        now: dt.datetime,
        nonce_given_at: dt.datetime | None = None,
        accounts: int = 0,
    ) -> None:
        """Note a position that was looked at; *accounts* use the phone that sent it."""
        if not anchor:
            return
        try:
            places = _places(self._keys.around(now), poll_id, position)
        except FAULTS as error:
            self.drop(1, error)
            return
        kinds = _kinds_at_once(position, said, now, nonce_given_at, accounts)
        self.note(Sighting(poll_id, anchor, _fix(position, now), places, kinds))

    def note(self, sighting: Sighting) -> None:
        """Have it written soon, or drop it if too many wait."""
        if len(self._queue) >= self._most:
            self.dropped += 1
            return
        self._queue.append(sighting)
        if not self._woken.is_set():
            self._woken.set()
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def write_now(self) -> None:
        """Write all that waits, but what could not be written just now and is tried once more."""
        with self._writing:
            while (batch := self._next_batch()) and self._is_done_with(batch):
                pass

    def close(self) -> None:
        """The process ends: write what waits."""
        self._ended.set()
        self.write_now()
        if self._queue:
            self.write_now()

    def drop(self, count: int, error: Exception) -> None:
        """So many are lost by *error*."""
        self.dropped += count
        self._unsaid += count
        if time.monotonic() < self._silent_until:
            return
        self._silent_until = time.monotonic() + SILENCE_S
        unsaid, self._unsaid = self._unsaid, 0
        log.warning("sightings lost", extra={"count": unsaid, "error": type(error).__name__})

    def _is_done_with(self, batch: list[Sighting]) -> bool:
        """Write a batch, or drop it; false if a lock or the database stood in the way the first
        time, and it waits again."""
        is_known = False
        try:
            self._write(batch)
            is_known = True
        except FAULTS as error:
            is_known = True
            return self._failed(batch, error)
        finally:
            if not is_known:  # our own fault: it ends this thread, and whoever notes starts another
                self.dropped += len(batch)
        return True

    def _failed(self, batch: list[Sighting], error: Exception) -> bool:
        """Drop them, but those who may be tried once more; whether none is."""
        may_wait = isinstance(error, OperationalError)
        again = [each for each in batch if may_wait and not each.is_second_try]
        if len(again) < len(batch):
            self.drop(len(batch) - len(again), error)
        for each in again:
            each.is_second_try = True
        self._queue.extendleft(reversed(again))
        if again:
            self._woken.set()
        return not again

    def _next_batch(self) -> list[Sighting]:
        return [self._queue.popleft() for _ in range(min(len(self._queue), TOGETHER))]

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="watch", daemon=True)
                with suppress(RuntimeError):  # no thread to be had: whoever notes next tries again
                    self._thread.start()

    def _work(self) -> None:
        while not self._ended.is_set():
            if not self._woken.wait(IDLE_S):
                self._keys.forget_past(utc_now())
                continue
            self._ended.wait(self._pause_s)
            self._woken.clear()
            self.write_now()


def _places(keys: Sequence[bytes], poll_id: uuid.UUID, position: Position) -> list[bytes]:
    place = _PLACE.pack(poll_id.bytes, round(position.lat * 1e7), round(position.lon * 1e7))
    return [hmac.digest(key, b"mvote/place/1\x00" + place, "sha256") for key in keys]


def _fix(position: Position, now: dt.datetime) -> Fix | None:
    """By when it was captured: a request that took long is no fast way."""
    if not position.is_fresh(now):
        return None
    minute = int(position.captured_at.timestamp()) // 60
    return Fix(*cell_of(position.lat, position.lon), minute)


def _kinds_at_once(
    position: Position,
    said: Integrity,
    now: dt.datetime,
    nonce_given_at: dt.datetime | None,
    accounts: int,
) -> list[Kind]:
    kinds: list[Kind] = ["mock"] if said.is_mock else []
    before_nonce = nonce_given_at is not None and position.captured_at < nonce_given_at - AHEAD
    if before_nonce or now - position.captured_at > OLDEST:
        kinds.append("stale")
    if accounts > FEW_ACCOUNTS:
        kinds.append("shared-device")
    return kinds
