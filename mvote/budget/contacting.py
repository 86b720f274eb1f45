"""How the officers who check a proposal reach its authors. Whoever looks is written down."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.looking_up import proposal_known_to
from mvote.budget.proposal_people import ProposalContact
from mvote.errors import NotAllowed
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say


@dataclass(frozen=True, kw_only=True)
class ContactsRead(Event):
    kind: ClassVar[str] = "proposal:contacts_read"
    department_id: uuid.UUID


def contacts_for(session: Session, *, proposal_id: uuid.UUID, by: Citizen) -> Sequence[str]:
    """What the authors gave, for an officer of the department that has the proposal.

    Raises NotFound, NotAllowed.
    """
    proposal = proposal_known_to(session, proposal_id, None)
    department_id = proposal.department_id
    if department_id is None or department_id not in by.department_ids:
        raise NotAllowed(say("It is assessed by another department."))
    given = select(ProposalContact.contact).where(ProposalContact.proposal_id == proposal_id)
    event = ContactsRead(department_id=department_id)
    write_down(session, event, actor_id=by.id, subject_id=proposal_id)
    return session.scalars(given.order_by(ProposalContact.citizen_id)).all()
