"""Co-authors: invited by an author, authors themselves once they have accepted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.looking_up import author_row, cycle_of, locked_proposal
from mvote.budget.proposal import BEFORE_THE_FREEZE, Proposal
from mvote.budget.proposal_people import ProposalAuthor, ProposalContact, authors_of
from mvote.budget.proposal_rules import check_proposer
from mvote.budget.reviewing.recusing import recuse_by
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, NotAllowed, NotFound
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say

MOST = 50
"""Authors of one proposal: all of them must agree to withdraw, merge or split it."""


@dataclass(frozen=True, kw_only=True)
class CoAuthorInvited(Event):
    kind: ClassVar[str] = "proposal:co_author_invited"


@dataclass(frozen=True, kw_only=True)
class CoAuthorAccepted(Event):
    kind: ClassVar[str] = "proposal:co_author_accepted"


@dataclass(frozen=True, kw_only=True)
class CoAuthorLeft(Event):
    kind: ClassVar[str] = "proposal:co_author_left"


def invite(session: Session, *, proposal: Proposal, citizen_id: uuid.UUID, by: uuid.UUID) -> None:
    """Ask a citizen to be an author, too; asked already stays so.

    Raises NotFound, ImpossibleTransition, InvalidRequest.
    """
    _check_not_frozen(session, proposal)
    _check_has_room(session, proposal)
    if session.get(Citizen, citizen_id) is None:
        raise NotFound
    now = database_time(session)
    adding = insert(ProposalAuthor).values(
        proposal_id=proposal.id, citizen_id=citizen_id, invited_at=now
    )
    returned = adding.on_conflict_do_nothing().returning(ProposalAuthor.invited_at)
    if session.scalar(returned) is not None:
        proposal.version += 1
        write_down(session, CoAuthorInvited(), actor_id=by, subject_id=proposal.id)


def _check_has_room(session: Session, proposal: Proposal) -> None:
    asked = select(func.count()).select_from(ProposalAuthor)
    if session.scalars(asked.where(ProposalAuthor.proposal_id == proposal.id)).one() >= MOST:
        raise InvalidRequest(Fault(
            "/citizen_id", say("At most {most} people are authors or asked to be.", most=MOST),
        ))  # fmt: skip


def accept(session: Session, *, proposal_id: uuid.UUID, by: uuid.UUID) -> Proposal:
    """Become an author as one was asked to. Raises NotFound, NotAllowed, NotAProposer."""
    proposal = locked_proposal(session, proposal_id, by)
    invitation = author_row(session, proposal_id, by)
    if invitation is None:
        raise NotAllowed
    if invitation.accepted_at is None:
        _check_not_frozen(session, proposal)
        check_proposer(session, cycle_of(session, proposal), by)
        invitation.accepted_at = database_time(session)
        proposal.version += 1
        write_down(session, CoAuthorAccepted(), actor_id=by, subject_id=proposal_id)
        recuse_by(session, proposal=proposal, citizen_id=by, ground="co_author")
    return proposal


def leave(session: Session, *, proposal_id: uuid.UUID, by: uuid.UUID) -> None:
    """Decline, or be an author no longer. The last author stays: they may withdraw it instead.

    Raises NotFound, NotAllowed, ImpossibleTransition.
    """
    proposal = locked_proposal(session, proposal_id, by)
    _check_not_frozen(session, proposal)
    if author_row(session, proposal_id, by) is None or authors_of(session, [proposal_id]) == {by}:
        raise NotAllowed
    for table in (ProposalContact, ProposalAuthor):
        mine = (table.proposal_id == proposal_id, table.citizen_id == by)
        session.execute(delete(table).where(*mine))
    proposal.version += 1
    write_down(session, CoAuthorLeft(), actor_id=by, subject_id=proposal_id)


def _check_not_frozen(session: Session, proposal: Proposal) -> None:
    state = proposal.state_at(database_time(session))
    if state not in ("draft", *BEFORE_THE_FREEZE):
        raise ImpossibleTransition(state=state, verb="change authors")
