"""The inbox of a citizen: reading it, and marking it as read."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.cycle import Cycle
from mvote.budget.proposal import Proposal
from mvote.budget.revision import Revision
from mvote.budget.telling.bulletin import Bulletin, InboxItem
from mvote.errors import NotFound, Text
from mvote.polls.poll import Poll


@dataclass(frozen=True, kw_only=True)
class Received:
    """A bulletin as its reader has it, with what it is about."""

    bulletin: Bulletin
    read_at: dt.datetime | None
    #: of the proposal; None where several are summed up, and of a poll
    reference: str | None
    title: Text | None
    cycle_title: Text | None
    poll_title: Text | None
    #: the cycle's
    time_zone: str | None


KEPT = dt.timedelta(days=730)
"""So long a bulletin lies in inboxes, read or not: two yearly cycles. What happened stays public
with the proposal."""
MOST_AT_ONCE = 50_000
Place = tuple[dt.datetime, uuid.UUID]
"""Where a page of the inbox ends: the instant of its last bulletin, and its id."""


def inbox_of(
    session: Session,
    *,
    citizen_id: uuid.UUID,
    only_unread: bool = False,
    before: Place | None = None,
    limit: int = 20,
) -> Sequence[Received]:
    """What the citizen was told, newest first, at most so many."""
    query = (
        select(
            Bulletin,
            InboxItem.read_at,
            Proposal.reference,
            Revision.content["title"],
            Cycle.title,
            Poll.content["title"],
            Cycle.time_zone,
        )
        .join(InboxItem, InboxItem.bulletin_id == Bulletin.id)
        .outerjoin(Cycle, Cycle.id == Bulletin.cycle_id)
        .outerjoin(Poll, Poll.id == Bulletin.poll_id)
        .outerjoin(Proposal, Proposal.id == Bulletin.proposal_id)
        .outerjoin(
            Revision, and_(Revision.proposal_id == Proposal.id, Revision.n == Proposal.revision)
        )
        .where(InboxItem.citizen_id == citizen_id)
    )
    if only_unread:
        query = query.where(InboxItem.read_at.is_(None))
    if before is not None:
        query = query.where(tuple_(Bulletin.at, Bulletin.id) < before)
    newest_first = query.order_by(Bulletin.at.desc(), Bulletin.id.desc()).limit(limit)
    names = (
        "bulletin", "read_at", "reference", "title", "cycle_title", "poll_title", "time_zone",
    )  # fmt: skip
    return [Received(**dict(zip(names, row, strict=True))) for row in session.execute(newest_first)]


def mark_read(session: Session, *, citizen_id: uuid.UUID, bulletin_id: uuid.UUID) -> None:
    """Mark one bulletin as read; read before, it keeps its time. Raises NotFound."""
    item = session.get(InboxItem, (citizen_id, bulletin_id), with_for_update=True)
    if item is None:
        raise NotFound
    if item.read_at is None:
        item.read_at = database_time(session)
        session.flush()


def mark_all_read(session: Session, *, citizen_id: uuid.UUID) -> None:
    """Mark everything as read that lies in the inbox now."""
    unread = (InboxItem.citizen_id == citizen_id, InboxItem.read_at.is_(None))
    session.execute(update(InboxItem).where(*unread).values(read_at=func.clock_timestamp()))


def unread_count(session: Session, *, citizen_id: uuid.UUID) -> int:
    """How much in the inbox is not read."""
    unread = (InboxItem.citizen_id == citizen_id, InboxItem.read_at.is_(None))
    return session.scalars(select(func.count()).select_from(InboxItem).where(*unread)).one()


def remove_old_items(session: Session) -> int:
    """Take out of all inboxes what was told longer ago than its term; how much, so much at most.

    Nobody marks it as read at this moment: who does holds its row, and it is left for later.
    """
    old = (
        select(InboxItem.citizen_id, InboxItem.bulletin_id)
        .join(Bulletin, Bulletin.id == InboxItem.bulletin_id)
        .where(Bulletin.told_at < func.clock_timestamp() - KEPT)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True, of=InboxItem)
        .cte()
    )
    mine = (InboxItem.citizen_id == old.c.citizen_id, InboxItem.bulletin_id == old.c.bulletin_id)
    removed = session.execute(delete(InboxItem).where(*mine))
    return int(removed.rowcount)  # type: ignore[attr-defined]
