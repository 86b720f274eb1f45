"""Entering: an officer enters a proposal that came on paper, for the person named on the sheet.

That person needs no account and no phone. The department acts for them: it sends the proposal in
again when it was returned, and withdraws it when they say so. Who entered what is in the journal;
the person's name and how they are reached are not.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.cycle import Cycle
from mvote.budget.delivering.update import city_day
from mvote.budget.looking_up import proposal_known_to
from mvote.budget.paper_entry import PaperEntry
from mvote.budget.phases import phases_of, require_phase
from mvote.budget.places import ProposalPlaces
from mvote.budget.proposal import Proposal
from mvote.budget.proposing import BEGINNING, begin, hand_in
from mvote.errors import Fault, InvalidRequest, NotAllowed, NotFound
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.wording import say

NOT_THEN = say("It must have come while the cycle took proposals, and not later than today.")


@dataclass(frozen=True, kw_only=True)
class ProposalEnteredFromPaper(Event):
    """Without the person: the journal is kept for ever."""

    kind: ClassVar[str] = "proposal:entered_from_paper"
    department_id: uuid.UUID
    received_on: dt.date


@dataclass(frozen=True, kw_only=True)
class SheetRead(Event):
    kind: ClassVar[str] = "proposal:sheet_read"
    department_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class PaperAuthorForgotten(Event):
    kind: ClassVar[str] = "proposal:paper_author_forgotten"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What stands on the paper beside the proposal itself."""

    person: str
    contact: str | None
    received_on: dt.date


def enter_from_paper(
    session: Session,
    *,
    cycle: Cycle,
    by: Citizen,
    content: dict[str, Any],
    sheet: Sheet,
    places: ProposalPlaces,
) -> Proposal:
    """Enter and submit a proposal of a person whom the officer has found to be a proposer.

    Raises PhaseNotOpen, NotAllowed, NotReadyToSubmit, InvalidRequest.
    """
    require_phase(session, cycle.id, *BEGINNING)
    if not by.department_ids:
        raise NotAllowed
    now = database_time(session)
    _check_received(session, cycle, sheet.received_on, now)
    proposal = begin(session, cycle, content, places)
    entry = PaperEntry(
        proposal_id=proposal.id,
        department_id=min(by.department_ids),
        entered_by=by.id,
        person=sheet.person,
        contact=sheet.contact,
        received_on=sheet.received_on,
        at=now,
    )
    session.add(entry)
    session.flush()
    event = ProposalEnteredFromPaper(
        department_id=entry.department_id, received_on=entry.received_on
    )
    write_down(session, event, actor_id=by.id, subject_id=proposal.id)
    hand_in(session, proposal, cycle, now=now, by=by.id)
    return proposal


def _check_received(session: Session, cycle: Cycle, received_on: dt.date, now: dt.datetime) -> None:
    opened = [each.opens_at for each in phases_of(session, cycle.id) if each.kind in BEGINNING]
    if not city_day(cycle, min(opened)) <= received_on <= city_day(cycle, now):
        raise InvalidRequest(Fault("/received_on", NOT_THEN))


def sheet_for(session: Session, *, proposal_id: uuid.UUID, officer: Citizen) -> PaperEntry:
    """Whose the proposal is: for officers of the department that entered it, and of the one that
    has it now. Raises NotFound."""
    proposal = proposal_known_to(session, proposal_id, officer.id)
    entry = session.get(PaperEntry, proposal_id)
    if entry is None or not officer.department_ids & {entry.department_id, proposal.department_id}:
        raise NotFound
    return entry


def read_sheet(session: Session, *, proposal_id: uuid.UUID, officer: Citizen) -> PaperEntry:
    """Whose the proposal is; who looks is written down, as with the contacts of other proposals.

    Raises NotFound.
    """
    entry = sheet_for(session, proposal_id=proposal_id, officer=officer)
    event = SheetRead(department_id=entry.department_id)
    write_down(session, event, actor_id=officer.id, subject_id=proposal_id)
    return entry


def forget_author(session: Session, *, proposal_id: uuid.UUID, officer: Citizen) -> None:
    """Forget the person's name and how they are reached; that it came on paper stays.

    Raises NotFound.
    """
    entry = sheet_for(session, proposal_id=proposal_id, officer=officer)
    session.refresh(entry, with_for_update=True)
    if entry.forgotten_at is not None:
        return
    now = database_time(session)
    entry.person, entry.contact, entry.forgotten_at = None, None, now
    session.flush()
    write_down(session, PaperAuthorForgotten(), actor_id=officer.id, subject_id=proposal_id)
