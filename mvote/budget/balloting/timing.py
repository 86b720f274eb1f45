"""Whether it is too early, or too late, to freeze the poll of a source."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.balloting.asking import Asking
from mvote.budget.balloting.moving import period_of
from mvote.polls.hindrances import Hindrance


def too_early(session: Session, asking: Asking) -> Iterator[Hindrance]:
    """Whoever may still propose must not find the ballot full."""
    now = database_time(session)
    for n, phase in enumerate(asking.definition.phases):
        if phase.kind == "proposing" and now < phase.closes_at:
            yield Hindrance("proposing-open", f"/phases/{n}/closes_at")


def is_last_moment(session: Session, asking: Asking) -> bool:
    """Whether voting begins at once, in a contest that cannot be decided without every source."""
    opens_at, _ = period_of(asking.definition, asking.source)
    begins = opens_at is None or opens_at <= database_time(session)
    return begins and asking.contest.blend.missing == "block"
