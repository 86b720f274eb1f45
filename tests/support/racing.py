"""Many at once, truly at once: what a race test is made of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.errors import DomainError

Result = TypeVar("Result")


def race(
    engine: Engine, contenders: int, act: Callable[[Session], Result]
) -> list[Result | DomainError]:
    """Let *contenders* do *act* at the same moment, each in a transaction of its own.

    What each got: the act's result, or the rule of ours that refused it.
    """
    start = threading.Barrier(contenders)

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
