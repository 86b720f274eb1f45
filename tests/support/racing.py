"""Many at once, truly at once: what a race test is made of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.errors import DomainError
from tests.support.waiting import PATIENCE_SECONDS

Result = TypeVar("Result")


def meeting_of(contenders: int) -> threading.Barrier:
    """Where so many wait for each other; if one of them fails, the others fail too, in time."""
    return threading.Barrier(contenders, timeout=PATIENCE_SECONDS)


def race(
    engine: Engine, contenders: int, act: Callable[[Session], Result]
) -> list[Result | DomainError]:
    """Let *contenders* do *act* at the same moment, each in a transaction of its own.

    What each got: the act's result, or the rule of ours that refused it.
    """
    start = meeting_of(contenders)

    def contend(_: int) -> Result | DomainError:
        with Session(engine) as session:
            session.connection()  # connected before the start, so that nobody comes late
            start.wait()
            try:
                with transaction(session):
                    return act(session)
            except DomainError as refused:
                return refused

    with ThreadPoolExecutor(contenders) as pool:
        return list(pool.map(contend, range(contenders)))


class Beside:
    """What happens in a thread of its own, and the error that it ended with."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.error: Exception | None = None
        self._act = act
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self._act()
        except (psycopg.Error, DomainError) as error:
            self.error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(PATIENCE_SECONDS)
