"""Drawing the lot between tied winners: whether there is anything to draw."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.polls.errors import NoTie
from mvote.polls.frozen import FrozenPolls
from mvote.polls.poll import Poll
from mvote.polls.results import published_result


def check_tie(session: Session, *, polls: FrozenPolls, poll: Poll) -> None:
    """See that the winners of *poll* are tied and no lot was drawn; `governing.DRAW` draws it.

    Whoever asks for it beside somebody who draws it waits here: otherwise a request would be left
    behind that nobody can grant.

    Raises NotFound, ResultsNotAvailable before publication, NoTie where one option won, or a lot
    was drawn before, or the poll has none because it is older than lots.
    """
    one_at_a_time(session, poll.id)
    result = published_result(session, poll, polls.of(session, poll.id))
    winners: list[Any] = result.statement.get("winners") or []
    if len(winners) < 2 or result.draw or "lot" not in result.definition.document:
        raise NoTie(winners=winners)
