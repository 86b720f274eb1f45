"""Assessing: a department checks a proposal. One officer finds, another of it confirms."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.assessment import CHECKS, Assessment
from mvote.budget.cycle import PhaseKind
from mvote.budget.hindrances import has_appeals
from mvote.budget.looking_up import cycle_of, is_author, locked_proposal, proposal_known_to
from mvote.budget.paper_entry import PaperEntry
from mvote.budget.phases import require_phase
from mvote.budget.proposal import Proposal, after
from mvote.budget.proposal_rules import days_from, most_for
from mvote.budget.revision import Revision
from mvote.errors import Fault, InvalidRequest, NotAllowed, NotFound
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen, Department
from mvote.wording import say

Found = dict[str, Any]
"""What an officer finds: the members of an Assessment but its officers and times."""
PHASES: tuple[PhaseKind, ...] = ("proposing", "assessing", "reviewing")
"""Assessing may begin with the first proposal. What is overdue may still be ended when balloting
has begun, for it keeps polls from opening; but nothing goes back to its authors any more."""


@dataclass(frozen=True, kw_only=True)
class ProposalFound(Event):
    """What one officer found; a second must confirm it."""

    kind: ClassVar[str] = "proposal:found"
    revision: int
    department_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class ProposalAssessed(Event):
    kind: ClassVar[str] = "proposal:assessed"
    revision: int
    is_feasible: bool
    found_by: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class ProposalTransferred(Event):
    kind: ClassVar[str] = "proposal:transferred"
    from_department: uuid.UUID | None
    to_department: uuid.UUID
    reason: dict[str, str]


def assess(session: Session, *, proposal_id: uuid.UUID, by: Citizen, found: Found) -> Assessment:
    """Find, or confirm what another officer of the department found with the very same content.

    Another content is a new finding, which again needs a second officer. Raises NotFound,
    NotAllowed, ImpossibleTransition, InvalidRequest.
    """
    proposal = locked_proposal(session, proposal_id, by.id)
    _check_can_be_assessed(session, proposal)
    take(session, proposal, by)
    check_may_assess(session, proposal, by)
    revision = int(proposal.revision or 0)
    if all(found[name] != "no" for name in CHECKS):
        _check_price(session, proposal, revision, found["assessed_amount"])
    known = session.get(Assessment, (proposal_id, revision), populate_existing=True)
    if known is not None and _is_same(known, proposal, found) and known.found_by != by.id:
        _confirm(session, proposal, known, by)
        return known
    return _find(session, proposal, known, by, found)


def _check_can_be_assessed(session: Session, proposal: Proposal) -> None:
    after(proposal.state_at(database_time(session)), "assess")
    require_phase(session, proposal.cycle_id, *PHASES, "balloting")


def take(session: Session, proposal: Proposal, by: Citizen) -> None:
    """A proposal that no department has is taken by the first officer's."""
    if proposal.department_id is None and by.department_ids:
        _hand_over(session, proposal, min(by.department_ids), by, {})


def check_may_assess(session: Session, proposal: Proposal, by: Citizen) -> None:
    """See that the officer is of its department and has no part in it. Raises NotAllowed."""
    if proposal.department_id not in by.department_ids:
        raise NotAllowed(say("It is assessed by another department."))
    _check_is_not_theirs(session, proposal, by)


def _check_is_not_theirs(session: Session, proposal: Proposal, by: Citizen) -> None:
    if is_author(session, proposal.id, by.id):
        raise NotAllowed(say("Nobody assesses a proposal of their own."))
    entry = session.get(PaperEntry, proposal.id)
    if entry is not None and entry.entered_by == by.id:
        raise NotAllowed(say("Nobody assesses what they have entered."))


