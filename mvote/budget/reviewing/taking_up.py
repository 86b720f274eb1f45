"""Taking up: which committee reviews which proposal, and what comes under review."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.assessment import Assessment
from mvote.budget.committee import Committee
from mvote.budget.cycle import Cycle
from mvote.budget.forming import committees_of
from mvote.budget.looking_up import locked_proposals
from mvote.budget.proposal import Proposal
from mvote.budget.proposal_rules import lineage_of
from mvote.budget.reviewing.review import Review
from mvote.budget.revision import Revision


def body_of(cycle: Cycle, proposal: Proposal) -> str | None:
    """The kind of committee that reviews the proposal: after an appeal, other people."""
    review = cycle.definition.get("review") or {}
    found: str | None = review.get("appeal_body" if proposal.appealed_at is not None else "body")
    return found


def committee_for(
    cycle: Cycle,
    committees: Sequence[Committee],
    proposal: Proposal,
    revision: Revision,
    *,
    kind: str | None = None,
) -> Committee | None:
    """The committee of the proposal's body that is nearest to its heading, then to its district.

    With *kind*: of another body.
    """
    body = kind or body_of(cycle, proposal)
    lineage = lineage_of(cycle.definition.get("headings") or (), revision.heading)
    fitting = [
        each
        for each in committees
        if each.kind == body
        and (not each.headings or set(each.headings) & set(lineage))
        and (not each.area_codes or set(each.area_codes) & set(revision.area_codes))
    ]
    return min(fitting, key=lambda each: (_distance(each, lineage), each.id), default=None)


def _distance(committee: Committee, lineage: Sequence[str]) -> tuple[int, bool]:
    steps = (n for n, heading in enumerate(lineage) if heading in committee.headings)
    return next(steps, len(lineage)), not committee.area_codes


def take_up(session: Session, cycle: Cycle) -> list[Proposal]:
    """Let every committee begin to review what has come to it: what was found feasible, and what
    was called up or appealed. What no committee is there for waits. The proposals, locked."""
    texts = _waiting(session, cycle.id)
    committees = committees_of(session, cycle.id)
    taken = []
    for proposal in locked_proposals(session, texts).values():
        committee = committee_for(cycle, committees, proposal, texts[proposal.id])
        if committee is not None and proposal.state in ("assessed", "under_review"):
            _begin(session, proposal, committee)
            taken.append(proposal)
    session.flush()
    return taken


def _waiting(session: Session, cycle_id: uuid.UUID) -> Mapping[uuid.UUID, Revision]:
    """What was found feasible, and what is under review by nobody, with its text."""
    is_reviewed = select(Review.id).where(
        Review.proposal_id == Proposal.id, Review.judged_at.is_(None)
    )
    found = (
        select(Proposal.id, Revision)
        .join(Revision, (Revision.proposal_id == Proposal.id) & (Revision.n == Proposal.revision))
        .outerjoin(
            Assessment,
            (Assessment.proposal_id == Proposal.id) & (Assessment.revision == Proposal.revision),
        )
        .where(
            Proposal.cycle_id == cycle_id,
            Proposal.state.in_(["assessed", "under_review"]),
            (Proposal.state == "under_review") | Assessment.is_feasible,
            ~is_reviewed.exists(),
        )
    )
    return dict(session.execute(found).all())


def _begin(session: Session, proposal: Proposal, committee: Committee) -> None:
    if proposal.state == "assessed":
        proposal.move("review", now=database_time(session))
    session.add(Review(proposal_id=proposal.id, committee_id=committee.id))
