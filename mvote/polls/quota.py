"""How many polls one citizen may make: per person, whatever accounts and numbers they go through.

In any seven days a person drafts so many polls, cancelled ones too, and opens so many: drafts that
were saved up over weeks do not come all at once. Accounts that vote as one person make polls as
one. Whoever deletes an account and comes back with the same number or identity goes on where they
were: for that a keyed hash of it is kept, with a number beside, for seven days at most.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from mvote.base import database_time
from mvote.errors import TooManyRequests
from mvote.people.anchors import accounts_of_one
from mvote.people.citizens import Citizen
from mvote.people.limits import Limit, use_up
from mvote.people.voters import anchors_of
from mvote.polls.errors import OpenerNotConfirmed, QuotaReached, TooManyDrafts
from mvote.polls.poll import Poll

WEEK = dt.timedelta(days=7)
MOST_DRAFTS = 20
"""So many drafts lie there at most, each to be opened or cancelled."""
# One at a time for each person, or two at once would both find room.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:person, 1))")


def check_drafting(session: Session, *, author_id: uuid.UUID, quota: int) -> None:
    """Count a citizen's new draft. Raises QuotaReached, TooManyDrafts."""
    person = _alone(session, author_id)
    now = database_time(session)
    _check(_times(session, person, Poll.created_at, now), quota, now)
    waiting = select(func.count()).select_from(Poll).where(_theirs(person), Poll.state == "draft")
    if session.scalars(waiting).one() >= MOST_DRAFTS:
        raise TooManyDrafts(most=MOST_DRAFTS)
    _check_those_before(session, author_id, Limit("citizen-polls", quota, WEEK), now)


def check_opening(session: Session, *, poll: Poll, quota: int) -> None:
    """Whether a citizen may open one more draft, whose row is locked. Raises QuotaReached, and
    OpenerNotConfirmed while nothing says which person this is."""
    if poll.origin == "citizen" and poll.state == "draft":
        if not anchors_of(session, poll.author_id):
            raise OpenerNotConfirmed
        person = _alone(session, poll.author_id)
        now = database_time(session)
        _check(_times(session, person, Poll.frozen_at, now), quota, now)
        _check_those_before(session, poll.author_id, Limit("citizen-openings", quota, WEEK), now)


def _alone(session: Session, author_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """All accounts of the author, the eldest first, once nobody else counts for them."""
    person = sorted(accounts_of_one(session, author_id))
    session.execute(_ALONE, {"person": str(person[0])})
    return person


def _theirs(person: Sequence[uuid.UUID]) -> ColumnElement[bool]:
    return and_(Poll.author_id.in_(person), Poll.origin == "citizen")


def _times(
    session: Session,
    person: Sequence[uuid.UUID],
    when: InstrumentedAttribute[Any],
    now: dt.datetime,
) -> Sequence[dt.datetime]:
    """When they did it in the last seven days, in order."""
    lately = select(when).where(_theirs(person), when > now - WEEK)
    return session.scalars(lately.order_by(when)).all()


def _check(times: Sequence[dt.datetime], quota: int, now: dt.datetime) -> None:
    """Raises QuotaReached with the instant from which the next is possible."""
    if len(times) >= quota:
        _refuse(quota, (times[len(times) - quota] if quota > 0 else now) + WEEK - now)


def _check_those_before(
    session: Session, author_id: uuid.UUID, limit: Limit, now: dt.datetime
) -> None:
    """The same for whoever had this number or identity with an account that is gone."""
    citizen = session.get(Citizen, author_id)
    bearers = (citizen.phone_hash, citizen.identity_hash) if citizen else ()
    try:
        for bearer in filter(None, bearers):
            use_up(session, limit, subject_hash=bearer, now=now)
    except TooManyRequests as refused:
        _refuse(limit.most, dt.timedelta(seconds=refused.retry_after_s))


def _refuse(quota: int, wait: dt.timedelta) -> None:
    raise QuotaReached(per_week=quota, retry_after_s=max(1, math.ceil(wait.total_seconds())))
