"""Deciding on what was reported: an officer releases a poll, or keeps it out of the lists."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.errors import NotFound, Text
from mvote.journal import Event, write_down
from mvote.moderation.case import (
    Case,
    Decided,
    Decision,
    Report,
    after,
    cut_to_hour,
    may_be_held_back,
)
from mvote.moderation.errors import CaseChanged, NeverHeldBack, NotImpartial
from mvote.moderation.reporting import Desk, reporter_of, tell_author, waiting_grounds
from mvote.moderation.showing import hide_now, show_again
from mvote.people.anchors import accounts_of_one
from mvote.people.citizens import Citizen
from mvote.polls.poll import Poll


@dataclass(frozen=True, kw_only=True)
class ReportsDecided(Event):
    kind: ClassVar[str] = "poll:reports-decided"
    decision: str
    reason: Text
    grounds: dict[str, int]
    was_held: bool


def decide(
    session: Session,
    *,
    poll_id: uuid.UUID,
    officer: Citizen,
    decision: Decision,
    reason: Text,
    version: str,
    desk: Desk,
) -> Case:
    """Answer all reports that wait, with a reason that the author is told.

    *version* is the case's as the officer has read it: what came since is answered by nobody who
    has not seen it. A poll that was kept can be released later; the other way round it takes new
    reports. Raises NotFound where nothing was reported, NotImpartial, CaseChanged,
    ImpossibleTransition, NeverHeldBack.
    """
    found = session.get(Case, poll_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound
    poll = session.get_one(Poll, poll_id)
    _check_impartial(session, poll, officer, desk.key)
    if version != found.version:
        raise CaseChanged
    state = after(found.state, decision)
    if decision == "keep" and not may_be_held_back(poll):
        raise NeverHeldBack
    grounds, now = waiting_grounds(session, found), database_time(session)
    decided = Decided(
        poll_id=poll_id,
        n=found.decided + 1,
        decision=decision,
        reason=reason,
        grounds=grounds,
        decided_by=officer.id,
        at=now,
        held_at=found.held_at,
    )
    session.add(decided)
    found.releases += decision == "release" and found.was_left_out
    found.state, found.decided = state, decided.n
    found.waiting, found.spent, found.waiting_since = 0, 0, None
    found.held_at = None if decision == "release" else found.held_at or cut_to_hour(now)
    session.flush()
    _make_known(session, officer, poll, decided)
    _show_or_hide(session, decided, desk)
    return found


def _check_impartial(session: Session, poll: Poll, officer: Citizen, key: bytes) -> None:
    """Whatever accounts they have."""
    is_own = poll.author_id in accounts_of_one(session, officer.id)
    reporter = reporter_of(session, poll=poll, citizen_id=officer.id, key=key)
    theirs = reporter and session.get(Report, (poll.id, reporter))
    if is_own or theirs:
        raise NotImpartial


def _show_or_hide(session: Session, decided: Decided, desk: Desk) -> None:
    if decided.decision == "keep":
        hide_now(session, poll_id=decided.poll_id, places=desk.places)
    elif decided.held_at:
        show_again(session, poll_id=decided.poll_id, places=desk.places)


def _make_known(session: Session, officer: Citizen, poll: Poll, decided: Decided) -> None:
    """To the author, save of a private poll: who has come in there are few, and nothing of it
    changes; that somebody reported it would be all the news."""
    event = ReportsDecided(
        decision=decided.decision,
        reason=decided.reason,
        grounds=decided.grounds,
        was_held=decided.held_at is not None,
    )
    write_down(session, event, actor_id=officer.id, subject_id=poll.id)
    if poll.is_private:
        return
    kind = "poll_released" if decided.decision == "release" else "poll_kept_out"
    facts = {"grounds": decided.grounds, "reason": decided.reason}
    tell_author(session, kind, poll.id, **facts)


def last_decision(session: Session, poll_id: uuid.UUID) -> Decided | None:
    """What was decided last; None if nothing was yet."""
    mine = select(Decided).where(Decided.poll_id == poll_id)
    return session.scalars(mine.order_by(Decided.n.desc()).limit(1)).one_or_none()
