"""What is still to be sealed before anybody votes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.cycle import Cycle
from mvote.budget.deciding.statement import SourceStatement
from mvote.budget.definition import Contest, Definition
from mvote.polls.hindrances import Hindrance


class Unsealed(NamedTuple):
    """The statements that are not sealed yet, by what that means for opening a poll."""

    hindering: Sequence[Hindrance]
    warned_of: Sequence[Hindrance]


def unsealed(
    session: Session, *, cycle: Cycle, definition: Definition, contest: Contest
) -> Unsealed:
    """Each source of *contest* whose statement is not sealed yet.

    Where the blend cannot do without it, it hinders, also a poll that is frozen ahead: voting
    begins by the clock, nobody is asked then, and from that moment nothing can be sealed any more.
    """
    found = list(_unsealed(session, cycle, definition, contest))
    return Unsealed(found, []) if contest.blend.missing == "block" else Unsealed([], found)


def _unsealed(
    session: Session, cycle: Cycle, definition: Definition, contest: Contest
) -> Iterator[Hindrance]:
    n = definition.contests.index(contest)
    for m, source in enumerate(contest.sources):
        sealed = select(SourceStatement.n).where(
            SourceStatement.cycle_id == cycle.id,
            SourceStatement.contest == contest.key,
            SourceStatement.source == source.key,
        )
        if source.kind == "statement" and session.scalars(sealed).first() is None:
            yield Hindrance("statement-not-sealed", f"/contests/{n}/sources/{m}")
