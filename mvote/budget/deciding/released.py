"""What the sources of a contest brought, polls and statements, once all are released together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.base import instant
from mvote.budget.allocating.model import Approvals, Tally
from mvote.budget.balloting.contest_poll import contest_in, polls_of_contest
from mvote.budget.balloting.releasing import ReleasedSource, approvals_of, released_sources
from mvote.budget.cycle import Cycle
from mvote.budget.deciding.sealing import seals_of
from mvote.polls.errors import ResultsNotAvailable
from mvote.wording import say

_WAITED_FOR = text("SELECT unreleased_sources(:cycle_id, :contest)")
_PUBLISHED = text("SELECT statement FROM published_result WHERE poll_id = :poll_id")
NEEDING_VECTORS = "equal_shares"


@dataclass(frozen=True, kw_only=True)
class Released:
    """Tallies by source; one that did not come about, or is too small to be shown, is missing.

    `hashes` are those of what was published. `approvals` are there where every ballot is public.
    """

    tallies: dict[str, Tally]
    hashes: dict[str, str]
    approvals: Approvals | None


def released(session: Session, *, cycle: Cycle, contest: str) -> Released:
    """What was released. Raises NotFound, ResultsNotAvailable with the sources waited for."""
    check_released(session, cycle=cycle, contest=contest)
    polled = released_sources(session, cycle=cycle, contest=contest)
    return _brought(session, cycle, contest, polled)


def released_without_polls(session: Session, *, cycle: Cycle, contest: str) -> Released:
    """What statements brought to a contest whose polls came to nothing. Raises as `released`."""
    check_released(session, cycle=cycle, contest=contest)
    return _brought(session, cycle, contest, [])


def _brought(
    session: Session, cycle: Cycle, contest: str, sources: Sequence[ReleasedSource]
) -> Released:
    definition, polled = contest_in(cycle, contest), {each.key: each for each in sources}
    tallies: dict[str, Tally] = {}
    hashes: dict[str, str] = {}
    for source in definition["sources"]:
        key = source["key"]
        if key in polled:
            _add_poll(session, polled[key], tallies, hashes)
        elif source.get("kind", "poll") == "statement":
            _add_statement(session, cycle, contest, key, tallies, hashes)
    approvals = _approvals(session, definition, polled)
    return Released(tallies=tallies, hashes=hashes, approvals=approvals)


def check_released(session: Session, *, cycle: Cycle, contest: str) -> None:
    """Raise ResultsNotAvailable unless all sources of *contest* are released."""
    contest_in(cycle, contest)
    here = {"cycle_id": cycle.id, "contest": contest}
    waited_for = list(session.scalars(_WAITED_FOR, here))
    if waited_for:
        asked = polls_of_contest(session, cycle_id=cycle.id, contest=contest)
        ends = [poll.closes_at for row, poll in asked if row.source in waited_for]
        known = [at for at in ends if at is not None]
        raise ResultsNotAvailable(
            say("not released: {sources}", sources=waited_for),
            sources=waited_for,
            available_at=instant(max(known)) if known else None,
        )


def _add_poll(
    session: Session, source: ReleasedSource, tallies: dict[str, Tally], hashes: dict[str, str]
) -> None:
    statement = session.execute(_PUBLISHED, {"poll_id": source.poll_id}).scalar_one()
    hashes[source.key] = hashlib.sha256(statement).hexdigest()
    if source.votes is not None and source.counted is not None:
        tallies[source.key] = Tally(source.votes, source.counted)


def _add_statement(
    session: Session,
    cycle: Cycle,
    contest: str,
    key: str,
    tallies: dict[str, Tally],
    hashes: dict[str, str],
) -> None:
    seals = seals_of(session, cycle=cycle, contest=contest, source=key)
    if not seals:
        return
    said = seals[-1].document
    hashes[key] = seals[-1].statement.sha256.hex()
    tallies[key] = Tally(said["values"], said["sample_size"])


def _approvals(
    session: Session, definition: dict[str, Any], polled: dict[str, ReleasedSource]
) -> Approvals | None:
    """Every ballot, where the rule or a comparison asks for them and they are public."""
    rule = definition["allocation"]
    names = [rule["rule"], *rule.get("compare", ())]
    if len(polled) != 1 or not any(each.startswith(NEEDING_VECTORS) for each in names):
        return None
    return approvals_of(session, *polled.values())
