"""What the demo has made: events of its own in the journal, one beside each thing it made.

An event is kept if and only if the thing is, so a load that was killed goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from api.db import db
from api.demo.budget.plans import CYCLES
from api.demo.polls import POLLS
from api.demo.sites import SITES
from mvote.journal import Event, JournalEntry, write_down
from mvote.polls.poll import Poll

DEMO = uuid.UUID("5e0c1d3a-9f5b-5d62-8a44-64656d6f0001")
"""What the events are about: the demo as a whole."""

NAMES = sorted(
    [*(site.key for site in SITES), *(poll.key for poll in POLLS), *(each.key for each in CYCLES)]
)
EDITION = hashlib.sha256(" ".join(NAMES).encode()).hexdigest()[:12]
"""Changes when the demo is given something new: then one loaded before is not whole."""


@dataclass(frozen=True, kw_only=True)
class DemoBegun(Event):
    kind: ClassVar[str] = "demo:begun"
    edition: str


@dataclass(frozen=True, kw_only=True)
class DemoMade(Event):
    """*name* tells what was made, as in `poll:reuse-market`; *made* is its id."""

    kind: ClassVar[str] = "demo:made"
    name: str
    made: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class DemoLoaded(Event):
    """All is there, as soon as *result*, the closed poll, is published."""

    kind: ClassVar[str] = "demo:loaded"
    edition: str
    result: uuid.UUID


def note(session: Session, event: Event) -> None:
    """Write *event* of the demo into the journal."""
    write_down(session, event, actor_id=None, subject_id=DEMO)


def made(session: Session) -> dict[str, uuid.UUID]:
    """What the demo has made, by name; of what was made anew, the newest."""
    rows = session.scalars(_events(DemoMade.kind).order_by(JournalEntry.id))
    return {entry.facts["name"]: uuid.UUID(entry.facts["made"]) for entry in rows}


def is_loaded(session: Session) -> bool:
    """Whether the last load was brought to its end, and the closed poll is published."""
    last = _events(DemoBegun.kind, DemoLoaded.kind).order_by(JournalEntry.id.desc()).limit(1)
    entry = session.scalars(last).one_or_none()
    if entry is None or entry.kind != DemoLoaded.kind or entry.facts["edition"] != EDITION:
        return False
    result = select(Poll.state).where(Poll.id == uuid.UUID(entry.facts["result"]))
    return session.scalars(result).one_or_none() == "published"


def was_begun(session: Session) -> bool:
    """Whether this database has ever seen a demo."""
    return session.scalars(_events(DemoBegun.kind).limit(1)).one_or_none() is not None


def _events(*kinds: str) -> Select[JournalEntry]:
    return select(JournalEntry).where(JournalEntry.subject_id == DEMO, JournalEntry.kind.in_(kinds))


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other load runs on this database; one that is killed no longer does."""
    with db.engine.connect() as pooled:
        connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # what is closed at the end is the connection, and so the lock
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(hashtextextended('mvote demo', 0))"))
        yield
