"""Forgetting who reported: some time after the decision, or as far as an account was deleted."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import LargeBinary, any_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from mvote.moderation.case import Case, Decided, Report
from mvote.moderation.reporting import hash_of_reporter, reports_one_by_one
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
    over: else one could report, delete the account and report again. Until commit nothing more is
    reported with the account."""
    reports_one_by_one(session, citizen_id)
    for report in _own(session, citizen_id, key):
        report.text = None
    session.flush()


def _own(session: Session, citizen_id: uuid.UUID, key: bytes) -> Sequence[Report]:
    """In one statement, however many polls were reported."""
    anchors = anchors_of(session, citizen_id)
    if not anchors:
        return ()
    posted = select(Poll.id, Poll.frozen_at).where(Poll.id.in_(select(Case.poll_id)))
    tried = [
        hash_of_reporter(key, poll_id, anchor_at(anchors, frozen_at))
        for poll_id, frozen_at in session.execute(posted)
        if frozen_at
    ]
    # a hash holds for its poll alone, so that no other's report has it
    mine = Report.reporter == any_(bindparam(None, tried, type_=ARRAY(LargeBinary)))
    return session.scalars(select(Report).where(mine).order_by(Report.poll_id)).all()