def _check_price(session: Session, proposal: Proposal, revision: int, price: int) -> None:
    """What is feasible may come onto a ballot: at this price, which no cap of the cycle forbids.

    It costs something, for no rule allocates money to what costs none.
    """
    text = session.get_one(Revision, (proposal.id, revision))
    most = most_for(cycle_of(session, proposal), text.heading, text.kind)
    if not price:
        raise InvalidRequest(Fault("/assessed_amount", say("What is feasible costs something.")))
    if price > most:
        raise InvalidRequest(
            Fault(
                "/assessed_amount",
                say("What is feasible costs {most} at most, in its heading and kind.", most=most),
            )
        )


def _is_same(known: Assessment, proposal: Proposal, found: Found) -> bool:
    is_of_department = known.department_id == proposal.department_id
    return is_of_department and all(getattr(known, name) == found[name] for name in found)


def _find(
    session: Session, proposal: Proposal, known: Assessment | None, by: Citizen, found: Found
) -> Assessment:
    finding = known or Assessment(proposal_id=proposal.id, revision=proposal.revision)
    now = database_time(session)  # the database sees the finding whole, with who finds
    for name, value in found.items():
        setattr(finding, name, value)
    finding.department_id = proposal.department_id  # type: ignore[assignment]
    finding.found_by, finding.found_at = by.id, now
    session.add(finding)
    session.flush()
    event = ProposalFound(revision=finding.revision, department_id=finding.department_id)
    write_down(session, event, actor_id=by.id, subject_id=proposal.id)
    return finding


def _confirm(session: Session, proposal: Proposal, finding: Assessment, by: Citizen) -> None:
    """The assessment stands; what is infeasible is rejected with it."""
    now = database_time(session)
    finding.confirmed_by, finding.confirmed_at = by.id, now
    session.flush()  # the database lets a proposal be assessed only with a confirmed assessment
    proposal.move("assess", now=now)
    session.flush()
    if not finding.is_feasible:
        cycle = cycle_of(session, proposal)
        due_at = days_from(now, cycle, "appeal_days") if has_appeals(cycle) else None
        proposal.move("reject", now=now, due_at=due_at)
        session.flush()
    event = ProposalAssessed(
        revision=finding.revision, is_feasible=finding.is_feasible, found_by=finding.found_by
    )
    write_down(session, event, actor_id=by.id, subject_id=proposal.id)


def transfer(
    session: Session,
    *,
    proposal_id: uuid.UUID,
    by: Citizen,
    department_id: uuid.UUID,
    reason: dict[str, str],
) -> Proposal:
    """Hand a proposal to another department; its clock runs on.

    Raises NotFound, NotAllowed, ImpossibleTransition, InvalidRequest.
    """
    proposal = locked_proposal(session, proposal_id, by.id)
    _check_can_be_assessed(session, proposal)
    if proposal.department_id is not None and proposal.department_id not in by.department_ids:
        raise NotAllowed(say("It is assessed by another department."))
    _check_is_not_theirs(session, proposal, by)
    if session.get(Department, department_id) is None:
        fault = Fault(
            "/department_id",
            say("There is no department {department_id}.", department_id=department_id),
        )
        raise InvalidRequest(fault)
    _hand_over(session, proposal, department_id, by, reason)
    return proposal


def _hand_over(
    session: Session,
    proposal: Proposal,
    department_id: uuid.UUID,
    by: Citizen,
    reason: dict[str, str],
) -> None:
    event = ProposalTransferred(
        from_department=proposal.department_id, to_department=department_id, reason=reason
    )
    proposal.department_id = department_id
    proposal.version += 1
    session.flush()
    write_down(session, event, actor_id=by.id, subject_id=proposal.id)


def assessment_shown_to(
    session: Session, proposal_id: uuid.UUID, viewer: Citizen | None
) -> Assessment:
    """The newest assessment; until it is confirmed, for officers alone. Raises NotFound."""
    proposal = proposal_known_to(session, proposal_id, None)
    of_it = select(Assessment).where(Assessment.proposal_id == proposal.id)
    if viewer is None or not viewer.is_officer:
        of_it = of_it.where(Assessment.confirmed_at.is_not(None))
    found = session.scalars(of_it.order_by(Assessment.revision.desc()).limit(1)).one_or_none()
    if found is None:
        raise NotFound
    return found
