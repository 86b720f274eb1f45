"""What is still to be sealed before anybody votes."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.cycle import Cycle
from mvote.budget.deciding.statement import SourceStatement
from mvote.budget.definition import Contest, Definition
from mvote.polls.hindrances import Hindrance


def unsealed(
    session: Session, *, cycle: Cycle, definition: Definition, contest: Contest
) -> Iterator[Hindrance]:
    """A warning for each source of *contest* whose statement is not sealed yet."""
    n = definition.contests.index(contest)
    for m, source in enumerate(contest.sources):
        sealed = select(SourceStatement.n).where(
            SourceStatement.cycle_id == cycle.id,
            SourceStatement.contest == contest.key,
            SourceStatement.source == source.key,
        )
        if source.kind == "statement" and session.scalars(sealed).first() is None:
            yield Hindrance("statement-not-sealed", f"/contests/{n}/sources/{m}")
