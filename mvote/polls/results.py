"""Results: what may be seen of a poll, and nothing before it may."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import orjson
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.vectors import PACK, selections_in
from mvote.base import database_time
from mvote.polls.definition import FrozenPoll
from mvote.polls.errors import ResultsNotAvailable
from mvote.polls.notices import draw_of
from mvote.polls.poll import Poll, PollDefinition

_PUBLISHED = text("SELECT statement FROM published_result WHERE poll_id = :poll_id")
_RECORDS = text(
    # by the rows in which they are packed, so that a page costs the same wherever it begins
    "SELECT j, vector FROM published_record"
    " WHERE poll_id = :poll_id AND pack > :after - :pack AND j > :after"
    " ORDER BY pack, j LIMIT :limit"
)
_ACCOUNTING = text("SELECT * FROM accounting WHERE poll_id = :poll_id")
_CELLS = text(
    "SELECT dimension, cell, ballots FROM published_turnout WHERE poll_id = :poll_id ORDER BY cell"
)
_LAST_OF_CONTEST = text(
    # its sources are released together
    "SELECT max(p.closes_at) FROM contest_poll mine"
    " JOIN contest_poll k USING (cycle_id, contest) JOIN poll p ON p.id = k.poll_id"
    " WHERE mine.poll_id = :poll_id AND p.state IN ('open', 'closing', 'closed')"
)
SHARE_DIGITS = 6
COUNTED_IN_POINTS = ("points", "borda", "ranking")
"""Methods by which a ballot is worth more than one; `ranking` is that of a project ballot."""
LARGEST_PLACE = 2**31


@dataclass(frozen=True, kw_only=True)
class PublishedResult:
    """A published count: the statement of the counter, read."""

    poll: Poll
    definition: FrozenPoll
    statement: dict[str, Any]
    #: the figures that must agree, and whether they do: two officers may publish if they do not
    accounting: dict[str, Any]
    #: the notice of the lot between tied winners, if it was drawn
    draw: dict[str, Any] | None = None

    @property
    def too_few(self) -> bool:
        """Too few ballots came to show anything but their number."""
        return bool(self.statement["too_few"])

    @property
    def ballots(self) -> int:
        return int(self.statement["records"])

    def facts(self) -> dict[str, Any]:
        """That it is final, who won and how, when it was published, what adds up, and what the
        counter attests."""
        return {
            "live": False,
            "as_of": None,
            "winners": self.statement.get("winners"),
            "workings": self.statement.get("workings"),
            "draw": self.draw,
            "accounting": self.accounting,
            "published_at": self.poll.published_at,
            "statement": self.statement,
        }

    def remarks(self) -> dict[str, Any]:
        """What stands below a table of it: the accounting, if it does not hold."""
        return {} if self.accounting["accounting_holds"] else self.accounting

    def turnout(self) -> dict[str, int]:
        """How many took part, of how many on a roll; blank ballots only where totals are shown."""
        turnout = {"ballots": self.ballots}
        if (roll := self.definition.document.get("roll")) is not None:
            turnout["roll"] = roll["size"]
        if self.too_few:
            return turnout
        shown = ("blank", "spoilt") if self.definition.may_spoil else ("blank",)
        return turnout | {name: self.statement[name] for name in shown}

    def options(self) -> list[dict[str, Any]]:
        """Votes of each option, in the question's order, and their share of non-blank ballots."""
        if self.too_few:
            return []
        totals: dict[str, int] = self.statement["totals"]
        votes = [totals[key] for key in self.definition.question.options]
        return options_with(self.definition, votes, self.statement["valid"])


def options_with(
    definition: FrozenPoll, totals: Sequence[int], marking: int
) -> list[dict[str, Any]]:
    """The options, each with its votes and its share of the ballots that mark any.

    Where votes are points, their share is of all points.
    """
    options = definition.document["question"]["options"]
    if definition.question.method in COUNTED_IN_POINTS:
        marking = sum(totals)
    return [
        {
            "key": option["key"],
            "title": option["title"],
            "votes": votes,
            "share": float(round(Fraction(votes, marking), SHARE_DIGITS)) if marking else 0.0,
        }
        for option, votes in zip(options, totals, strict=True)
    ]


