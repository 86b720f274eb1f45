"""The report of a cycle: what became of every proposal, from the idea to what was built.

Only of what is public: what was submitted, what was confirmed, and votes of an allocation, which
there is only once all its sources are released together.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from mvote.budget.allocations import CycleAllocation
from mvote.budget.assessment import Assessment
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.enactment import Enactment, ReserveMove
from mvote.budget.deciding.motion import ProjectDecision
from mvote.budget.delivering.progress import newest_update
from mvote.budget.delivering.stages import Stage, reached
from mvote.budget.proposal import Proposal, State
from mvote.budget.revision import Revision

Votes = Mapping[str, Mapping[str, int | str]]
"""By reference and source; as the published allocation has them."""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """One proposal in the report. Money is in won; of an imported cycle, in its smallest unit."""

    #: None where it was held elsewhere: there is no proposal here
    id: uuid.UUID | None
    number: int
    revision: int
    reference: str
    state: State
    title: dict[str, str]
    heading: str | None
    kind: str | None
    area_codes: list[str]
    #: what it was proposed with
    amount: int
    assessed_amount: int | None
    #: what the plenary gave, and what the council made of it
    funded_amount: int | None
    enacted_amount: int | None
    department_id: uuid.UUID | None
    percent: int | None
    spent: int | None

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What it came through, in order."""
        is_assessed = self.assessed_amount is not None
        return reached(self.state, is_assessed=is_assessed, percent=self.percent)

    @property
    def price(self) -> int:
        """What it costs: as it was assessed, or else as it was proposed."""
        return self.amount if self.assessed_amount is None else self.assessed_amount

    def amount_at(self, stage: Stage) -> int:
        """What it was worth there: proposed, then assessed, then funded, then enacted with."""
        known = {
            "proposed": self.amount,
            "funded": self.funded_amount,
            "enacted": self.enacted_amount,
            "delivered": self.enacted_amount,
        }.get(stage)
        return self.price if known is None else known


def reported(
    session: Session, cycle: Cycle, *, now: dt.datetime, after: int = 0, limit: int
) -> Sequence[Reported]:
    """Proposals of the cycle in the order of their numbers, behind the number *after*."""
    rows = _rows(cycle).where(Proposal.number > after).order_by(Proposal.number).limit(limit)
    return [_reported(proposal, rest, now) for proposal, *rest in session.execute(rows)]


def _rows(cycle: Cycle) -> Select[Any]:
    newest, found = newest_update(), _newest_assessment()
    is_funded = and_(
        ProjectDecision.proposal_id == Proposal.id, ProjectDecision.decision == "funded"
    )
    return (
        select(
            Proposal,
            Revision.n,
            Revision.content["title"],
            Revision.heading,
            Revision.kind,
            Revision.area_codes,
            Revision.amount,
            found.assessed_amount,
            func.coalesce(Enactment.funded_amount, ReserveMove.amount, ProjectDecision.amount),
            Enactment.amount,
            newest.department_id,
            newest.percent,
            newest.spent,
        )
        .join(Revision, and_(Revision.proposal_id == Proposal.id, Revision.n == Proposal.revision))
        .outerjoin(found, found.proposal_id == Proposal.id)
        .outerjoin(newest, newest.proposal_id == Proposal.id)
        .outerjoin(Enactment, Enactment.proposal_id == Proposal.id)
        .outerjoin(ReserveMove, ReserveMove.proposal_id == Proposal.id)
        .outerjoin(ProjectDecision, is_funded)
        .where(Proposal.cycle_id == cycle.id)
    )


def _newest_assessment() -> type[Assessment]:
    """The newest confirmed assessment of each proposal, as a table to join."""
    newest = (
        select(Assessment)
        .ext(distinct_on(Assessment.proposal_id))
        .where(Assessment.confirmed_at.is_not(None))
        .order_by(Assessment.proposal_id, Assessment.revision.desc())
        .subquery()
    )
    return aliased(Assessment, newest)


_NAMES = (
    "revision", "title", "heading", "kind", "area_codes", "amount", "assessed_amount",
    "funded_amount", "enacted_amount", "department_id", "percent", "spent",
)  # fmt: skip


def _reported(proposal: Proposal, rest: Sequence[Any], now: dt.datetime) -> Reported:
    facts = dict(zip(_NAMES, rest, strict=True))
    facts["department_id"] = facts["department_id"] or proposal.department_id
    return Reported(
        id=proposal.id,
        number=proposal.number or 0,
        reference=str(proposal.reference),
        state=proposal.state_at(now),
        **facts,
    )


def released_votes(session: Session, cycle: Cycle) -> Votes:
    """The votes of every project whose contest was allocated; of no other."""
    of_it = select(CycleAllocation.document).where(CycleAllocation.cycle_id == cycle.id)
    kept = of_it.order_by(CycleAllocation.n)  # the last one counts
    return {
        project["reference"]: project["votes"]
        for document in session.scalars(kept)
        for project in document["binding"]["projects"]
    }
