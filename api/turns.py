"""Turns at what keeps a processor busy: so few at a time that those who vote are served."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mvote.errors import Overloaded


class Turns:
    """So many at a time in this process; who comes then waits, but not for long."""

    def __init__(self, at_once: int, *, patience_s: float) -> None:
        self.patience_s = patience_s
        self._free = threading.BoundedSemaphore(at_once)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a turn. Raises Overloaded: who waits for long takes the place of who votes."""
        if not self._free.acquire(timeout=self.patience_s):
            raise Overloaded
        try:
            yield
        finally:
            self._free.release()
