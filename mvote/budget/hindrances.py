"""What must still end before a ballot of the cycle may be frozen, all of it at once and by name."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.base import database_time, instant
from mvote.budget.cycle import Cycle
from mvote.budget.proposal import Proposal, State
from mvote.budget.proposal_rules import lineage_of
from mvote.budget.revision import Revision
from mvote.languages import side_by_side
from mvote.wording import say

TITLES = {
    "assessment-open": say("Proposals are still being assessed."),
    "review-open": say("Proposals are still under review."),
    "appeal-open": say("Appeals are still undecided."),
    "appeal-window-open": say("Rejections can still be appealed."),
}
OPEN_STATES: dict[State, str] = {
    "submitted": "assessment-open",
    "returned": "assessment-open",  # until its time has run out
    "assessed": "review-open",
    "under_review": "review-open",
    "appealed": "appeal-open",
    "rejected": "appeal-window-open",  # until its window has closed
}


@dataclass(frozen=True, kw_only=True)
class OpenMatter:
    """One hindrance: a stable code, whose proposals it is about, and when it ends by itself."""

    code: str
    references: tuple[str, ...]
    #: when the last of them is over by the clock alone; None where somebody must act
    until: dt.datetime | None

    def shown(self) -> dict[str, Any]:
        """As it stands among the hindrances of an answer."""
        return {
            "code": self.code,
            "title": side_by_side(TITLES[self.code]),
            "proposals": list(self.references),
            "until": instant(self.until) if self.until else None,
        }


def open_matters(
    session: Session,
    *,
    cycle_id: uuid.UUID,
    headings: Collection[str] | None = None,
    held: bool = False,
) -> list[OpenMatter]:
    """Everything that keeps the cycle's proposals from being frozen; empty once nothing does.

    With *headings* only proposals under one of them count. With *held* none of the proposals moves
    until the transaction ends, so that no appeal comes between looking and freezing.
    """
    cycle = session.get_one(Cycle, cycle_id)
    rows = [
        (proposal, heading)
        for proposal, heading in _undecided(session, cycle_id, held=held)
        if headings is None or _is_under(cycle, heading, headings)
    ]
    now = database_time(session)  # read behind the locks
    found: dict[str, list[Proposal]] = {}
    for proposal, _ in rows:
        code = _code_of(cycle, proposal, now)
        if code is not None:
            found.setdefault(code, []).append(proposal)
    return [_matter(code, found[code]) for code in TITLES if code in found]


def has_appeals(cycle: Cycle) -> bool:
    """Whether a rejection may be appealed: the cycle names who would judge it."""
    review = cycle.definition.get("review")
    return review is not None and review.get("appeal_body") is not None


def _undecided(
    session: Session, cycle_id: uuid.UUID, *, held: bool
) -> Sequence[tuple[Proposal, str | None]]:
    of_it = (
        select(Proposal, Revision.heading)
        .join(Revision, (Revision.proposal_id == Proposal.id) & (Revision.n == Proposal.revision))
        .where(Proposal.cycle_id == cycle_id, Proposal.state.in_(OPEN_STATES))
        .order_by(Proposal.id)
        .execution_options(populate_existing=True)
    )
    if held:
        of_it = of_it.with_for_update(read=True, of=Proposal)
    return [(proposal, heading) for proposal, heading in session.execute(of_it)]


def _is_under(cycle: Cycle, heading: str | None, wanted: Collection[str]) -> bool:
    above = lineage_of(cycle.definition.get("headings") or (), heading)
    return not set(wanted).isdisjoint(above)


def _code_of(cycle: Cycle, proposal: Proposal, now: dt.datetime) -> str | None:
    is_over = proposal.due_at is None or proposal.due_at <= now
    if proposal.state == "returned" and is_over:
        return None  # it has lapsed
    can_appeal = proposal.appealed_at is None and not is_over and has_appeals(cycle)
    if proposal.state == "rejected" and not can_appeal:
        return None
    if proposal.state == "assessed" and cycle.definition.get("review") is None:
        return None  # nobody reviews it
    return OPEN_STATES.get(proposal.state)


def _matter(code: str, proposals: Sequence[Proposal]) -> OpenMatter:
    """The end of what ends by the clock; an assessment, a review, an appeal need people."""
    ends = [each.due_at for each in proposals if each.state in ("returned", "rejected")]
    dated = [each for each in ends if each is not None]
    return OpenMatter(
        code=code,
        references=tuple(sorted(str(each.reference) for each in proposals)),
        until=max(dated) if len(dated) == len(proposals) else None,
    )
