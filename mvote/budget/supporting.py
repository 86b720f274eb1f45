"""Supporting a proposal: each person once, until it is frozen for the ballot."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.proposal import BEFORE_THE_FREEZE, Proposal
from mvote.budget.proposal_people import ProposalSupport
from mvote.budget.reviewing.interests import seats_held
from mvote.budget.reviewing.recusing import recuse_by
from mvote.errors import ImpossibleTransition, NotFound
from mvote.journal import Event, write_down


@dataclass(frozen=True, kw_only=True)
class ProposalSupported(Event):
    """Without who: the journal is kept for ever, a support goes with its account."""

    kind: ClassVar[str] = "proposal:supported"


@dataclass(frozen=True, kw_only=True)
class SupportWithdrawn(Event):
    kind: ClassVar[str] = "proposal:support_withdrawn"


def support(session: Session, *, proposal_id: uuid.UUID, citizen_id: uuid.UUID) -> None:
    """Let the citizen stand behind the proposal; whoever does already stays so. Whoever sits in a
    committee of the cycle is recused from it with that, in public.

    Raises NotFound, ImpossibleTransition.
    """
    is_member = _sits_where_it_is_judged(session, proposal_id, citizen_id)
    proposal = _check_open_to_support(session, proposal_id, alone=is_member)
    adding = insert(ProposalSupport).values(proposal_id=proposal_id, citizen_id=citizen_id)
    is_new = session.scalar(adding.on_conflict_do_nothing().returning(ProposalSupport.at))
    if is_new is not None:
        write_down(session, ProposalSupported(), actor_id=None, subject_id=proposal_id)
        recuse_by(session, proposal=proposal, citizen_id=citizen_id, ground="supporter")


def withdraw_support(session: Session, *, proposal_id: uuid.UUID, citizen_id: uuid.UUID) -> None:
    """Let the citizen no longer stand behind it. Raises NotFound, ImpossibleTransition."""
    _check_open_to_support(session, proposal_id)
    mine = (ProposalSupport.proposal_id == proposal_id, ProposalSupport.citizen_id == citizen_id)
    gone = session.scalar(delete(ProposalSupport).where(*mine).returning(ProposalSupport.at))
    if gone is not None:
        write_down(session, SupportWithdrawn(), actor_id=None, subject_id=proposal_id)


def supports(session: Session, *, proposal_id: uuid.UUID, citizen_id: uuid.UUID) -> bool:
    """Whether the citizen stands behind the proposal."""
    return session.get(ProposalSupport, (proposal_id, citizen_id)) is not None


def _sits_where_it_is_judged(
    session: Session, proposal_id: uuid.UUID, citizen_id: uuid.UUID
) -> bool:
    cycle_id = session.scalar(select(Proposal.cycle_id).where(Proposal.id == proposal_id))
    if cycle_id is None:
        raise NotFound
    return bool(seats_held(session, cycle_id=cycle_id, citizen_id=citizen_id))


def _check_open_to_support(
    session: Session, proposal_id: uuid.UUID, *, alone: bool = False
) -> Proposal:
    # Shared: supporters do not wait for each other, but a merge waits for them, and they for it.
    # A member's support recuses, which may recount a judgment: *alone*, or two would wait for ever.
    locked = select(Proposal).where(Proposal.id == proposal_id).with_for_update(read=not alone)
    proposal = session.scalar(locked.execution_options(populate_existing=True))
    if proposal is None or proposal.reference is None:
        raise NotFound
    state = proposal.state_at(database_time(session))
    if state not in BEFORE_THE_FREEZE:
        raise ImpossibleTransition(state=state, verb="support")
    return proposal