def published_result(session: Session, poll: Poll, definition: FrozenPoll) -> PublishedResult:
    """The result of *poll*. Raises ResultsNotAvailable before it may be seen."""
    statement = session.execute(_PUBLISHED, {"poll_id": poll.id}).scalar_one_or_none()
    if statement is None:
        raise not_available(session, poll)
    return PublishedResult(
        poll=poll,
        definition=definition,
        statement=orjson.loads(statement),
        accounting=accounting_of(session, poll) or {},
        draw=draw_of(session, poll.id),
    )


def accounting_of(session: Session, poll: Poll) -> dict[str, Any] | None:
    """The exact figures of the accounting; None before the poll is counted."""
    figures = session.execute(_ACCOUNTING, {"poll_id": poll.id}).mappings().one_or_none()
    return {name: figures[name] for name in figures if name != "poll_id"} if figures else None


def not_available(session: Session, poll: Poll) -> ResultsNotAvailable:
    """Why there is no result yet: when it may be there, or the figures that do not add up."""
    if poll.state in ("counted", "voided"):
        figures = accounting_of(session, poll)
        if figures:
            return ResultsNotAvailable(available_at=None, accounting=figures)
    expected = poll.closes_at if poll.state in ("open", "closing", "closed") else None
    if "cycle" in poll.content:
        expected = session.scalars(_LAST_OF_CONTEST, {"poll_id": poll.id}).one()
    elif expected and poll.state != "open" and expected > database_time(session):
        expected = None  # it was closed early
    return ResultsNotAvailable(available_at=expected and _instant(expected))


def _instant(value: Any) -> str:
    return str(value.isoformat().replace("+00:00", "Z"))


def published_records(
    session: Session, definition: FrozenPoll, *, after: int, limit: int
) -> Iterator[tuple[int, list[str]]]:
    """Cast vote records from place *after* + 1 on: their place and their selections."""
    after = max(-1, min(after, LARGEST_PLACE))  # as a caller may have made it up
    bound = {"poll_id": definition.poll_id, "after": after, "pack": PACK, "limit": limit}
    for place, vector in session.execute(_RECORDS, bound):
        yield place, selections_in(definition.question, vector)


def turnout_by(session: Session, poll_id: uuid.UUID) -> dict[str, list[dict[str, Any]] | None]:
    """Turnout by area and by age, rounded to fives; None before the auditor has written it down."""
    rows = session.execute(_CELLS, {"poll_id": poll_id}).all()
    if not rows:
        return {"by_area": None, "by_age": None}
    shown = [row for row in rows if row.ballots]
    return {
        f"by_{dimension}": [
            {name: row.cell, "ballots": row.ballots} for row in shown if row.dimension == dimension
        ]
        for dimension, name in (("area", "area_code"), ("age", "ages"))
    }


def definition_of(session: Session, poll_id: uuid.UUID) -> bytes | None:
    """The canonical bytes that were frozen, or None before."""
    found = session.execute(
        text("SELECT canonical FROM poll_definition WHERE poll_id = :poll_id"),
        {"poll_id": poll_id},
    )
    content: bytes | None = found.scalar_one_or_none()
    return content


def definition_hashes(session: Session, poll_ids: list[uuid.UUID]) -> dict[uuid.UUID, bytes]:
    """The hashes of the definitions of those polls that are frozen."""
    if not poll_ids:
        return {}
    wanted = select(PollDefinition.poll_id, PollDefinition.hash)
    found = session.execute(wanted.where(PollDefinition.poll_id.in_(poll_ids))).all()
    return {row.poll_id: row.hash for row in found}
