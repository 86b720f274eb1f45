"""Proposing: drafting, writing on, submitting, submitting anew what was returned."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.bigrams import bigrams
from mvote.budget.cycle import Cycle, PhaseKind
from mvote.budget.draft_limit import check_drafts
from mvote.budget.errors import PhaseNotOpen
from mvote.budget.files import unknown_files
from mvote.budget.looking_up import own_proposal
from mvote.budget.phases import require_phase
from mvote.budget.places import ProposalPlaces
from mvote.budget.proposal import ENDED, Proposal, after
from mvote.budget.proposal_errors import CannotCarryOver, NothingRevised, NotReadyToSubmit
from mvote.budget.proposal_people import ProposalAuthor, ProposalContact
from mvote.budget.proposal_rules import (
    amount_of,
    check_proposer,
    days_from,
    faults_in,
    missing_in,
)
from mvote.budget.revision import Revision, newest_revision
from mvote.errors import ImpossibleTransition, InvalidRequest, stands_for
from mvote.journal import Event, write_down

Content = dict[str, Any]
BEGINNING: tuple[PhaseKind, ...] = ("proposing",)
WHILE_REVIEWED: tuple[PhaseKind, ...] = ("proposing", "assessing", "reviewing")
"""The phases in which a proposal that was submitted in time may still be worked at."""
_IN_LINE = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:cycle_id AS text), 6))")
"""The last lock that anybody takes: who waits here holds the cycle, and officers want that."""


stands_for(
    "proposal_in_its_phase",
    lambda: PhaseNotOpen(phase=None, wanted=list(WHILE_REVIEWED), opens_at=None),
)
stands_for("proposal_returned_in_time", lambda: ImpossibleTransition(state="lapsed", verb="submit"))


@dataclass(frozen=True, kw_only=True)
class ProposalDrafted(Event):
    kind: ClassVar[str] = "proposal:drafted"
    cycle_id: uuid.UUID
    carried_from: uuid.UUID | None
    split_from: uuid.UUID | None


@dataclass(frozen=True, kw_only=True)
class ProposalRevised(Event):
    """Names what was changed, never what it says."""

    kind: ClassVar[str] = "proposal:revised"
    revision: int
    changed: list[str]


@dataclass(frozen=True, kw_only=True)
class ProposalSubmitted(Event):
    kind: ClassVar[str] = "proposal:submitted"
    reference: str
    revision: int


def draft_proposal(
    session: Session,
    *,
    cycle: Cycle,
    author_id: uuid.UUID,
    content: Content,
    contact: str | None,
    places: ProposalPlaces,
    carried_from: uuid.UUID | None = None,
    split_from: uuid.UUID | None = None,
) -> Proposal:
    """A new draft. What it is carried over or split from says what *content* does not.

    Raises NotAProposer, TooManyProposalDrafts, CannotCarryOver, InvalidRequest, PhaseNotOpen.
    """
    require_phase(session, cycle.id, *(WHILE_REVIEWED if split_from else BEGINNING))
    check_proposer(session, cycle, author_id)
    check_drafts(session, cycle_id=cycle.id, author_id=author_id)
    before = _content_before(session, cycle, author_id, carried_from, split_from)
    origin = {"carried_from": carried_from, "split_from": split_from}
    proposal = begin(session, cycle, before | content, places, **origin)
    now = proposal.created_at
    session.add(
        ProposalAuthor(
            proposal_id=proposal.id, citizen_id=author_id, invited_at=now, accepted_at=now
        )
    )
    _keep_contact(session, proposal.id, author_id, contact)
    event = ProposalDrafted(cycle_id=cycle.id, carried_from=carried_from, split_from=split_from)
    write_down(session, event, actor_id=author_id, subject_id=proposal.id)
    return proposal


def begin(
    session: Session,
    cycle: Cycle,
    content: Content,
    places: ProposalPlaces,
    **origin: uuid.UUID | None,
) -> Proposal:
    """A draft that says *content*, nobody's yet. Raises InvalidRequest."""
    proposal = Proposal(cycle_id=cycle.id, **origin)
    session.add(proposal)
    session.flush()  # whatever follows refers to it
    revision = Revision(proposal_id=proposal.id, n=1, content={})
    session.add(revision)
    session.flush()
    _write(session, cycle, revision, content, places)
    return proposal


def _content_before(
    session: Session,
    cycle: Cycle,
    author_id: uuid.UUID,
    carried_from: uuid.UUID | None,
    split_from: uuid.UUID | None,
) -> Content:
    """What the earlier proposal says; of another cycle without what only that cycle knows."""
    if split_from is not None:
        origin = own_proposal(session, split_from, author_id)
        after(origin.state, "split")
        if origin.cycle_id != cycle.id:
            raise CannotCarryOver
        return newest_revision(session, origin.id).content
    if carried_from is None:
        return {}
    old = own_proposal(session, carried_from, author_id)
    if old.cycle_id == cycle.id or old.state_at(database_time(session)) not in ENDED:
        raise CannotCarryOver
    of_that_cycle = ("heading", "kind", "organisation")
    content = newest_revision(session, old.id).content
    return {name: said for name, said in content.items() if name not in of_that_cycle}


