"""Lists of polls: what everyone may know of, newest first, by status, origin, area or words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, cast, func, not_, or_, select
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH, array
from sqlalchemy.orm import Session, defer
from sqlalchemy.orm.attributes import set_committed_value

from mvote.moderation.case import left_out
from mvote.polls.poll import Origin, Poll, Status

MOST_LISTED = 100
"""Options of a question in a list: all that a poll of one's own may have, not all projects of a
ballot, which may be 1,000 of several hundred bytes each."""
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
    """What everybody may come upon, newest first, one more than the limit if there are more."""
    query = _narrowed(select(Poll).where(in_lists()), wanted, now)
    return for_a_list(session, query.order_by(Poll.id.desc()).limit(wanted.limit + 1))


def in_lists() -> ColumnElement[bool]:
    """SQL: everybody may come upon the poll: it was frozen, is public, and not held back."""
    return and_(Poll.frozen_at.is_not(None), Poll.is_private.is_(False), not_(left_out()))


def for_a_list(session: Session, query: Select[Any]) -> Sequence[Poll]:
    """The polls as lists show them: of long questions the first options, and how many are left out.

    The others do not even leave the database.
    """
    rows = session.execute(query.add_columns(_shortened()).options(defer(Poll.content)))
    polls = []
    for poll, content in rows:
        set_committed_value(poll, "content", content)
        polls.append(poll)
    return polls


def _shortened() -> ColumnElement[Any]:
    options = Poll.content["question"]["options"]
    first = cast(f"$.question.options[0 to {MOST_LISTED - 1}]", JSONPATH)
    kept = func.jsonb_path_query_array(Poll.content, first)
    left_out = func.to_jsonb(func.jsonb_array_length(options) - MOST_LISTED)
    some = func.jsonb_set(Poll.content, array(["question", "options"]), kept)
    short = func.jsonb_set(some, array(["question", "options_left_out"]), left_out)
    is_long = func.jsonb_array_length(options) > MOST_LISTED
    return case((is_long, short), else_=Poll.content).cast(JSONB)


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
