"""Removing the demo, which means: emptying the database.

Ballots, definitions, results and the journal are append-only, so the demo's cannot be taken out one
by one. A development database starts over instead: with the rights of its owner, who alone can lay
those guards aside, all rows of all tables go, and with them the keys of the polls that were there.
Accounts, polls and areas that others have made in this database go too.
"""

from __future__ import annotations

import uuid

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

import geo.tables  # noqa: F401  # both, so that the metadata knows every table
import mvote.tables  # noqa: F401
from api.logins import login_of
from api.settings import Settings
from api.witnesses import mark_paths
from mvote.ballotbox.keystore import HOLDERS
from mvote.ballotbox.stock import sealing_key_name
from mvote.ballotbox.tables import SealingKey
from mvote.base import Base, after_commit
from mvote.people.citizens import Citizen
from mvote.polls.poll import Poll
from mvote.wording import counted


def what_would_go(session: Session) -> str:
    """How much there is in the database."""
    polls, citizens = (
        session.scalars(select(func.count()).select_from(table)).one() for table in (Poll, Citizen)
    )
    going = f"{counted(polls, 'poll')} and {counted(citizens, 'account')}"
    return f"{going}, with everything about them"


def empty(session: Session, settings: Settings) -> None:
    """Empty every table with a session of the owner; the keys go once that is durable."""
    polls = list(session.scalars(select(Poll.id)))
    public_keys = list(session.scalars(select(SealingKey.public_key)))
    tables = [f'"{table.name}"' for table in Base.metadata.sorted_tables]
    for table in tables:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    session.execute(text(f"TRUNCATE {', '.join(tables)}"))
    for table in tables:
        session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    after_commit(session, lambda: _destroy_keys(settings, polls, public_keys))


def _destroy_keys(settings: Settings, polls: list[uuid.UUID], public_keys: list[bytes]) -> None:
    whose = {f"poll/{poll_id.hex}/" for poll_id in polls}
    sealing = {sealing_key_name(key) for key in public_keys}
    for mark in mark_paths(settings):
        mark.unlink(missing_ok=True)  # the city's log begins anew
    for holder in HOLDERS:
        with login_of(settings, holder) as login:
            if login is not None:
                for name in login.keystore.names(""):
                    if name in sealing or name.rpartition("/")[0] + "/" in whose:
                        login.keystore.destroy(name)
