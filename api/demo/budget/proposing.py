"""Proposals of the demo: drafted, submitted and supported, then found and confirmed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.budget.proposal_schemas import NewProposal
from api.db import reading, transaction
from api.demo.budget import people
from api.demo.budget.ideas import DEPARTMENT_FOR, Idea
from api.demo.ledger import DemoMade, made, note
from geo.proposals import CityProposalPlaces
from mvote.base import utc_now
from mvote.budget.assessing import assess
from mvote.budget.assessment import CHECKS
from mvote.budget.planning import cycle_of
from mvote.budget.proposal import Proposal
from mvote.budget.proposing import draft_proposal, submit_proposal
from mvote.budget.supporting import support

SUPPORTERS = (4, 5)
"""At least so many stand behind each, and up to so many more."""
FINE = {"ko": "담당 부서에서 확인했습니다.", "en": "The department has checked it."}
VISIT = {"ko": "현장을 둘러보았습니다.", "en": "We have seen the place."}


def name_of(idea: Idea, cycle_id: uuid.UUID) -> str:
    """What the ledger calls the proposal."""
    return f"proposal:{idea.key}/{cycle_id}"


def propose_all(cycle_id: uuid.UUID, ideas: Sequence[Idea]) -> None:
    """Whatever is missing, each in a transaction with its supporters."""
    with transaction() as session:
        known = made(session)
        authors, supporters = people.authors(session), people.citizens(session)
    for place, idea in enumerate(ideas):
        if name_of(idea, cycle_id) in known:
            continue
        with transaction() as session:
            proposal_id = _propose(session, cycle_id, idea, authors[place % len(authors)])
            for citizen_id in _behind(place, supporters):
                support(session, proposal_id=proposal_id, citizen_id=citizen_id)
            note(session, DemoMade(name=name_of(idea, cycle_id), made=proposal_id))


def _propose(session: Session, cycle_id: uuid.UUID, idea: Idea, author_id: uuid.UUID) -> uuid.UUID:
    cycle = cycle_of(session, cycle_id)
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
    count = least + place * 3 % more
    return [citizens[(place * 5 + n) % len(citizens)] for n in range(count)]


def assess_all(cycle_id: uuid.UUID, ideas: Sequence[Idea]) -> None:
    """Let two officers of the department in question find each feasible that is not assessed."""
    with reading() as session:
        known = made(session)
        waiting = _waiting(session, cycle_id)
    for idea in ideas:
        proposal_id = known[name_of(idea, cycle_id)]
        if proposal_id in waiting:
            finding = found(idea)
            with transaction() as session:
                for officer in people.officers(session, DEPARTMENT_FOR[idea.heading]):
                    assess(session, proposal_id=proposal_id, by=officer, found=finding)


def _waiting(session: Session, cycle_id: uuid.UUID) -> set[uuid.UUID]:
    of_it = select(Proposal.id).where(Proposal.cycle_id == cycle_id, Proposal.state == "submitted")
    return set(session.scalars(of_it))


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
