"""The casting writer's way to the database, which tests can block and cut."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from api.db import driving
from mvote.ballotbox.writer import SlotWriter
from mvote.driver import Connection
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.world import World


@dataclass
class Line:
    """The way to the database, which tests can block and cut."""

    world: World
    free: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    commits_to_lose: int = 0
    lent: int = 0

    def writer(self, **more: Any) -> SlotWriter:
        """A casting writer on this way, in which nobody gives up soon."""
        usual: dict[str, Any] = {"connect": self.connect, "patience_s": PATIENCE_SECONDS}
        return SlotWriter(**usual | more)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        self.asked.set()
        assert self.free.wait(PATIENCE_SECONDS)
        with driving(self.world.engines["api"]) as connection:
            self.lent += 1
            yield connection
            if self.commits_to_lose:
                self.commits_to_lose -= 1
                connection.close()  # what it has answered is committed, and is never read
                raise psycopg.OperationalError("the answer was lost")
