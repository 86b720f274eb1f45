"""One witness and what it was told: visited in a thread, so that it can hold up nothing.

Whatever it answers waits here until the clerk comes by; a witness that fails is left alone for a
while, twice as long each time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from mvote.ballotbox.extending import Known
from mvote.ballotbox.witnessing import Answer, Offer, Witness, WitnessContradicts, WitnessFault

LONGEST_PAUSE_S = 60.0
PATIENCE_S = 30.0
"""A visit that takes longer counts as failed; the next one waits until it has ended."""
log = logging.getLogger("mvote.witnesses")


class Correspondence:
    """What we know of one witness, and the visit that is under way, if any."""

    def __init__(self, witness: Witness, clock: Callable[[], float] = time.monotonic) -> None:
        self.witness = witness
        self.name = witness.verifier.name
        #: answered or failed at least once since we started
        self.asked = False
        #: what it holds was read, and nothing was offered since
        self.looked = False
        #: it knows a history that contradicts the one it was offered
        self.contradicts = False
        #: the states of the city's log that it holds, as far as it can be told
        self.known: list[Known] = []
        #: it has named the size that it holds, since we started
        self.told_size = False
        #: up to which size it has cosigned, as we have seen
        self.cosigned = 0
        #: the size that the next offer is proved from
        self.proved_from = 0
        #: what it was offered last: size, and size that it was proved from
        self.offered: tuple[int, int] | None = None
        self._clock = clock
        self._not_before = 0.0
        self._failures = 0
        self._started = 0.0
        self._visit: _Visit | None = None

    @property
    def is_due(self) -> bool:
        """It may be visited now."""
        return self._visit is None and self._clock() >= self._not_before

    def has_seen(self, size: int) -> bool:
        """It need not be shown the state of that size (again)."""
        if not self.asked or self.contradicts:
            return False
        if size == self.cosigned:
            return True
        lies_there = not self.witness.readable or any(each.size == size for each in self.known)
        return lies_there and self.offered == (size, self.proved_from)

    def look(self) -> None:
        """Go and see what it holds."""
        self.looked = True
        self._start(_Visit(self.witness.look, self.name))

    def offer(self, offer: Offer) -> None:
        """Go and offer a checkpoint."""
        self.offered, self.looked = (offer.size, offer.old), False
        self._not_before = self._clock() + self.witness.every_s
        self._start(_Visit(lambda: self.witness.offer(offer), self.name))

    def answer(self) -> Answer | None:
        """What a visit that has ended brought; None if there is none, or it failed."""
        visit = self._visit
        if visit is None:
            return None
        if visit.is_alive():
            if not self.asked and self._clock() >= self._started + PATIENCE_S:
                self.asked = True
                log.warning("witness slow", extra={"witness": self.name})
            return None
        self._visit, self.asked = None, True
        if visit.answer is None:
            self.failed(visit.fault or WitnessFault("the visit came to an unknown end"))
        return visit.answer

    def failed(self, fault: Exception) -> None:
        """Say that it failed, and leave it alone for a while."""
        self._failures += 1
        self.offered, self.looked = None, False
        pause = min(LONGEST_PAUSE_S, 2.0**self._failures)
        self._not_before = self._clock() + pause
        self.contradicts = self.contradicts or isinstance(fault, WitnessContradicts)
        facts = {"witness": self.name, "reason": str(fault), "again_in_s": pause}
        log.warning("witness failed", extra=facts)

    def went_well(self) -> None:
        """It answered as it should."""
        self._failures = 0

    def wait_until_later(self) -> None:
        """Nothing to do before the next visit is due."""
        self.looked = False
        self._not_before = self._clock() + self.witness.every_s

    def join(self, timeout_s: float) -> None:
        """Wait for the visit that is under way."""
        if self._visit:
            self._visit.join(timeout_s)

    def _start(self, visit: _Visit) -> None:
        self._visit, self._started = visit, self._clock()
        visit.start()


class _Visit(threading.Thread):
    def __init__(self, ask: Callable[[], Answer], name: str) -> None:
        super().__init__(name=f"witness {name}", daemon=True)
        self._ask = ask
        self.answer: Answer | None = None
        self.fault: WitnessFault | None = None

    def run(self) -> None:
        try:
            self.answer = self._ask()
        except WitnessFault as fault:
            self.fault = fault
