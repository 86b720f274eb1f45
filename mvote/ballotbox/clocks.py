"""Whether the database's clock runs as time passes: a poll that a wrong clock closed stays closed.

The database's clock decides when voting ends, and nothing can contradict it but time itself: the
worker compares how far it moved with how long the machine has run meanwhile.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mvote.base import database_time

JUMP_S = 600.0
"""What a machine that stood still, or a new server's clock, may be apart: far below an hour."""
log = logging.getLogger("mvote.clocks")


def machine_time() -> float:
    """Seconds since the machine was started, asleep or awake; nobody can set this clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass
class ClockWatch:
    """Looks at the database's clock in every round of a worker."""

    passed: Callable[[], float] = machine_time
    _ahead: float | None = None
    _has_jumped: bool = False

    def is_steady(self, session: Session) -> bool:
        """False from a jump of JUMP_S or more on, until the clock is back or the worker restarted.

        Who restarts the worker says that the clock is right now.
        """
        ahead = database_time(session).timestamp() - self.passed()
        known = ahead if self._ahead is None else self._ahead
        has_jumped = abs(ahead - known) >= JUMP_S
        if has_jumped and not self._has_jumped:
            log.error(
                "the database's clock jumped: no poll is closed, no key destroyed",
                extra={"by_s": ahead - known},
            )
        if self._has_jumped and not has_jumped:
            log.warning("the database's clock is back")
        self._has_jumped = has_jumped
        self._ahead = known if has_jumped else ahead  # small corrections are followed
        return not has_jumped
