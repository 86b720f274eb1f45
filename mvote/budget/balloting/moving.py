"""Dates of balloting that move while polls are frozen: later ends extend them, nothing else can.

The database's function moves the polls together with the cycle, and refuses the rest; what is
checked here says the same earlier, with a better message.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.base import Json
from mvote.budget.balloting.contest_poll import ContestPoll
from mvote.budget.cycle import Cycle
from mvote.budget.definition import Definition, Source, read_definition
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, stands_for
from mvote.polls.poll import Poll
from mvote.wording import say

Period = tuple[dt.datetime | None, dt.datetime | None]
"""From when to when; None where the cycle has no phase of balloting."""
FROZEN = say(
    "Its poll is frozen: it begins as planned, and ends no earlier."
    " To end it, close the poll first."
)
WITHIN = say("Balloting ends before that; move the phase of the cycle instead.")

stands_for(
    "contest_poll_within_balloting",
    lambda: InvalidRequest(Fault("/closes_at", WITHIN)),
)
stands_for("contest_poll_as_frozen", lambda: InvalidRequest(_frozen("/phases")))
stands_for("contest_poll_once", lambda: ImpossibleTransition(state="open", verb="poll"))
stands_for("contest_released", lambda: ImpossibleTransition(state="published", verb="poll"))


def period_of(definition: Definition, source: Source) -> Period:
    """When the source is asked: as it says itself, or else as long as balloting lasts."""
    phase = next((each for each in definition.phases if each.kind == "balloting"), None)
    by_phase: Period = (phase.opens_at, phase.closes_at) if phase else (None, None)
    return source.opens_at or by_phase[0], source.closes_at or by_phase[1]


def polls_in_the_way(
    session: Session, *, cycle: Cycle, moved: Mapping[str, Json], now: dt.datetime
) -> list[Fault]:
    """Why the dates of *moved* contradict frozen polls, each by the source that it asks for."""
    asked = (
        select(ContestPoll, Poll)
        .join(Poll, Poll.id == ContestPoll.poll_id)
        .where(ContestPoll.cycle_id == cycle.id, Poll.state == "open", Poll.closes_at > now)
    )
    polls = {(row.contest, row.source): poll for row, poll in session.execute(asked)}
    before, after = read_definition(cycle.definition), read_definition(dict(moved))
    planned = dict(_periods(before))
    return [
        _frozen(f"/contests/{n}/sources/{m}")
        for (n, m, contest, source), period in _periods(after)
        if (poll := polls.get((contest, source)))
        and _contradicts(poll, planned[n, m, contest, source], period, after)
    ]


def _periods(definition: Definition) -> Iterator[tuple[tuple[int, int, str, str], Period]]:
    for n, contest in enumerate(definition.contests):
        for m, source in enumerate(contest.sources):
            yield (n, m, contest.key, source.key), period_of(definition, source)


def _contradicts(poll: Poll, before: Period, after: Period, definition: Definition) -> bool:
    """A poll that was extended by itself may outlast its plan, but not the phase."""
    ends = [each.closes_at for each in definition.phases if each.kind == "balloting"]
    assert poll.closes_at is not None  # noqa: S101  # it is open
    if before == after:
        return poll.closes_at > max(ends)
    return before[0] != after[0] or after[1] is None or after[1] < poll.closes_at


def _frozen(pointer: str) -> Fault:
    return Fault(pointer, FROZEN, code="poll-frozen")
