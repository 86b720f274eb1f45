"""What the sources of a contest brought, once all of them are released together."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.base import instant
from mvote.budget.allocating.model import Approvals
from mvote.budget.balloting.contest_poll import GIVEN_UP, Asked, contest_in, polls_of_contest
from mvote.budget.cycle import Cycle
from mvote.polls.definition import FrozenPoll, read_definition
from mvote.polls.errors import ResultsNotAvailable
from mvote.polls.poll import State
from mvote.polls.results import (
    PublishedResult,
    definition_of,
    published_records,
    published_result,
)

UNFINISHED: tuple[State, ...] = ("draft", "open", "closing", "closed", "counted")
ALL = 10**9


@dataclass(frozen=True, kw_only=True)
class ReleasedSource:
    """The published count of one source. Figures are None if too few ballots came to show them."""

    #: of the source, in the cycle's definition
    key: str
    poll_id: uuid.UUID
    #: all ballots: valid, blank and spoilt ones
    ballots: int
    valid: int | None
    blank: int | None
    spoilt: int | None
    #: by reference, of every project on the ballot
    votes: Mapping[str, int] | None

    @property
    def counted(self) -> int | None:
        """Ballots that were counted, blank ones too, spoilt ones not."""
        return None if self.valid is None or self.blank is None else self.valid + self.blank


_RELEASE = text("SELECT release_contests()")


def release_due(session: Session) -> None:
    """Publish every contest of which nothing is waited for any more: for the counter's rounds.

    Counting the last source does the same at once; this is for a last source that was voided, or
    that nobody opened before its time was over.
    """
    session.execute(_RELEASE)


def released_sources(session: Session, *, cycle: Cycle, contest: str) -> list[ReleasedSource]:
    """The polled sources of *contest* that were published, in the definition's order.

    A source whose poll was voided, or never held, is not among them. Raises NotFound for an
    unknown contest, ResultsNotAvailable (`available_at`, if known) until all are released.
    """
    asked = {row.source: (row, poll) for row, poll in released_polls(session, cycle, contest)}
    sources = contest_in(cycle, contest)["sources"]
    return [_source(session, asked[each["key"]]) for each in sources if each["key"] in asked]


def released_polls(session: Session, cycle: Cycle, contest: str) -> Sequence[Asked]:
    """The published polls of *contest*. Raises NotFound, ResultsNotAvailable."""
    contest_in(cycle, contest)
    asked = polls_of_contest(session, cycle_id=cycle.id, contest=contest)
    waited_for = [poll for _, poll in asked if poll.state in UNFINISHED]
    published = [(row, poll) for row, poll in asked if poll.state == "published"]
    if waited_for or not published:
        ends = [poll.closes_at for poll in waited_for if poll.closes_at]
        raise ResultsNotAvailable(available_at=instant(max(ends)) if ends else None)
    return published


def came_to_nothing(session: Session, *, cycle_id: uuid.UUID, contest: str) -> bool:
    """Whether a poll of *contest* was declared void, and every other that was made given up."""
    asked = polls_of_contest(session, cycle_id=cycle_id, contest=contest)
    states = {poll.state for _, poll in asked}
    return "voided" in states and states.issubset(GIVEN_UP)


def approvals_of(session: Session, source: ReleasedSource) -> Approvals | None:
    """How many valid or blank ballots approve exactly which projects; None without public records.

    Spoilt ballots are left out.
    """
    content = definition_of(session, source.poll_id)
    assert content is not None  # noqa: S101  # it was published
    definition = read_definition(content)
    if definition.question.kind != "multiple":
        return None  # ranks and points approve of nothing
    records = published_records(session, definition, after=-1, limit=ALL)
    return approvals_in(definition, ((keys, 1) for _, keys in records)) or None


def approvals_in(definition: FrozenPoll, marked: Iterable[tuple[Sequence[str], int]]) -> Approvals:
    """How many ballots approve exactly which projects; *marked*: the keys that so many mark."""
    references = _references(definition.document["question"])
    rules = definition.question.rules
    approvals: Counter[tuple[str, ...]] = Counter()
    for keys, ballots in marked:
        if rules is None or not rules.broken_by(dict.fromkeys(keys, 1)):
            approvals[tuple(references[key] for key in keys)] += ballots
    return approvals


def _source(session: Session, asked: Asked) -> ReleasedSource:
    row, poll = asked
    content = definition_of(session, poll.id)
    assert content is not None  # noqa: S101  # it was published
    result = published_result(session, poll, read_definition(content))
    figures = {name: result.statement.get(name) for name in ("valid", "blank", "spoilt")}
    if result.too_few:
        figures = dict.fromkeys(figures)
    return ReleasedSource(
        key=row.source,
        poll_id=poll.id,
        ballots=result.ballots,
        votes=_votes(result),
        **figures,
    )


def _votes(result: PublishedResult) -> dict[str, int] | None:
    if result.too_few:
        return None
    references = _references(result.definition.document["question"])
    return {references[key]: votes for key, votes in result.statement["totals"].items()}


def _references(question: Mapping[str, Any]) -> dict[str, str]:
    """The reference of each option, by its key."""
    return {option["key"]: option["reference"] for option in question["options"]}
