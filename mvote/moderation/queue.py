"""What waits for an officer, what its author is shown, and what the public may count."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import DateTime, Uuid, case, cast, func, literal, select, text, tuple_
from sqlalchemy.orm import Session

from mvote.moderation.case import Case, Decided, Report
from mvote.moderation.deciding import last_decision
from mvote.moderation.earlier import Earlier, left_out_before
from mvote.moderation.reporting import waiting_grounds
from mvote.polls.poll import Poll

MOST_TEXTS = 100
Place = tuple[int, dt.datetime, uuid.UUID]
"""Where a page ends: how urgent its last case is, since when it waits, and its id."""
_RANK = case((Case.state == "held", 0), (Case.state == "reported", 1), else_=2)
_NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
_SINCE = func.coalesce(Case.waiting_since, _NEVER)


@dataclass(frozen=True, kw_only=True)
class Queued:
    """A case as officers see it: everything but who reported."""

    case: Case
    grounds: dict[str, int]
    texts: Sequence[Report]
    decisions: Sequence[Decided]
    before: Sequence[Earlier]

    @property
    def place(self) -> Place:
        rank = {"held": 0, "reported": 1}.get(self.case.state, 2)
        return rank, self.case.waiting_since or _NEVER, self.case.poll_id


def queue(session: Session, *, behind: Place | None = None, limit: int = 20) -> list[Queued]:
    """Held polls first, then others that wait, each the longest waiting first; then the decided."""
    order = (_RANK, _SINCE, Case.poll_id)
    cases = select(Case).order_by(*order).limit(limit)
    if behind is not None:
        rank, since, poll_id = behind
        last = (literal(rank), cast(since, DateTime(timezone=True)), cast(poll_id, Uuid()))
        cases = cases.where(tuple_(*order) > tuple_(*last))
    return [queued(session, each) for each in session.scalars(cases).all()]


def queued(session: Session, found: Case) -> Queued:
    """The case with its reports; texts in the order of their hashes, which says nothing."""
    reports = select(Report).where(
        Report.poll_id == found.poll_id,
        Report.decided_before == found.decided,
        Report.text.is_not(None),
    )
    decided = select(Decided).where(Decided.poll_id == found.poll_id).order_by(Decided.n)
    return Queued(
        case=found,
        grounds=waiting_grounds(session, found),
        texts=session.scalars(reports.order_by(Report.reporter).limit(MOST_TEXTS)).all(),
        decisions=session.scalars(decided).all(),
        before=left_out_before(session, found),
    )


def told_to_author(session: Session, poll: Poll) -> dict[str, Any] | None:
    """What the author of a poll is shown of its case: from the day it is held back or decided.

    Nothing of a private one: so few have come in that its author could guess who reported.
    """
    found = None if poll.is_private else session.get(Case, poll.id)
    decided = last_decision(session, poll.id)
    if found is None or (found.state != "held" and decided is None):
        return None
    is_held = found.state == "held"
    grounds = waiting_grounds(session, found) if is_held or not decided else decided.grounds
    return {
        "state": "held" if is_held else "released" if found.held_at is None else "kept",
        "grounds": grounds,
        "held_at": found.held_at,
        "reason": None if is_held or not decided else decided.reason,
        "decided_at": None if is_held or not decided else decided.at,
    }


# Of public polls alone: whoever watched the figures would see when somebody in a room reports.
_SUMMARY = text("""
WITH public_case AS (
    SELECT c.* FROM moderation_case c JOIN poll ON poll.id = c.poll_id AND NOT poll.is_private
), decided AS (
    SELECT d.* FROM moderation_decision d JOIN public_case USING (poll_id)
), hold AS (
    SELECT held_at, at FROM decided d
    WHERE held_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM decided before
        WHERE before.poll_id = d.poll_id AND before.n = d.n - 1 AND before.decision = 'keep')
)
SELECT (SELECT count(*) FROM public_case WHERE state = 'reported') AS reported,
    (SELECT count(*) FROM public_case WHERE state = 'held') AS held_now,
    (SELECT count(*) FROM public_case WHERE state = 'kept') AS kept_now,
    (SELECT count(*) FROM hold)
        + (SELECT count(*) FILTER (WHERE state = 'held') + coalesce(sum(expired), 0)
            FROM public_case) AS held,
    (SELECT coalesce(sum(expired), 0) FROM public_case) AS expired,
    (SELECT CAST(min(waiting_since) AT TIME ZONE 'UTC' AS date) FROM public_case)
        AS oldest_waiting_since,
    (SELECT count(*) FROM decided WHERE decision = 'release') AS released,
    (SELECT count(*) FROM decided WHERE decision = 'keep') AS kept,
    (SELECT CAST(percentile_disc(0.5) WITHIN GROUP (
        ORDER BY floor(extract(epoch FROM at - held_at) / 3600)) AS integer) FROM hold)
        AS median_hours_held
""")


def summary(session: Session) -> dict[str, Any]:
    """How many public polls were held back, released, kept out of lists, and how long that took.

    Hours are whole ones: since when a poll was held back is kept to the hour.
    """
    return dict(session.execute(_SUMMARY).mappings().one())
