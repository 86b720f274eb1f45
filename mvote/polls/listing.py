"""Lists of polls: what everyone may know of, newest first, by status, origin, area or words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from mvote.polls.poll import Origin, Poll, Status

Filter = Callable[[dt.datetime], ColumnElement[bool]]
CLOCK_STATUSES: dict[Status, Filter] = {
    "scheduled": lambda now: and_(Poll.state == "open", Poll.opens_at > now),
    "open": lambda now: and_(Poll.state == "open", Poll.opens_at <= now, Poll.closes_at > now),
    "closing": lambda now: or_(
        Poll.state == "closing", and_(Poll.state == "open", Poll.closes_at <= now)
    ),
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a list is narrowed to; None is everything."""

    status: Status | None = None
    origin: Origin | None = None
    area_code: str | None = None
    words: str | None = None
    #: continue behind this poll
    before: uuid.UUID | None = None
    limit: int = 20


def list_polls(session: Session, *, wanted: Wanted, now: dt.datetime) -> Sequence[Poll]:
    """Public polls that were frozen, newest first, one more than the limit if there are more."""
    public = select(Poll).where(Poll.frozen_at.is_not(None), Poll.is_private.is_(False))
    query = _narrowed(public, wanted, now)
    return session.scalars(query.order_by(Poll.id.desc()).limit(wanted.limit + 1)).all()


def own_drafts(session: Session, *, author_id: uuid.UUID, limit: int) -> Sequence[Poll]:
    """The author's polls that were never opened, newest first."""
    mine = select(Poll).where(Poll.author_id == author_id, Poll.frozen_at.is_(None))
    return session.scalars(mine.order_by(Poll.id.desc()).limit(limit)).all()


def _narrowed(query: Select[Any], wanted: Wanted, now: dt.datetime) -> Select[Any]:
    if wanted.status:
        clocked = CLOCK_STATUSES.get(wanted.status)
        query = query.where(clocked(now) if clocked else Poll.state == wanted.status)
    if wanted.origin:
        query = query.where(Poll.origin == wanted.origin)
    if wanted.area_code:
        query = query.where(_asks_area(wanted.area_code))
    if wanted.words:
        query = query.where(_title_holds(wanted.words))
    if wanted.before:
        query = query.where(Poll.id < wanted.before)
    return query


def _asks_area(area_code: str) -> ColumnElement[bool]:
    eligible = Poll.content["eligibility"]["areas"].contains([area_code])
    present = Poll.content["presence"]["area"]["area_code"].astext == area_code
    return or_(eligible, present)


def _title_holds(words: str) -> ColumnElement[bool]:
    titles = func.concat_ws(
        " ", Poll.content["title"]["ko"].astext, Poll.content["title"]["en"].astext
    )
    return and_(*(titles.icontains(word, autoescape=True) for word in words.split()))
