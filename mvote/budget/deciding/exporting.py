"""A contest of a city's own as a .pb file, where every single ballot is public."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from mvote.budget.allocating.model import Approvals, Contest
from mvote.budget.allocations import CycleAllocation
from mvote.budget.balloting.contest_poll import contest_in, polls_of_contest
from mvote.budget.balloting.releasing import approvals_of, released_sources
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.allocating import ready_contest
from mvote.budget.deciding.errors import OnlyTotalsKept
from mvote.budget.deciding.projects import options_of
from mvote.budget.pabulib.ballots import Ballot
from mvote.budget.pabulib.money import Currency
from mvote.budget.pabulib.writing import Counted, Export, written
from mvote.errors import Text


def own_file(session: Session, *, cycle: Cycle, allocation: CycleAllocation) -> Iterator[bytes]:
    """The file in pieces: projects in the published order, ballots without anything of voters.

    Blank and spoilt ballots are left out: the format knows neither. Raises OnlyTotalsKept where
    the contest keeps no more than totals, ResultsNotAvailable.
    """
    contest = allocation.contest
    sources = released_sources(session, cycle=cycle, contest=contest)
    approvals = approvals_of(session, sources[0]) if len(sources) == 1 else None
    if approvals is None:
        raise OnlyTotalsKept
    made, _ = ready_contest(session, cycle=cycle, contest=contest)
    rows = _rows(session, cycle, allocation, made)
    marked = {marks: count for marks, count in approvals.items() if marks}
    export = _export(session, cycle, contest)
    return written(export, made, rows, _ballots(marked), sum(marked.values()))


def _rows(
    session: Session, cycle: Cycle, allocation: CycleAllocation, made: Contest
) -> list[Counted]:
    binding = allocation.document["binding"]
    titles = {
        each["reference"]: each["title"] for each in options_of(session, cycle, allocation.contest)
    }
    funded = {each["reference"] for each in binding["funded"]}
    projects = {each.reference: each for each in made.projects}
    [tally] = [each.tally for each in made.sources]
    votes = tally.votes if tally else {}
    return [
        Counted(
            projects[reference],
            _in_one_language(titles[reference]),
            int(votes.get(reference, 0)),
            0,
            reference in funded,
        )
        for reference in binding["order"]
    ]


def _in_one_language(text: Text) -> str:
    """Korean, where there is any."""
    return text.get("ko") or next(iter(text.values()))


def _export(session: Session, cycle: Cycle, contest: str) -> Export:
    [(_, poll)] = polls_of_contest(session, cycle_id=cycle.id, contest=contest)
    zone = ZoneInfo(cycle.time_zone)
    bounds = contest_in(cycle, contest).get("ballot", {}).get("limits", ())
    return Export(
        _in_one_language(cycle.title),
        str(cycle.budget_year),
        "approval",
        _day(poll.opens_at, zone),
        _day(poll.closed_at or poll.closes_at, zone),
        Currency(cycle.currency or ""),
        language="ko" if "ko" in cycle.title else "en",
        limits=_lengths(bounds),
    )


def _day(at: dt.datetime | None, zone: ZoneInfo) -> dt.date:
    if at is None:
        raise OnlyTotalsKept  # nobody could vote
    return at.astimezone(zone).date()


def _lengths(limits: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many projects a ballot marks, as the format calls it."""
    counts = [each["count"] for each in limits if each["over"] == "all" and each.get("count")]
    return {
        name: int(count[bound])
        for count in counts
        for name, bound in (("min_length", "min"), ("max_length", "max"))
        if count.get(bound) is not None
    }


def _ballots(approvals: Approvals) -> Iterator[Ballot]:
    """Each ballot, equal ones one after another, in no order that anybody cast them in."""
    for marks in sorted(approvals):
        yield from repeat(Ballot(marks, (1,) * len(marks)), approvals[marks])
