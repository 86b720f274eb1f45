"""Gathers the casts that wait in this process and puts them into the slot together.

One commit then serves many voters of a poll, and one call many polls. The voter waits until the
commit is durable: what is answered as recorded is recorded, and what is answered as overloaded
certainly is not.
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

from mvote.ballotbox.slot import Outcome, SlotRow, put_ballots, put_in_polls
from mvote.driver import Connection
from mvote.errors import OutcomeUnknown, Overloaded
from mvote.gathering import Pause, let_others_run

BATCH = 64
LONGEST_QUEUE = 2_000
PATIENCE_SECONDS = 15.0
THREADS = 8
"""So many batches are written at once: one that is stuck behind a lock stops no other."""
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""Lost, locked, too slow, or no connection free: no fault of any one row."""

Connect = Callable[[], AbstractContextManager[Connection]]
Attempt = Literal["written", "database away", "stopped by one"]
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
    #: by a lock on its poll, for which the others of its batch did not wait
    is_held_up: bool = False


class SlotWriter:
    """The casting writer of one process. *connect* lends a connection of the driver.

    Each call of the slot is one statement: to begin and to commit it separately would be two more
    waits for the database, and two more of its processes' turns. A call for several polls commits
    for each of them.
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
        #: polls that held up a batch, so that they must wait by themselves
        self._alone: set[uuid.UUID] = set()
        #: one thread at a time waits for those who are about to come
        self._is_gathering = False
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
        batch = self._gathered()
        try:
            self._write(batch)
        finally:
            self._finish(batch)

    def _gathered(self) -> list[_Waiting]:
        """Those who wait longest, of polls that no other thread is writing."""
        with self._changed:
            while self._is_gathering or not any(self._is_free(each) for each in self._queue):
                self._changed.wait()
            self._is_gathering = True
        try:
            self._pause()  # one call will serve those who come meanwhile, too
            return self._next_batch()
        finally:
            with self._changed:
                self._is_gathering = False
                self._changed.notify()

    def _is_free(self, waiting: _Waiting) -> bool:
        return waiting.poll_id not in self._busy

    def _next_batch(self) -> list[_Waiting]:
        """Of one poll, if that is what the first is to be written with; of as many as there are."""
        with self._changed:
            free = [each for each in self._queue if self._is_free(each)]
            if free[0].poll_id in self._alone:
                free = [each for each in free if each.poll_id == free[0].poll_id]
            else:
                free = [each for each in free if each.poll_id not in self._alone]
            batch = free[: self._batch]
            for each in batch:  # also of those who have given up, or they would come back for ever
                each.is_held_up = False
            polls = {each.poll_id for each in batch}
            self._busy |= polls
            self._alone -= polls
            taken = set(map(id, batch))
            self._queue = deque(each for each in self._queue if id(each) not in taken)
            return batch

    def _finish(self, batch: Sequence[_Waiting]) -> None:
        """Let those go who have their answer, and those wait whose poll must be written alone."""
        held_up = [each for each in batch if each.is_held_up]
        with self._changed:
            self._busy -= {each.poll_id for each in batch}
            self._alone |= {each.poll_id for each in held_up}
            self._queue.extendleft(reversed(held_up))
            self._changed.notify()
        for waiting in batch:
            if not waiting.is_held_up:
                waiting.done.release()

    def _write(self, batch: Sequence[_Waiting]) -> None:
        """Write the batch; if one stops the others, poll by poll, and then row by row."""
        attempt = self._attempt(batch)
        if attempt == "database away":  # once more: a connection may have gone stale
            attempt = self._attempt(batch)
        if attempt == "stopped by one" and len(batch) > 1:
            polls = list(_by_poll(batch).values())
            for part in polls if len(polls) > 1 else [[each] for each in batch]:
                self._write(part)

    def _attempt(self, batch: Sequence[_Waiting]) -> Attempt:
        sent: list[_Waiting] = []
        try:
            with self._connect() as connection:  # fails here, if at all, before anything is sent
                sent = self._hand_over(batch)
                if not sent:
                    return "written"
                outcomes = _put(connection, sent)
        except SQLAlchemyError as error:
            is_lost = getattr(error, "connection_invalidated", False)
            self._take_back(sent, unanswered=is_lost)
            log.warning("a batch failed", extra={"rows": len(batch), "error": type(error).__name__})
            is_of_all = is_lost or not sent or len(_by_poll(sent)) == 1
            is_away = isinstance(error, DATABASE_AWAY) and is_of_all
            return "database away" if is_away else "stopped by one"
        for waiting, outcome in zip(sent, outcomes, strict=True):
            waiting.outcome = outcome
        self._hold_up([each for each in sent if each.outcome is None])
        return "written"

    def _hold_up(self, left: Sequence[_Waiting]) -> None:
        """Theirs was not even tried: their poll is being closed or changed just now."""
        self._take_back(left, unanswered=False)
        for waiting in left:
            waiting.is_held_up = True

    def _hand_over(self, batch: Sequence[_Waiting]) -> list[_Waiting]:
        """Those who still wait, poll by poll; none is told from now on that theirs is not kept."""
        with self._changed:
            waiting = [each for each in batch if not each.abandoned and each.outcome is None]
            for each in waiting:
                each.uncertain = True
        return [each for together in _by_poll(waiting).values() for each in together]

    def _take_back(self, sent: Sequence[_Waiting], *, unanswered: bool) -> None:
        """What the database refused is rolled back for certain; what it left unanswered, and the
        commit within, may stand."""
        with self._changed:
            for waiting in sent:
                waiting.unanswered |= unanswered
                waiting.uncertain = waiting.unanswered


def _by_poll(batch: Sequence[_Waiting]) -> dict[uuid.UUID, list[_Waiting]]:
    polls: dict[uuid.UUID, list[_Waiting]] = {}
    for waiting in batch:
        polls.setdefault(waiting.poll_id, []).append(waiting)
    return polls


def _put(connection: Connection, sent: Sequence[_Waiting]) -> Sequence[Outcome | None]:
    """One outcome for each of *sent*, who stand poll by poll."""
    polls = {
        poll_id: [waiting.row for waiting in together]
        for poll_id, together in _by_poll(sent).items()
    }
    if len(polls) > 1:
        return put_in_polls(connection, polls)
    [(poll_id, rows)] = polls.items()
    return put_ballots(connection, poll_id, rows)
