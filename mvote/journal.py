"""The append-only record of who did what: typed events, written in the act's own transaction."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, new_id, utc_now


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened. A subclass names its `kind` (`subject:action`) and its facts as fields."""

    kind: ClassVar[str]


class JournalEntry(Base):
    """One line of the journal. The database refuses to change or delete it."""

    __tablename__ = "journal"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: the citizen, officer or administrator who acted; empty for the system itself
    actor_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    #: the poll, site, code … that was acted on
    subject_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


def write_down(
    session: Session, event: Event, *, actor_id: uuid.UUID | None, subject_id: uuid.UUID | None
) -> None:
    """Add *event* to the journal; it is kept if and only if the act itself is kept."""
    facts = {name: _plain(value) for name, value in asdict(event).items()}
    session.add(
        JournalEntry(actor_id=actor_id, kind=event.kind, subject_id=subject_id, facts=facts)
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID | dt.datetime | dt.date) else value
