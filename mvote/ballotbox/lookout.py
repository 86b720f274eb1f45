"""What there is to do for the shuffler besides closing: envelopes and acts that wait."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mvote.ballotbox.acts import polls_with_unlogged_acts
from mvote.ballotbox.tables import Envelope
from mvote.polls.definition import DEFAULT_K
from mvote.polls.poll import Poll

REST = 20
"""Looking takes at most a twentieth of the time: it reads the index of all that waits."""
QUICK_S = 0.1


@dataclass(frozen=True)
class Work:
    """What was seen."""

    to_shuffle: Sequence[uuid.UUID] = ()
    to_log: Sequence[uuid.UUID] = ()


@dataclass
class Lookout:
    """Looks for work; rarely, if looking takes long because much waits."""

    clock: Callable[[], float] = time.monotonic
    _not_before: float = -math.inf

    def look(self, session: Session) -> Work:
        """Polls to shuffle, and polls with acts to log; nothing while it rests."""
        begun = self.clock()
        if begun < self._not_before:
            return Work()
        seen = Work(polls_to_shuffle(session), polls_with_unlogged_acts(session))
        took = self.clock() - begun
        self._not_before = self.clock() + (took * REST if took > QUICK_S else 0)
        return seen


def polls_to_shuffle(session: Session) -> list[uuid.UUID]:
    """Open polls in which twice the smallest k wait or more, and voided ones in which any do."""
    waiting = select(Envelope.poll_id, func.count()).group_by(Envelope.poll_id)
    counts = dict(session.execute(waiting).all())
    if not counts:
        return []
    states = select(Poll.id, Poll.state).where(
        Poll.id.in_(counts), Poll.state.in_(("open", "voided"))
    )
    return [
        poll_id
        for poll_id, state in session.execute(states)
        if state == "voided" or counts[poll_id] >= 2 * DEFAULT_K
    ]
