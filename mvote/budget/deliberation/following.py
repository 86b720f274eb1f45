"""What follows from a judgment for the proposal."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.assessment import Return
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.deliberation.judgment import Judgment
from mvote.budget.deliberation.rules import review_of
from mvote.budget.hindrances import has_appeals
from mvote.budget.proposal import Proposal
from mvote.budget.proposal_rules import days_from
from mvote.budget.reviewing.review import Review as OneReview
from mvote.budget.seat import Seat


def follow(
    session: Session, cycle: Cycle, proposal: Proposal, judgment: Judgment, *, is_carried: bool
) -> None:
    """Let the proposal go where the judgment leads; a body's approval may wait for confirmation."""
    now = database_time(session)
    if judgment.motion in ("approve", "confirm"):
        if not is_carried:
            reject(session, cycle, proposal, now)
        elif judgment.motion == "approve" and _awaits_confirmation(session, cycle, judgment):
            _publish_opinions(session, judgment)
        else:
            proposal.move("approve", now=now)
    elif judgment.motion == "appeal":
        _decide_appeal(session, cycle, proposal, now, is_carried=is_carried)
    elif is_carried and judgment.motion == "return":
        _return(session, cycle, proposal, judgment, now)
    elif is_carried and judgment.motion == "call_up":
        proposal.move("call_up", now=now)
    elif is_carried:
        reject(session, cycle, proposal, now)
    session.flush()


def reject(session: Session, cycle: Cycle, proposal: Proposal, now: dt.datetime) -> None:
    """Reject it; its author may appeal once, within the cycle's days."""
    can_appeal = proposal.appealed_at is None and has_appeals(cycle)
    due_at = days_from(now, cycle, "appeal_days") if can_appeal else None
    proposal.move("reject", now=now, due_at=due_at)
    session.flush()


def _awaits_confirmation(session: Session, cycle: Cycle, judgment: Judgment) -> bool:
    """Another body confirms, unless it judged itself, or an appeal's judges did."""
    confirm = review_of(cycle).confirm
    judged_by = session.get_one(Committee, judgment.committee_id).kind
    proposal = session.get_one(Proposal, judgment.proposal_id)
    return confirm is not None and judged_by != confirm and proposal.appealed_at is None


def _publish_opinions(session: Session, judgment: Judgment) -> None:
    """Scores are public with the body's judgment, whoever confirms it."""
    of_it = update(OneReview).where(
        OneReview.proposal_id == judgment.proposal_id,
        OneReview.committee_id == judgment.committee_id,
        OneReview.judged_at.is_(None),
    )
    session.execute(of_it.values(judged_at=func.clock_timestamp()))


def _decide_appeal(
    session: Session, cycle: Cycle, proposal: Proposal, now: dt.datetime, *, is_carried: bool
) -> None:
    if is_carried:
        proposal.move("review", now=now)
    else:
        reject(session, cycle, proposal, now)


def _return(
    session: Session, cycle: Cycle, proposal: Proposal, judgment: Judgment, now: dt.datetime
) -> None:
    """Back to its authors: what is missing, and until when it must come again."""
    due_at = days_from(now, cycle, "return_days")
    chair = session.get_one(Seat, judgment.closed_by)
    session.add(Return(
        proposal_id=proposal.id, missing=judgment.missing, by=chair.citizen_id, at=now,
        due_at=due_at,
    ))  # fmt: skip
    proposal.move("return", now=now, due_at=due_at)
