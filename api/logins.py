"""A holder's own login to the database with its own keystore, where a command has both at hand.

The web never has: it serves with the login and the keystore of the api alone. On one machine that
does everything, as in development, a command may act for the counter or the shuffler.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import new_engine, transaction
from api.holders import open_keystore
from api.settings import Misconfigured, Settings
from mvote.ballotbox.keystore import HOLDERS, DirectoryKeystore, Holder
from mvote.ballotbox.stock import STOCK, fill_stock


@dataclass(frozen=True)
class Login:
    """What a worker of one role works with."""

    engine: Engine
    keystore: DirectoryKeystore

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction of this login."""
        with Session(self.engine) as session, transaction(session):
            yield session


@contextmanager
def login_of(settings: Settings, holder: Holder) -> Iterator[Login | None]:
    """The login of *holder*; None if its address or its master key is kept elsewhere."""
    url = getattr(settings, f"{holder}_url")
    keystore = _keystore(settings, holder) if url else None
    if keystore is None:
        yield None
        return
    engine = new_engine(url, pool_size=1, max_overflow=0)
    try:
        yield Login(engine, keystore)
    finally:
        engine.dispose()


def _keystore(settings: Settings, holder: Holder) -> DirectoryKeystore | None:
    try:
        return open_keystore(settings, holder)
    except Misconfigured:
        return None


def introduce_holders(settings: Settings) -> None:
    """Let every holder whose master key is at hand be handed keys, even if it never ran yet."""
    for holder in HOLDERS:
        _keystore(settings, holder)


def stock_sealing_keys(settings: Settings, *, wanted: int = STOCK) -> int:
    """Let the counter make sealing keys until *wanted* are free; how many were made.

    None are made where the counter is kept elsewhere: its worker makes them there.
    """
    with login_of(settings, "counter") as counter:
        if counter is None:
            return 0
        with counter.transaction() as session:
            return fill_stock(session, counter.keystore, wanted=wanted)
