"""Reads META and PROJECTS of a .pb file: all that stands before the first ballot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from mvote.budget.pabulib.elections import Head, PbProject
from mvote.budget.pabulib.errors import BrokenPbFile
from mvote.budget.pabulib.faults import Faults
from mvote.budget.pabulib.meta import Meta, amount, whole
from mvote.budget.pabulib.money import Currency, shown
from mvote.budget.pabulib.rows import Row
from mvote.budget.pabulib.rules import APPROVALS, VOTE_TYPES, PbRule, rule_named
from mvote.wording import say

MOST_PROJECTS = 10_000
LONGEST_REFERENCE = 200
NUMBERS = (
    "num_votes", "min_project_score_threshold", "min_length", "max_length", "min_points",
    "max_points", "default_score",
)  # fmt: skip
WITHDRAWN = "999999999"
"""The cost that the format gives a project which was withdrawn after the vote."""


def read_head(rows: Iterator[Row]) -> Head:
    """Everything before the first ballot; *rows* then stands at the first ballot."""
    title = _title(rows, "META", 1)
    header = _header(rows, "META", title)
    if header.cells != ["key", "value"]:
        raise BrokenPbFile(header.line, say("META's columns are not key;value"))
    meta = Meta(title.line)
    faults = Faults()
    title = _until(rows, "PROJECTS", meta.take, faults)
    faults.check()
    meta.complete(faults)
    faults.check()  # what follows is read by it
    currency = Currency(meta.values.get("currency", ""))
    header = _header(rows, "PROJECTS", title)
    projects = Projects(_columns(header, "project_id", ("cost",)), currency)
    title = _until(rows, "VOTES", projects.take, faults)
    faults.check()  # votes for broken projects would be called broken
    header = _header(rows, "VOTES", title)
    columns = _columns(header, "voter_id", ("vote",))
    return _head(meta, currency, projects.read, columns, header.line)


def _head(
    meta: Meta,
    currency: Currency,
    projects: Mapping[str, PbProject],
    columns: tuple[str, ...],
    line: int,
) -> Head:
    faults = Faults()
    faults.tried(lambda: _check_projects(meta, len(projects)))
    faults.tried(lambda: _vote_type(meta, columns, line))
    faults.tried(lambda: _rule(meta, currency))
    faults.tried(lambda: meta.money("budget", currency))
    for key in NUMBERS:
        faults.tried(partial(meta.number, key))
    faults.check()
    vote_type, rule = _vote_type(meta, columns, line), _rule(meta, currency)
    return Head(
        meta.values,
        currency,
        meta.money("budget", currency),
        vote_type,
        rule,
        meta.number("num_votes") or 0,
        tuple(projects.values()),
        meta.number("min_project_score_threshold"),
        (meta.number("min_length"), meta.number("max_length")),
        (meta.number("min_points"), meta.number("max_points")),
        meta.number("default_score") or 0,
        columns,
    )


def _check_projects(meta: Meta, number: int) -> None:
    if number != meta.number("num_projects"):
        problem = say(
            "num_projects is {announced}, there are {number}",
            announced=str(meta.values["num_projects"]),
            number=number,
        )
        raise BrokenPbFile(meta.line("num_projects"), problem)


def _vote_type(meta: Meta, columns: tuple[str, ...], line: int) -> str:
    vote_type = meta.values["vote_type"]
    if vote_type not in VOTE_TYPES:
        problem = say(
            "vote_type is {given}, not one of {known}", given=repr(vote_type), known=VOTE_TYPES
        )
        raise BrokenPbFile(meta.line("vote_type"), problem)
    if vote_type in ("cumulative", "scoring") and "points" not in columns:
        raise BrokenPbFile(
            line, say("VOTES has no points, which {vote_type} ballots need", vote_type=vote_type)
        )
    return vote_type


def _rule(meta: Meta, currency: Currency) -> PbRule:
    name, line = meta.values["rule"], meta.line("rule")
    rule = rule_named(name, step=currency.unit)
    if rule is None:
        raise BrokenPbFile(line, say("{name} is no rule of the format", name=repr(name)))
    if rule.rule.rule == "equal_shares" and meta.values["vote_type"] not in APPROVALS:
        raise BrokenPbFile(line, say("equal shares are worked out for approval ballots only"))
    return rule


class Projects:
    """The rows of PROJECTS."""

    def __init__(self, columns: tuple[str, ...], currency: Currency) -> None:
        self.read: dict[str, PbProject] = {}
        self._columns = columns
        self._currency = currency

    def take(self, row: Row) -> None:
        cells = named(row, self._columns, "PROJECTS")
        reference, line = cells["project_id"], row.line
        if not _can_name(reference):
            raise BrokenPbFile(
                line, say("{reference} cannot be a project_id", reference=shown(reference))
            )
        if reference in self.read:
            before = self.read[reference].line
            raise BrokenPbFile(
                line,
                say(
                    "project {reference} was there already, in row {before}",
                    reference=reference,
                    before=before,
                ),
            )
        if len(self.read) == MOST_PROJECTS:
            raise BrokenPbFile(
                line,
                say("there are more than {most_projects} projects", most_projects=MOST_PROJECTS),
            )
        votes, score, selected = (
            _number_or_none(cells, each, line) for each in ("votes", "score", "selected")
        )
        self.read[reference] = PbProject(
            reference,
            amount(
                cells["cost"],
                line,
                say("the cost of {reference}", reference=reference),
                self._currency,
            ),
            cells.get("name", ""),
            votes,
            score,
            selected,
            cells.get("category", ""),
            cells["cost"] == WITHDRAWN,
            line,
        )


def _can_name(reference: str) -> bool:
    """Votes name projects by it, parted by commas; spaces stay what they are in any file."""
    is_plain = reference == " ".join(reference.split()) and "," not in reference
    return 0 < len(reference) <= LONGEST_REFERENCE and is_plain


def _number_or_none(cells: Mapping[str, str], column: str, line: int) -> int | None:
    text = cells.get(column, "")
    return whole(text, line, column) if text else None


def named(row: Row, columns: tuple[str, ...], section: str) -> dict[str, str]:
    """The cells of *row* by their column. Raises BrokenPbFile if there are more or fewer."""
    if len(row.cells) != len(columns):
        problem = say(
            "{section} has {columns} columns, this row {cells}",
            section=section,
            columns=len(columns),
            cells=len(row.cells),
        )
        raise BrokenPbFile(row.line, problem)
    return dict(zip(columns, row.cells, strict=True))


def is_title(row: Row, section: str) -> bool:
    return row.cells[0].upper() == section and not any(row.cells[1:])


def _title(rows: Iterator[Row], section: str, line: int) -> Row:
    row = next(rows, None)
    if row is None or not is_title(row, section):
        raise BrokenPbFile(
            row.line if row else line, say("here {section} should begin", section=section)
        )
    return row


def _header(rows: Iterator[Row], section: str, title: Row) -> Row:
    row = next(rows, None)
    if row is None:
        raise BrokenPbFile(title.line, say("{section} has no row of column names", section=section))
    return row


def _columns(row: Row, first: str, needed: tuple[str, ...]) -> tuple[str, ...]:
    columns = tuple(row.cells)
    if columns[0] != first:
        raise BrokenPbFile(
            row.line,
            say("the first column is {value}, not {first}", value=repr(columns[0]), first=first),
        )
    if len(set(columns)) != len(columns) or "" in columns:
        raise BrokenPbFile(row.line, say("two columns have the same name, or one has none"))
    for column in needed:
        if column not in columns:
            raise BrokenPbFile(row.line, say("the column {column} is missing", column=column))
    return columns


def _until(rows: Iterator[Row], section: str, take: Callable[[Row], None], faults: Faults) -> Row:
    """Hand on rows until *section* begins; those that are broken are noted."""
    line = 1
    for row in faults.along(rows):
        if is_title(row, section):
            return row
        faults.tried(partial(take, row))
        line = row.line
    faults.check()
    raise BrokenPbFile(line, say("the file ends here, {section} is missing", section=section))