def revise_proposal(
    session: Session,
    *,
    proposal: Proposal,
    cycle: Cycle,
    by: uuid.UUID,
    changes: Content,
    places: ProposalPlaces,
) -> None:
    """Change what a draft or a returned proposal says; None removes a member.

    Raises ImpossibleTransition, InvalidRequest.
    """
    now = database_time(session)
    check_is_written_at(proposal, now)
    changed = sorted(changes)
    _keep_contact(session, proposal.id, by, changes.pop("contact", None))
    revision = _to_write_at(session, proposal)
    _write(session, cycle, revision, revision.content | changes, places)
    proposal.version += 1
    session.flush()
    event = ProposalRevised(revision=revision.n, changed=changed)
    write_down(session, event, actor_id=by, subject_id=proposal.id)


def _to_write_at(session: Session, proposal: Proposal) -> Revision:
    """The text that is not submitted yet; a new one, like the last, where there is none."""
    newest = newest_revision(session, proposal.id)
    if newest.submitted_at is None:
        return newest
    revision = Revision(proposal_id=proposal.id, n=newest.n + 1, content=newest.content)
    session.add(revision)
    session.flush()
    return revision


def _write(
    session: Session, cycle: Cycle, revision: Revision, content: Content, places: ProposalPlaces
) -> None:
    """Let the revision say *content*, if the cycle's rules allow it. Raises InvalidRequest."""
    content = {name: said for name, said in content.items() if said is not None}
    faults = [*faults_in(cycle, content), *unknown_files(session, content)]
    if faults:
        raise InvalidRequest(*faults)
    revision.content = content
    revision.heading, revision.kind = content.get("heading"), content.get("kind")
    revision.amount = amount_of(content)
    revision.bigrams = bigrams(_title_in(content))
    revision.area_codes = places.keep(
        session,
        proposal_id=revision.proposal_id,
        revision=revision.n,
        places=content.get("places") or [],
    )
    session.flush()


def _title_in(content: Content) -> str:
    """What similar proposals are found by: Korean, where there is any."""
    title = content.get("title") or {}
    return str(title.get("ko") or title.get("en") or "")


def _keep_contact(
    session: Session, proposal_id: uuid.UUID, citizen_id: uuid.UUID, contact: str | None
) -> None:
    if contact is not None:
        key = {"proposal_id": proposal_id, "citizen_id": citizen_id}
        session.merge(ProposalContact(**key, contact=contact))


def submit_proposal(session: Session, *, proposal: Proposal, cycle: Cycle, by: uuid.UUID) -> None:
    """Submit a draft within the phase, or a new revision of what was returned in time.

    Raises ImpossibleTransition, NotReadyToSubmit, NothingRevised, NotAProposer.
    """
    now = database_time(session)
    after(proposal.state_at(now), "submit")
    is_new = proposal.reference is None
    require_phase(session, cycle.id, *(BEGINNING if is_new else WHILE_REVIEWED))
    if is_new:
        check_proposer(session, cycle, by)
    hand_in(session, proposal, cycle, now=now, by=by)


def hand_in(
    session: Session, proposal: Proposal, cycle: Cycle, *, now: dt.datetime, by: uuid.UUID
) -> None:
    """Freeze the newest text, give the proposal its reference, and let its assessment be due."""
    revision = newest_revision(session, proposal.id)
    if revision.submitted_at is not None:
        raise NothingRevised
    missing = missing_in(cycle, revision.content)
    if missing:
        raise NotReadyToSubmit(missing=missing)
    faults = faults_in(cycle, revision.content)
    if faults:
        raise InvalidRequest(*faults)
    revision.submitted_at = now
    session.flush()  # the database lets a proposal be submitted only with a submitted text
    if proposal.reference is None:
        _number(session, proposal, cycle)
        proposal.submitted_at = now
    proposal.revision = revision.n
    proposal.move("submit", now=now, due_at=days_from(now, cycle, "assess_days"))
    session.flush()
    event = ProposalSubmitted(reference=str(proposal.reference), revision=revision.n)
    write_down(session, event, actor_id=by, subject_id=proposal.id)


def _number(session: Session, proposal: Proposal, cycle: Cycle) -> None:
    """The next number of the cycle; who submits at the same moment waits, so none is left out."""
    session.execute(_IN_LINE, {"cycle_id": cycle.id})
    last = select(func.coalesce(func.max(Proposal.number), 0))
    number = int(session.scalars(last.where(Proposal.cycle_id == cycle.id)).one() or 0) + 1
    proposal.number, proposal.reference = number, f"{cycle.budget_year}-{number:04d}"


def check_is_written_at(proposal: Proposal, now: dt.datetime) -> None:
    """Raises ImpossibleTransition unless its authors may write at it now."""
    if proposal.state_at(now) not in ("draft", "returned"):
        raise ImpossibleTransition(state=proposal.state_at(now), verb="revise")
