"""Acts on a poll as entries of its log: its notices, and the statement of its published count."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.log import NOTICE_ENTRY, STATEMENT_ENTRY, Entry, append, is_ours
from mvote.ballotbox.tables import LogEntry
from mvote.polls.notices import Notice, notices_of
from mvote.polls.poll import Poll

# Only of what is published: the totals of a small poll could be guessed until one gives the hash.
_STATEMENT_HASH = text("SELECT statement_hash(:poll_id)")


def log_notices(session: Session, poll_id: uuid.UUID) -> int | None:
    """Append what is not in the poll's log yet, notices in their order; how many entries.

    None if another one is writing to this log.
    """
    if not is_ours(session, poll_id):
        return None
    logged = _logged(session, poll_id)
    entries: list[Entry] = [(NOTICE_ENTRY, each.hash) for each in notices_of(session, poll_id)]
    statement = session.execute(_STATEMENT_HASH, {"poll_id": poll_id}).scalar_one()
    if statement is not None:
        entries.append((STATEMENT_ENTRY, statement))
    missing = [entry for entry in entries if entry not in logged]
    if missing:
        append(session, log_id=poll_id, entries=missing)
    return len(missing)


def _logged(session: Session, poll_id: uuid.UUID) -> set[Entry]:
    known = select(LogEntry.kind, LogEntry.data).where(
        LogEntry.poll_id == poll_id, LogEntry.kind.in_((NOTICE_ENTRY, STATEMENT_ENTRY))
    )
    return {(kind, data) for kind, data in session.execute(known)}


def polls_with_unlogged_acts(session: Session) -> list[uuid.UUID]:
    """Polls with a notice, or a published count, that is not in their log."""
    notices = (
        select(Notice.poll_id)
        .outerjoin(
            LogEntry,
            (LogEntry.poll_id == Notice.poll_id)
            & (LogEntry.kind == text(str(NOTICE_ENTRY)))
            & (LogEntry.data == func.sha256(Notice.content)),
        )
        .where(LogEntry.poll_id.is_(None))
    )
    counts = (
        select(Poll.id)
        .outerjoin(
            LogEntry,
            (LogEntry.poll_id == Poll.id) & (LogEntry.kind == text(str(STATEMENT_ENTRY))),
        )
        .where(Poll.state == "published", LogEntry.poll_id.is_(None))
    )
    return list(session.scalars(notices.union(counts)))
