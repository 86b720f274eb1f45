"""Gathers the casts that wait in this process and puts them into the slot together.

One commit then serves many voters. The voter waits until the commit is durable: what is answered
as recorded is recorded, and what is answered as overloaded certainly is not.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mvote.ballotbox.slot import Outcome, SlotRow, put_ballots
from mvote.driver import Connection
from mvote.errors import OutcomeUnknown, Overloaded
from mvote.gathering import Pause, let_others_run

BATCH = 64
LONGEST_QUEUE = 2_000
PATIENCE_SECONDS = 15.0
THREADS = 8
"""So many polls are written at once: one that is stuck behind a lock does not stop the others."""
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""Lost, locked, too slow, or no connection free: no fault of any one row."""

Connect = Callable[[], AbstractContextManager[Connection]]
Attempt = Literal["written", "database away", "bad row"]
log = logging.getLogger("mvote.ballotbox")


@dataclass(eq=False)
class _Waiting:
    """One cast that waits for its outcome."""

    poll_id: uuid.UUID
    row: SlotRow
    #: released when the outcome is known, or certain to be none: cheaper than an Event
    done: threading.Lock = field(default_factory=threading.Lock)
    outcome: Outcome | None = None
    #: the voter was told that it is not recorded, so it must never be sent
    abandoned: bool = False
    #: in the hands of the database now, or an attempt at it was never answered
    uncertain: bool = False
    unanswered: bool = False


class SlotWriter:
    """The casting writer of one process. *connect* lends a connection of the driver.

    Each call of the slot is one statement, and so a transaction of its own: to begin and to commit
    it separately would be two more waits for the database, and two more of its processes' turns.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        batch: int = BATCH,
        patience_s: float = PATIENCE_SECONDS,
        pause: Pause = let_others_run,
    ) -> None:
        self._connect = connect
        self._pause = pause
        self._batch = batch
        self._patience_s = patience_s
        self._queue: deque[_Waiting] = deque()
        self._busy: set[uuid.UUID] = set()
        self._changed = threading.Condition(threading.Lock())
        self._threads: list[threading.Thread] = []

    def cast(self, poll_id: uuid.UUID, row: SlotRow) -> Outcome:
        """The slot's outcome for *row*, once durable.

        Raises Overloaded (certainly not recorded) or OutcomeUnknown (the same key will tell).
        """
        waiting = _Waiting(poll_id, row)
        waiting.done.acquire()
        with self._changed:
            if len(self._queue) >= LONGEST_QUEUE:
                raise Overloaded
            self._queue.append(waiting)
            self._start_if_needed()
            self._changed.notify()
        waiting.done.acquire(timeout=self._patience_s)
        return waiting.outcome or self._answer(waiting)

    def _answer(self, waiting: _Waiting) -> Outcome:
        with self._changed:
            if waiting.outcome is not None:
                return waiting.outcome
            if waiting.uncertain:
                raise OutcomeUnknown
            waiting.abandoned = True
        raise Overloaded

    def _start_if_needed(self) -> None:
        while len(self._threads) < THREADS:
            thread = threading.Thread(target=self._work, name="slot-writer", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        try:
            while True:
                self._write_next()
        finally:  # by a fault that nobody foresaw: whoever casts next starts another one
            with self._changed:
                self._threads.remove(threading.current_thread())

    def _write_next(self) -> None:
        """Write those who wait longest, of one poll that no other thread is writing."""
        with self._changed:
            while (poll_id := self._next_poll()) is None:
                self._changed.wait()
            self._busy.add(poll_id)
        batch: list[_Waiting] = []
        try:
            self._pause()  # one commit will serve those who come meanwhile, too
            batch = self._batch_of(poll_id)
            self._write(batch)
        finally:
            self._finish(poll_id, batch)

    def _batch_of(self, poll_id: uuid.UUID) -> list[_Waiting]:
        with self._changed:
            mine = [waiting for waiting in self._queue if waiting.poll_id == poll_id]
            batch = mine[: self._batch]
            taken = set(map(id, batch))
            self._queue = deque(w for w in self._queue if id(w) not in taken)
            return batch

    def _next_poll(self) -> uuid.UUID | None:
        return next((w.poll_id for w in self._queue if w.poll_id not in self._busy), None)

    def _finish(self, poll_id: uuid.UUID, batch: Sequence[_Waiting]) -> None:
        with self._changed:
            self._busy.discard(poll_id)
            self._changed.notify()
        for waiting in batch:
            waiting.done.release()

    def _write(self, batch: Sequence[_Waiting]) -> None:
        """Write the batch; if a row is bad, row by row, so that it stops no other."""
        attempt = self._attempt(batch)
        if attempt == "database away":  # once more: a connection may have gone stale
            attempt = self._attempt(batch)
        if attempt == "bad row" and len(batch) > 1:
            for waiting in batch:
                self._write([waiting])

    def _attempt(self, batch: Sequence[_Waiting]) -> Attempt:
        sent: list[_Waiting] = []
        try:
            with self._connect() as connection:  # fails here, if at all, before anything is sent
                sent = self._hand_over(batch)
                if not sent:
                    return "written"
                outcomes = put_ballots(connection, batch[0].poll_id, [w.row for w in sent])
        except SQLAlchemyError as error:
            is_lost = getattr(error, "connection_invalidated", False)
            self._take_back(sent, unanswered=is_lost)
            log.warning("a batch failed", extra={"rows": len(batch), "error": type(error).__name__})
            return "database away" if isinstance(error, DATABASE_AWAY) else "bad row"
        for waiting, outcome in zip(sent, outcomes, strict=True):
            waiting.outcome = outcome
        return "written"

    def _hand_over(self, batch: Sequence[_Waiting]) -> list[_Waiting]:
        """Those who still wait; from now on nobody is told that theirs is not recorded."""
        with self._changed:
            waiting = [each for each in batch if not each.abandoned and each.outcome is None]
            for each in waiting:
                each.uncertain = True
            return waiting

    def _take_back(self, sent: Sequence[_Waiting], *, unanswered: bool) -> None:
        """What the database refused is rolled back for certain; what it left unanswered, and the
        commit within, may stand."""
        with self._changed:
            for waiting in sent:
                waiting.unanswered |= unanswered
                waiting.uncertain = waiting.unanswered
