"""Lists of proposals: what everyone may know of, newest first; and a citizen's own."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from mvote.budget.proposal import Proposal, State
from mvote.budget.proposal_people import ProposalAuthor
from mvote.budget.revision import Revision

Listed: TypeAlias = tuple[Proposal, Revision]
"""A proposal with the text of it that counts."""
OVERDUE = ("submitted", "appealed")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a list is narrowed to; None is everything."""

    state: State | None = None
    heading: str | None = None
    kind: str | None = None
    area_code: str | None = None
    department_id: uuid.UUID | None = None
    words: str | None = None
    #: only what the city is late with
    overdue: bool = False
    #: continue behind this proposal
    before: uuid.UUID | None = None
    limit: int = 20


def list_proposals(
    session: Session, *, cycle_id: uuid.UUID, wanted: Wanted, now: dt.datetime
) -> Sequence[Listed]:
    """What was submitted in the cycle, newest first, at most so many."""
    query = _with_text().where(Proposal.cycle_id == cycle_id)
    query = query.where(*_narrowing(wanted, now))
    if wanted.before:
        query = query.where(Proposal.id < wanted.before)
    found = session.execute(query.order_by(Proposal.id.desc()).limit(wanted.limit))
    return [(proposal, revision) for proposal, revision in found]


def listed(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Listed]:
    """The proposals with these ids, with the texts that count."""
    found = session.execute(_with_text().where(Proposal.id.in_(ids))) if ids else ()
    return {proposal.id: (proposal, revision) for proposal, revision in found}


def own_proposals(
    session: Session, *, citizen_id: uuid.UUID, before: uuid.UUID | None, limit: int
) -> Sequence[tuple[Proposal, bool]]:
    """A citizen's own, drafts too, newest first; whether they have accepted to be an author."""
    query = (
        select(Proposal, ProposalAuthor.accepted_at.is_not(None))
        .join(ProposalAuthor, ProposalAuthor.proposal_id == Proposal.id)
        .where(ProposalAuthor.citizen_id == citizen_id)
    )
    if before:
        query = query.where(Proposal.id < before)
    found = session.execute(query.order_by(Proposal.id.desc()).limit(limit))
    return [(proposal, is_author) for proposal, is_author in found]


def _with_text() -> Select[Any, Any]:
    is_its_text = and_(Revision.proposal_id == Proposal.id, Revision.n == Proposal.revision)
    return select(Proposal, Revision).join(Revision, is_its_text)


def _narrowing(wanted: Wanted, now: dt.datetime) -> list[ColumnElement[bool]]:
    given = {
        Proposal.department_id: wanted.department_id,
        Revision.heading: wanted.heading,
        Revision.kind: wanted.kind,
    }
    narrowing = [column == value for column, value in given.items() if value is not None]
    if wanted.state:
        narrowing.append(_is_in(wanted.state, now))
    if wanted.overdue:
        narrowing += [Proposal.state.in_(OVERDUE), Proposal.due_at <= now]
    if wanted.area_code:
        narrowing.append(Revision.area_codes.contains([wanted.area_code]))
    if wanted.words:
        narrowing += _title_holds(wanted.words)
    return narrowing


def _is_in(state: State, now: dt.datetime) -> ColumnElement[bool]:
    """As `Proposal.state_at` shows it."""
    missed = and_(Proposal.state == "returned", Proposal.due_at <= now)
    if state == "lapsed":
        return (Proposal.state == state) | missed
    return (
        and_(Proposal.state == state, ~missed) if state == "returned" else Proposal.state == state
    )


def _title_holds(words: str) -> list[ColumnElement[bool]]:
    title = Revision.content["title"]
    titles = func.concat_ws(" ", title["ko"].astext, title["en"].astext)
    return [titles.icontains(word, autoescape=True) for word in words.split()]
