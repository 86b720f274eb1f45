"""Gathers the casts that wait in this process and puts them into the slot together.

One commit then serves many voters. The voter waits until the commit is durable: what is answered
as recorded is recorded.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from mvote.ballotbox.slot import Outcome, SlotRow, cast_ballots
from mvote.errors import OutcomeUnknown, Overloaded

BATCH = 64
LONGEST_QUEUE = 2_000
PATIENCE_SECONDS = 15.0
log = logging.getLogger("mvote.ballotbox")

Transact = Callable[[], AbstractContextManager[Session]]


@dataclass(eq=False)
class _Waiting:
    """One cast that waits for its outcome."""

    poll_id: uuid.UUID
    row: SlotRow
    done: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None
    #: the row has been sent to the database, so its fate is no longer certain without an answer
    sent: bool = False


class SlotWriter:
    """The casting writer of one process. *transact* opens a transaction of its own session."""

    def __init__(self, transact: Transact, *, batch: int = BATCH) -> None:
        self._transact = transact
        self._batch = batch
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def cast(self, poll_id: uuid.UUID, row: SlotRow) -> Outcome:
        """The slot's outcome for *row*, once durable.

        Raises Overloaded (certainly not recorded) or OutcomeUnknown (the same key will tell).
        """
        waiting = _Waiting(poll_id, row)
        with self._changed:
            if len(self._queue) >= LONGEST_QUEUE:
                raise Overloaded
            self._queue.append(waiting)
            self._start_if_needed()
            self._changed.notify()
        waiting.done.wait(PATIENCE_SECONDS)
        return self._answer(waiting)

    def _answer(self, waiting: _Waiting) -> Outcome:
        with self._changed:
            if waiting.outcome is not None:
                return waiting.outcome
            if waiting.sent:
                raise OutcomeUnknown
            if waiting in self._queue:
                self._queue.remove(waiting)
        raise Overloaded

    def _start_if_needed(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="slot-writer", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            batch = self._next_batch()
            self._write(batch)
            for waiting in batch:
                waiting.done.set()

    def _next_batch(self) -> list[_Waiting]:
        """The casts of one poll that wait longest; the others keep their turn."""
        with self._changed:
            while not self._queue:
                self._changed.wait()
        time.sleep(0)  # let others in who are about to cast: one commit will serve them too
        with self._changed:
            poll_id = self._queue[0].poll_id
            batch: list[_Waiting] = []
            others: deque[_Waiting] = deque()
            while self._queue and len(batch) < self._batch:
                waiting = self._queue.popleft()
                (batch if waiting.poll_id == poll_id else others).append(waiting)
            self._queue.extendleft(reversed(others))
            return batch

    def _write(self, batch: Sequence[_Waiting]) -> None:
        """Write the batch; if it fails, row by row, so that one bad row stops no other."""
        if self._attempt(batch) or (len(batch) == 1 and self._attempt(batch)):
            return
        for waiting in batch:
            if not self._attempt([waiting]):
                log.error("a cast could not be written", extra={"poll_id": waiting.poll_id})

    def _attempt(self, batch: Sequence[_Waiting]) -> bool:
        try:
            with self._transact() as session:
                session.connection()  # fails here, if at all, before anything is sent
                for waiting in batch:
                    waiting.sent = True
                rows = [waiting.row for waiting in batch]
                outcomes = cast_ballots(session, batch[0].poll_id, rows)
        except (DBAPIError, PoolTimeout) as error:
            log.warning("a batch failed", extra={"rows": len(batch), "error": type(error).__name__})
            return False
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.outcome = outcome
        return True
