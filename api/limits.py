"""Limits per citizen in this process: generous to a person, tiresome to a script."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from api.access import caller_id
from mvote.errors import TooManyRequests

View = TypeVar("View", bound=Callable[..., Any])
PER_SECOND = 40
KEPT = 100_000


class Meter:
    """Counts calls of each caller in the present second."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._second = 0
        self._calls: dict[uuid.UUID, int] = {}

    def count(self, caller: uuid.UUID) -> None:
        """Count one call. Raises TooManyRequests beyond the limit."""
        second = int(self._clock())
        if second != self._second or len(self._calls) > KEPT:
            self._second, self._calls = second, {}
        calls = self._calls[caller] = self._calls.get(caller, 0) + 1
        if calls > self._per_second:
            raise TooManyRequests(retry_after_s=1)


meter = Meter(PER_SECOND)


def limited_per_citizen(view: View) -> View:
    """At most PER_SECOND calls of each citizen in each process; stands beneath `@access`."""

    @wraps(view)
    def metered(*args: Any, **kwargs: Any) -> Any:
        meter.count(caller_id())
        return view(*args, **kwargs)

    return metered  # type: ignore[return-value]
