"""Sending a proposal back to its authors, and what happens to one that does not come again."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mvote.base import database_time, instant
from mvote.budget.assessing import PHASES, check_may_assess, take
from mvote.budget.assessment import Appeal, Return
from mvote.budget.hindrances import has_appeals
from mvote.budget.looking_up import cycle_of, locked_proposal
from mvote.budget.phases import require_phase
from mvote.budget.proposal import Proposal, after
from mvote.budget.proposal_errors import AppealOver
from mvote.budget.proposal_rules import days_from
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, Text, stands_for
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say

stands_for("proposal_appealed_in_time", lambda: AppealOver(why="too late"))
LONGEST_RETURN = dt.timedelta(days=90)
AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class ProposalReturned(Event):
    kind: ClassVar[str] = "proposal:returned"
    due_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class ProposalLapsed(Event):
    kind: ClassVar[str] = "proposal:lapsed"


@dataclass(frozen=True, kw_only=True)
class ProposalAppealed(Event):
    kind: ClassVar[str] = "proposal:appealed"


def return_to_authors(
    session: Session,
    *,
    proposal_id: uuid.UUID,
    by: Citizen,
    missing: Text,
    due_at: dt.datetime | None,
) -> Proposal:
    """Send back a submitted proposal: what is *missing*, and until when (by the cycle's clock).

    Raises NotFound, NotAllowed, ImpossibleTransition, InvalidRequest.
    """
    proposal = locked_proposal(session, proposal_id, by.id)
    now = database_time(session)
    if proposal.state != "submitted":  # the committee, too, returns: by a judgment
        raise ImpossibleTransition(state=proposal.state_at(now), verb="return")
    require_phase(session, proposal.cycle_id, *PHASES)
    take(session, proposal, by)
    check_may_assess(session, proposal, by)
    due_at = due_at or days_from(now, cycle_of(session, proposal), "return_days")
    if not now < due_at <= now + LONGEST_RETURN:
        raise InvalidRequest(Fault("/due_at", say("Must be later than now, within 90 days.")))
    proposal.move("return", now=now, due_at=due_at)
    session.add(Return(proposal_id=proposal_id, missing=missing, by=by.id, at=now, due_at=due_at))
    session.flush()
    write_down(session, ProposalReturned(due_at=due_at), actor_id=by.id, subject_id=proposal_id)
    return proposal


def lapse_missed(session: Session) -> int:
    """Let what was returned and did not come again in time lapse; how many did."""
    now = database_time(session)
    missed = (
        select(Proposal)
        .where(Proposal.state == "returned", Proposal.due_at <= func.clock_timestamp())
        .order_by(Proposal.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    lapsed = session.scalars(missed).all()
    for proposal in lapsed:
        proposal.move("lapse", now=now)
        write_down(session, ProposalLapsed(), actor_id=None, subject_id=proposal.id)
    session.flush()
    return len(lapsed)


def last_returns(session: Session, proposals: Collection[uuid.UUID]) -> dict[uuid.UUID, Return]:
    """The last time that each of them was sent back, where any was."""
    of_them = select(Return).where(Return.proposal_id.in_(proposals))
    in_order = session.scalars(of_them.order_by(Return.id)) if proposals else ()
    return {each.proposal_id: each for each in in_order}


def appeal(session: Session, *, proposal: Proposal, by: uuid.UUID, grounds: Text) -> None:
    """Have a rejection judged anew, once, within the cycle's days. By an author.

    Raises ImpossibleTransition, AppealOver.
    """
    now, cycle = database_time(session), cycle_of(session, proposal)
    after(proposal.state_at(now), "appeal")
    if not has_appeals(cycle):  # it would wait for ever, and the ballot with it
        raise AppealOver(why="nobody judges appeals")
    if proposal.appealed_at is not None:
        raise AppealOver(why="appealed before")
    if proposal.due_at is not None and proposal.due_at <= now:
        raise AppealOver(why="too late", due_at=instant(proposal.due_at))
    due_at = days_from(now, cycle, "appeal_decision_days")
    proposal.appealed_at = now
    proposal.move("appeal", now=now, due_at=due_at)
    session.add(Appeal(proposal_id=proposal.id, grounds=grounds, by=by, at=now))
    session.flush()
    write_down(session, ProposalAppealed(), actor_id=by, subject_id=proposal.id)
