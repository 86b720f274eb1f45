"""Similar proposals: by the words of their titles and by how near they would stand.

Earlier cycles count, too: their proposals are shown with what became of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, desc, select
from sqlalchemy.orm import Session

from mvote.budget.likeness import likeness_to
from mvote.budget.places import ProposalPlaces
from mvote.budget.proposal import Proposal
from mvote.budget.revision import Revision

NEAR_M = 300.0
MOST = 20
WORTH_OF_NEARNESS = 0.3
"""What standing at the same place counts beside likeness, which is 1 for the same words."""


@dataclass(frozen=True, kw_only=True)
class Similar:
    """A proposal like the one asked about."""

    proposal_id: uuid.UUID
    #: of their titles, 0 to 1: Dice's coefficient of their bigrams; 0 where they are not alike
    likeness: float
    #: metres between their nearest places, if they are near at all
    distance_m: float | None


def similar_to(
    session: Session, *, proposal: Proposal, revision: Revision, places: ProposalPlaces
) -> list[Similar]:
    """At most MOST proposals that read like it or would stand near it, the likest first."""
    near = places.near(session, proposal_id=proposal.id, revision=revision.n, within_m=NEAR_M)
    alike = _alike(session, proposal.id, revision.bigrams) if revision.bigrams else ()
    likeness = {row.id: row.likeness for row in alike}
    found = [
        Similar(proposal_id=other, likeness=likeness.get(other, 0.0), distance_m=near.get(other))
        for other in {*likeness, *near}
    ]
    return sorted(found, key=_rank)[:MOST]


def _rank(each: Similar) -> tuple[float, str]:
    nearness = 0.0 if each.distance_m is None else 1 - each.distance_m / NEAR_M
    return -(each.likeness + WORTH_OF_NEARNESS * nearness), str(each.proposal_id)


def _alike(
    session: Session, proposal_id: uuid.UUID, mine: list[int]
) -> Sequence[Row[uuid.UUID, Any]]:
    """Of the likest proposals are looked up until there are enough."""
    found = likeness_to(session, Revision.bigrams, mine)
    alike = (
        select(Revision.proposal_id, Revision.n, found.degree.label("likeness"))
        .where(Revision.proposal_id != proposal_id, *found.conditions)
        .order_by(desc("likeness"), Revision.proposal_id)
        .subquery()
    )
    query = (
        select(Proposal.id, alike.c.likeness)
        .join(alike, and_(alike.c.proposal_id == Proposal.id, alike.c.n == Proposal.revision))
        .order_by(alike.c.likeness.desc(), alike.c.proposal_id)
        .limit(MOST)
    )
    return session.execute(query).all()
