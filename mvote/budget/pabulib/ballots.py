"""One row of VOTES: whom it names, and with how many points."""

from __future__ import annotations

from typing import NamedTuple

from mvote.budget.pabulib.elections import Head
from mvote.budget.pabulib.errors import BrokenPbFile
from mvote.budget.pabulib.head import named
from mvote.budget.pabulib.meta import whole
from mvote.budget.pabulib.rows import Row
from mvote.budget.pabulib.rules import APPROVALS
from mvote.wording import Message, say, say_number


class Ballot(NamedTuple):
    """`references` in the order of the file, `points` beside them: 1 each for approvals."""

    references: tuple[str, ...]
    points: tuple[int, ...]


class BallotReader:
    """Reads rows of VOTES. Raises BrokenPbFile for whatever a voter of that vote could not mark."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._known = {each.reference: each.reference for each in head.projects}

    def read(self, row: Row) -> tuple[str, Ballot]:
        """The voter's id, and the ballot."""
        cells = named(row, self._head.columns, "VOTES")
        if not cells["voter_id"]:
            raise BrokenPbFile(row.line, say("a vote without a voter_id"))
        references = self._references(cells["vote"], row.line)
        return cells["voter_id"], Ballot(references, self._points(cells, references, row.line))

    def _references(self, text: str, line: int) -> tuple[str, ...]:
        marks = [mark.strip() for mark in text.split(",")] if text else []
        for mark in marks:
            if mark not in self._known:
                raise BrokenPbFile(
                    line, say("a vote for {value}, which is no project", value=repr(mark[:40]))
                )
        if len(set(marks)) != len(marks):
            raise BrokenPbFile(line, say("the same project twice in one vote"))
        self._check_length(len(marks), line)
        return tuple(self._known[mark] for mark in marks)  # one string for all ballots

    def _check_length(self, length: int, line: int) -> None:
        least, most = self._head.lengths
        if self._head.vote_type == "choose-1":
            least = most = 1
        least = 1 if least is None else least  # the format's default: 0 has to be said
        if length < least or (most is not None and length > most):
            projects = say_number(
                "a vote for {number} project", "a vote for {number} projects", length
            )
            raise BrokenPbFile(
                line,
                say("{given}, allowed: {allowed}", given=projects, allowed=_range(least, most)),
            )

    def _points(
        self, cells: dict[str, str], references: tuple[str, ...], line: int
    ) -> tuple[int, ...]:
        """An ordinal ballot has Borda's points of the file's maximum length, or its own."""
        text = cells.get("points", "")
        if self._head.vote_type in APPROVALS:
            if text:
                raise BrokenPbFile(
                    line,
                    say("points in a vote of type {vote_type}", vote_type=self._head.vote_type),
                )
            return (1,) * len(references)
        if self._head.vote_type == "ordinal" and not text:
            most = self._head.borda_length
            return tuple(range(most, most - len(references), -1))
        points = tuple(whole(each.strip(), line, say("a mark")) for each in text.split(",") if text)
        if len(points) != len(references):
            problem = say_number(
                "{number} number of points for {projects}",
                "{number} numbers of points for {projects}",
                len(points),
                projects=len(references),
            )
            raise BrokenPbFile(line, problem)
        self._check_points(points, line)
        return points

    def _check_points(self, points: tuple[int, ...], line: int) -> None:
        least, most = self._head.points
        for each in points:
            if (least is not None and each < least) or (most is not None and each > most):
                given = say_number("{number} point", "{number} points", each)
                raise BrokenPbFile(
                    line,
                    say(
                        "{given}, allowed: {allowed}", given=given, allowed=_range(least or 0, most)
                    ),
                )


def _range(least: int, most: int | None) -> Message:
    if most is None:
        return say("from {least}", least=least)
    return say("from {least} to {most}", least=least, most=most)
