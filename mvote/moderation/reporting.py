"""Reporting a poll: once for each person. Enough reports hold a citizen's poll back."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import case, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.ballotbox.notation import m
from mvote.base import database_time
from mvote.budget.telling.bulletin import Bulletin
from mvote.journal import Event, write_down
from mvote.moderation.case import Case, Ground, Report, after, cut_to_hour, may_be_held_back
from mvote.moderation.errors import AlreadyReported, OwnPollReported, ReporterNotConfirmed
from mvote.moderation.showing import hide_now
from mvote.people.anchors import accounts_of_one
from mvote.people.citizens import Citizen
from mvote.people.limits import Limit, hashes_of_person, use_up
from mvote.people.voters import voter_of
from mvote.polls.drafting import is_own
from mvote.polls.places import Places
from mvote.polls.poll import Poll

REPORT_KEY = "report-hash"
LIMIT_LABEL = "mvote/reports/2"
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:citizen, 13))")
PER_PERSON = Limit("reports", 3, dt.timedelta(days=1))


@dataclass(frozen=True, kw_only=True)
class PollHeldBack(Event):
    kind: ClassVar[str] = "poll:held-back"
    grounds: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What reporting takes from outside the database."""

    key: bytes
    places: Places
    #: so many different people hold a poll back
    to_hold: int


@dataclass(frozen=True, kw_only=True)
class Complaint:
    ground: Ground
    text: str | None = None


def count_report(session: Session, *, poll: Poll, citizen: Citizen, desk: Desk) -> None:
    """Count a report against its person's limit, in a transaction before that of `report_poll`.

    Two rows of one transaction have the same `xmin`: whoever steals the database would see whose
    report it is. So the subject takes our key, too, and spans begin with a full hour. Raises
    TooManyRequests and, before it counts, as `report_poll` does.
    """
    reporter = _checked_reporter(session, poll, citizen, desk.key)
    if session.get(Report, (poll.id, reporter)) is not None:
        raise AlreadyReported
    now = cut_to_hour(database_time(session))
    for bearer in hashes_of_person(session, citizen.id, LIMIT_LABEL):
        use_up(session, PER_PERSON, subject_hash=m(desk.key, LIMIT_LABEL, bearer), now=now)


def report_poll(
    session: Session, *, poll: Poll, citizen: Citizen, complaint: Complaint, desk: Desk
) -> None:
    """Keep the report; hold the poll back if that makes enough. Who it was is not kept.

    After each release it takes twice as many new ones; what an officer keeps out already needs no
    other decision. Raises OwnPollReported,
    ReporterNotConfirmed, AlreadyReported.
    """
    reports_one_by_one(session, citizen.id)
    reporter = _checked_reporter(session, poll, citizen, desk.key)
    found = _counted(session, poll.id)
    report = insert(Report).values(
        poll_id=poll.id,
        reporter=reporter,
        ground=complaint.ground,
        text=complaint.text,
        decided_before=found.decided_before,
    )
    if session.scalar(report.on_conflict_do_nothing().returning(Report.poll_id)) is None:
        raise AlreadyReported
    if _is_enough(found, poll, desk.to_hold):
        _hold(session, poll, found, desk.places)


def reports_one_by_one(session: Session, citizen_id: uuid.UUID) -> None:
    """Until commit nothing else is reported with this account, nor is what it wrote forgotten.

    A lock of the account's row would leave this transaction's number in it, for whoever steals
    the database to join.
    """
    session.execute(_ALONE, {"citizen": str(citizen_id)})


def _checked_reporter(session: Session, poll: Poll, citizen: Citizen, key: bytes) -> bytes:
    if is_own(poll, citizen) or poll.author_id in accounts_of_one(session, citizen.id):
        raise OwnPollReported
    reporter = reporter_of(session, poll=poll, citizen_id=citizen.id, key=key)
    if reporter is None:
        raise ReporterNotConfirmed
    return reporter


def reporter_of(session: Session, *, poll: Poll, citizen_id: uuid.UUID, key: bytes) -> bytes | None:
    """What stands for a person in reports of this poll; None if nothing says yet who it is.

    By the anchor in force when the poll was posted, which nobody renews: deleting the account,
    changing the number or linking another does not report twice. When voting begins would be no
    such instant: until then each new anchor is the one in force.
    """
    assert poll.frozen_at is not None  # noqa: S101 - nobody knows of a draft
    voter = voter_of(session, citizen_id, opened_at=poll.frozen_at)
    return hash_of_reporter(key, poll.id, voter.anchor) if voter and voter.anchor else None


def hash_of_reporter(key: bytes, poll_id: uuid.UUID, anchor: bytes) -> bytes:
    """32 bytes, for this poll alone: nobody sees that two polls have one reporter."""
    return m(key, "mvote/report/1", poll_id.bytes, anchor)


def _counted(session: Session, poll_id: uuid.UUID) -> Case:
    """The case with one more report, its row locked: whoever reports at the same moment waits."""
    now = func.date_trunc("hour", func.clock_timestamp(), "UTC")
    first = insert(Case).values(poll_id=poll_id, state="reported", waiting=1, waiting_since=now)
    is_kept = Case.state == "kept"
    more = first.on_conflict_do_update(
        index_elements=[Case.poll_id],
        set_={
            "state": case((Case.state == "released", "reported"), else_=Case.state),
            "waiting": case((is_kept, 0), else_=Case.waiting + 1),
            "waiting_since": case((is_kept, None), else_=func.coalesce(Case.waiting_since, now)),
        },
    )
    fresh = {"populate_existing": True}
    return session.scalars(more.returning(Case), execution_options=fresh).one()


def _is_enough(found: Case, poll: Poll, to_hold: int) -> bool:
    needed, new = to_hold * 2**found.releases, found.waiting - found.spent
    return found.state == "reported" and may_be_held_back(poll) and new >= needed


def _hold(session: Session, poll: Poll, found: Case, places: Places) -> None:
    now = cut_to_hour(database_time(session))
    found.state, found.held_at = after(found.state, "hold"), now
    session.flush()
    grounds = waiting_grounds(session, found)
    write_down(session, PollHeldBack(grounds=grounds), actor_id=None, subject_id=poll.id)
    tell_author(session, "poll_held_back", poll.id, grounds=grounds)
    hide_now(session, poll_id=poll.id, places=places)


def waiting_grounds(session: Session, found: Case) -> dict[str, int]:
    """How many reports wait for a decision, by ground, the most frequent first."""
    number = func.count()
    waiting = select(Report.ground, number).where(
        Report.poll_id == found.poll_id, Report.decided_before == found.decided
    )
    by_ground = waiting.group_by(Report.ground).order_by(number.desc(), Report.ground)
    return dict(session.execute(by_ground).all())


def tell_author(session: Session, kind: Any, poll_id: uuid.UUID, **facts: Any) -> None:
    """Write what lies in the author's inbox soon."""
    session.add(Bulletin(kind=kind, poll_id=poll_id, facts=facts))
    session.flush()
