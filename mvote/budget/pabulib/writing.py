"""Writes a .pb file as a stream. Voters are numbered as they come; nothing else is said of them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mvote.budget.allocating.model import Contest, Project
from mvote.budget.pabulib.ballots import Ballot
from mvote.budget.pabulib.contests import EXCLUSIVE, STRUCK
from mvote.budget.pabulib.money import Currency
from mvote.budget.pabulib.rules import APPROVALS, name_of
from mvote.wording import counted

LINES_AT_ONCE = 1_000
CUSTOM = "The rule has no name in this format: "


@dataclass(frozen=True)
class Export:
    """What stands in META beside the contest.

    `limits` are keys of the format that bound a ballot (`min_length`, `max_length`,
    `max_sum_points`, …). `custom` says in words what the format cannot.
    """

    description: str
    instance: str
    vote_type: str
    opens_on: dt.date
    closes_on: dt.date
    currency: Currency
    unit: str = "Seoul"
    country: str = "Korea, Republic of"
    language: str = "ko"
    limits: Mapping[str, int] | None = None
    custom: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A project's row: `votes` are ballots that name it, `score` their points."""

    project: Project
    name: str
    votes: int
    score: int
    funded: bool


@dataclass(frozen=True)
class Sheet:
    """All of a file but its ballots. `with_points`: a mark alone does not say what it counts."""

    meta: tuple[tuple[str, object], ...]
    projects: tuple[Counted, ...]
    currency: Currency
    with_points: bool
    num_votes: int


def written(
    export: Export,
    contest: Contest,
    projects: Sequence[Counted],
    ballots: Iterable[Ballot],
    num_votes: int,
) -> Iterator[bytes]:
    """The file in pieces. Raises ValueError if there are not *num_votes* ballots."""
    sheet = Sheet(
        tuple(_meta(export, contest, projects, num_votes)),
        tuple(projects),
        export.currency,
        with_points=export.vote_type not in APPROVALS,
        num_votes=num_votes,
    )
    yield from lines_of(sheet, ballots)


def lines_of(sheet: Sheet, ballots: Iterable[Ballot]) -> Iterator[bytes]:
    """The file in pieces. Raises ValueError if there are not as many ballots as the sheet says."""
    yield _lines([("META",), ("key", "value"), *sheet.meta])
    yield _lines([("PROJECTS",), *_projects(sheet)])
    header = ("voter_id", "vote", "points") if sheet.with_points else ("voter_id", "vote")
    rows: list[Sequence[object]] = [("VOTES",), header]
    number = 0
    for number, ballot in enumerate(ballots, start=1):
        rows.append(_vote(number, ballot, with_points=sheet.with_points))
        if len(rows) >= LINES_AT_ONCE:
            yield _lines(rows)
            rows.clear()
    yield _lines(rows)
    if number != sheet.num_votes:
        raise ValueError(f"{counted(sheet.num_votes, 'ballot')} announced, {number} came")


def _vote(number: int, ballot: Ballot, *, with_points: bool) -> Sequence[object]:
    if not with_points:
        return (number, ",".join(ballot.references))
    marks = sorted(zip(*ballot, strict=True), key=lambda mark: -mark[1])
    return (
        number,
        ",".join(reference for reference, _ in marks),
        ",".join(str(points) for _, points in marks),
    )


def _meta(
    export: Export, contest: Contest, projects: Sequence[Counted], num_votes: int
) -> Iterator[tuple[str, object]]:
    if contest.limit is None:
        raise ValueError("the format needs a limit")
    yield "description", export.description
    yield "country", export.country
    yield "unit", export.unit
    yield "instance", export.instance
    yield "num_projects", len(projects)
    yield "num_votes", num_votes
    yield "budget", export.currency.written(contest.limit)
    yield "vote_type", export.vote_type
    yield "rule", _rule_name(export, contest)
    yield "date_begin", export.opens_on.strftime("%d.%m.%Y")
    yield "date_end", export.closes_on.strftime("%d.%m.%Y")
    yield from (export.limits or {}).items()
    if contest.rule.floor is not None:
        yield "min_project_score_threshold", contest.rule.floor
    yield "language", export.language
    yield "currency", export.currency.code
    if sum(each.project.cost for each in projects) <= contest.limit:
        yield "fully_funded", 1
    if comments := list(_comments(export, contest)):
        yield "comment", " ".join(f"#{n}: {each}" for n, each in enumerate(comments, start=1))


def _comments(export: Export, contest: Contest) -> Iterator[str]:
    if export.custom:
        yield CUSTOM + export.custom
    if contest.rule.exclusive:
        groups = (",".join(sorted(group)) for group in contest.rule.exclusive)
        yield EXCLUSIVE + " | ".join(groups)
    struck = [each.reference for each in contest.projects if each.struck]
    if struck:
        yield STRUCK + ",".join(struck)


def _rule_name(export: Export, contest: Contest) -> str:
    """A greedy rule with struck projects is one that other programs cannot repeat."""
    name = name_of(contest.rule)
    with_struck = name.startswith("greedy") and any(each.struck for each in contest.projects)
    return "greedy-custom" if export.custom or with_struck else name


def _projects(sheet: Sheet) -> Iterator[Sequence[object]]:
    scored = sheet.with_points
    yield ("project_id", "cost", "votes", *(["score"] if scored else []), "name", "selected")
    for each in sheet.projects:
        reference = each.project.reference
        if "," in reference or reference != reference.strip():
            raise ValueError(f"{reference!r} cannot be a project_id")
        score = [each.score] if scored else []
        cost = sheet.currency.written(each.project.cost)
        yield (reference, cost, each.votes, *score, each.name, int(each.funded))


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\n").writerows(
        [" ".join(str(cell).split()) for cell in row] for row in rows
    )
    return text.getvalue().encode()
