"""Reporting a poll."""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.db import transaction
from api.etags import tagged
from api.moderation.schemas import NewReport, TakenReportSchema
from api.polls.visiting import poll_shown_to, takes_a_pass
from api.wiring import wiring
from mvote.errors import NotFound, TooManyRequests
from mvote.moderation.errors import AlreadyReported, OwnPollReported, ReporterNotConfirmed
from mvote.moderation.reporting import Complaint, count_report, report_poll
from mvote.polls.poll import Poll

blp = Blueprint("poll_reports", "poll_reports", description="Reporting polls.")


@blp.post("/reports")
@access("citizen")
@takes_a_pass
@may_raise(NotFound, OwnPollReported, ReporterNotConfirmed, AlreadyReported, TooManyRequests)
@blp.arguments(NewReport)
@blp.response(201, TakenReportSchema)
def report_a_poll(reported: dict[str, Any]) -> Response:
    """Report a poll to the city's officers; once for each person and poll.

    Enough people hold a citizen's poll back: it is in no list until an officer has looked, while
    voting by its link goes on. Nobody is told who reported. A private poll is reported by whoever
    has its pass. Sent again it is `already-reported`, with a key or without: no answer is kept.
    """
    complaint = Complaint(ground=reported["ground"], text=reported["text"])
    desk = wiring().moderation
    with transaction() as session:
        count_report(session, poll=_reportable(session, reported), citizen=caller(), desk=desk)
    with transaction() as session:
        poll = _reportable(session, reported)
        report_poll(session, poll=poll, citizen=caller(), complaint=complaint, desk=desk)
    return tagged(TakenReportSchema().dump(reported), status=201)


def _reportable(session: Session, reported: dict[str, Any]) -> Poll:
    """The poll, if the caller may know of it and anybody else may. Raises NotFound."""
    poll = poll_shown_to(session, reported["poll_id"], caller())
    if poll.frozen_at is None:
        raise NotFound
    return poll
