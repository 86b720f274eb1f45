"""Proposals of the demo: drafted, submitted and supported, then found and confirmed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.budget.proposal_schemas import NewProposal
from api.db import transaction
from api.demo.budget import people
from api.demo.budget.ideas import DEPARTMENT_FOR, Idea
from geo.proposals import CityProposalPlaces
from mvote.base import utc_now
from mvote.budget.assessing import assess
from mvote.budget.assessment import CHECKS
from mvote.budget.cycle import Cycle
from mvote.budget.planning import cycle_of
from mvote.budget.proposal import Proposal
from mvote.budget.proposing import draft_proposal, submit_proposal
from mvote.budget.supporting import support

SUPPORTERS = (1, 2)
"""At least so many stand behind each, and up to so many more but one."""
FINE = {"ko": "담당 부서에서 확인했습니다.", "en": "The department has checked it."}
VISIT = {"ko": "현장을 둘러보았습니다.", "en": "We have seen the place."}


def propose_all(cycle_id: uuid.UUID, ideas: Sequence[Idea]) -> None:
    """All proposals with their supporters, in the order of *ideas*, if they are not there."""
    with transaction() as session:
        if _proposals(session, cycle_id):
            return
        authors, supporters = people.authors(session), people.citizens(session)
        cycle = cycle_of(session, cycle_id)
        for place, idea in enumerate(ideas):
            proposal_id = _propose(session, cycle, idea, authors[place % len(authors)])
            for citizen_id in _behind(place, supporters):
                support(session, proposal_id=proposal_id, citizen_id=citizen_id)


def _proposals(session: Session, cycle_id: uuid.UUID) -> Sequence[Proposal]:
    of_it = select(Proposal).where(Proposal.cycle_id == cycle_id)
    return session.scalars(of_it.order_by(Proposal.number)).all()


def _propose(session: Session, cycle: Cycle, idea: Idea, author_id: uuid.UUID) -> uuid.UUID:
    proposal = draft_proposal(
        session,
        cycle=cycle,
        author_id=author_id,
        content=NewProposal().load(idea.content()),
        contact=None,
        places=CityProposalPlaces(),
    )
    submit_proposal(session, proposal=proposal, cycle=cycle, by=author_id)
    return proposal.id


def _behind(place: int, citizens: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    least, more = SUPPORTERS
    count = least + place % more
    return [citizens[(place * 5 + n) % len(citizens)] for n in range(count)]


def assess_all(cycle_id: uuid.UUID, ideas: Sequence[Idea]) -> None:
    """Let two officers of the department in question find each feasible that is not assessed."""
    with transaction() as session:
        departments = {DEPARTMENT_FOR[idea.heading] for idea in ideas}
        officers = {each: people.officers(session, each) for each in sorted(departments)}
        for proposal, idea in zip(_proposals(session, cycle_id), ideas, strict=True):
            if proposal.state == "submitted":
                finding = found(idea)
                for officer in officers[DEPARTMENT_FOR[idea.heading]]:
                    assess(session, proposal_id=proposal.id, by=officer, found=finding)


def found(idea: Idea) -> dict[str, Any]:
    """What the officers find: nothing against it, at the price that was named."""
    return {
        **dict.fromkeys(CHECKS, "yes"),
        "reasons": dict.fromkeys(CHECKS, FINE),
        "assessed_amount": idea.amount,
        "min_useful_amount": None,
        "budget_line": None,
        "site_visit": {"on": (utc_now().date() - dt.timedelta(days=3)).isoformat(), "notes": VISIT},
    }
