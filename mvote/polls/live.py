"""Live results: what was counted up to a batch, while the poll takes ballots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.polls.definition import FrozenPoll
from mvote.polls.poll import Poll, State
from mvote.polls.results import options_with

SHOWN_WHILE: tuple[State, ...] = ("open", "closing")
_LIVE = text("SELECT size, ballots, blank, totals FROM live_result WHERE poll_id = :poll_id")


@dataclass(frozen=True, kw_only=True)
class LiveResult:
    """An interim figure. Blank ballots and totals are None if too few ballots came."""

    definition: FrozenPoll
    #: the size of the log up to which was counted; 0 before the first batch
    as_of: int = 0
    ballots: int = 0
    blank: int | None = None
    totals: Sequence[int] | None = None

    @property
    def too_few(self) -> bool:
        """Too few ballots came so far to show anything but their number."""
        return self.totals is None

    def facts(self) -> dict[str, Any]:
        """That it is interim, and up to where was counted: nobody attests it, nobody has won."""
        unknown = dict.fromkeys(
            ("winners", "workings", "draw", "accounting", "published_at", "statement")
        )
        return {"live": True, "as_of": self.as_of, **unknown}

    def remarks(self) -> dict[str, Any]:
        """What stands below a table of it: up to where was counted."""
        return {"live_as_of": self.as_of}

    def turnout(self) -> dict[str, int]:
        """How many took part so far; blank ballots only where totals are shown."""
        turnout = {"ballots": self.ballots}
        return turnout if self.blank is None else turnout | {"blank": self.blank}

    def options(self) -> list[dict[str, Any]]:
        """Votes of each option so far, in the question's order."""
        if self.totals is None:
            return []
        return options_with(self.definition, self.totals, self.ballots - (self.blank or 0))


def shows_live(poll: Poll, definition: FrozenPoll) -> bool:
    """Whether interim figures of *poll* are shown now: as was said before the first vote."""
    return definition.is_live and poll.state in SHOWN_WHILE


def live_result(session: Session, definition: FrozenPoll) -> LiveResult:
    """What was counted so far; nothing before the first batch."""
    row = session.execute(_LIVE, {"poll_id": definition.poll_id}).one_or_none()
    if row is None:
        return LiveResult(definition=definition)
    return LiveResult(
        definition=definition,
        as_of=row.size,
        ballots=row.ballots,
        blank=row.blank,
        totals=row.totals,
    )
