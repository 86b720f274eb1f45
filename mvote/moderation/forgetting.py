"""Forgetting who reported: some time after the decision, or as far as an account was deleted."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from mvote.moderation.case import Decided, Report
from mvote.moderation.reporting import hash_of_reporter
from mvote.people.voters import anchor_at, anchors_of
from mvote.polls.poll import Poll

REPORT_TERM = dt.timedelta(days=90)
"""So long after its decision a report keeps its person from reporting the same poll again."""


def forget_decided_reports(session: Session) -> None:
    """Delete reports that were decided on long ago; how many there were stays with the decision."""
    is_old = select(Decided.n).where(
        Decided.poll_id == Report.poll_id,
        Decided.n == Report.decided_before + 1,
        Decided.at < func.clock_timestamp() - REPORT_TERM,
    )
    session.execute(
        delete(Report).where(is_old.exists()).execution_options(synchronize_session=False)
    )


def reports_of(session: Session, *, citizen_id: uuid.UUID, key: bytes) -> list[Report]:
    """The citizen's own reports that are still kept: found by trying each reported poll."""
    return list(_own(session, citizen_id, key))


def forget_texts(session: Session, *, citizen_id: uuid.UUID, key: bytes) -> None:
    """Take away what the citizen wrote in reports. That there is a report stays until its term is
    over: else one could report, delete the account and report again."""
    for report in _own(session, citizen_id, key):
        mine = (Report.poll_id == report.poll_id, Report.reporter == report.reporter)
        session.execute(update(Report).where(*mine).values(text=None))


def _own(session: Session, citizen_id: uuid.UUID, key: bytes) -> Iterator[Report]:
    anchors = anchors_of(session, citizen_id)
    if not anchors:
        return
    opened = select(Poll.id, Poll.opens_at).where(Poll.id.in_(select(Report.poll_id)))
    for poll_id, opens_at in session.execute(opened.order_by(Poll.id)).all():
        anchor = anchor_at(anchors, opens_at) if opens_at else b""
        report = session.get(Report, (poll_id, hash_of_reporter(key, poll_id, anchor)))
        if report is not None:
            yield report
