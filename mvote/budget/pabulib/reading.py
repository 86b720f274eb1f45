"""Reads a .pb file as a stream. Kept are 20 bytes a ballot, and the approvals that differ."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from mvote.budget.pabulib.ballots import Ballot, BallotReader
from mvote.budget.pabulib.elections import Head, PbProject
from mvote.budget.pabulib.errors import BrokenPbFile
from mvote.budget.pabulib.faults import MOST_NAMED, Faults
from mvote.budget.pabulib.head import read_head
from mvote.budget.pabulib.rows import rows_of
from mvote.budget.pabulib.rules import APPROVALS
from mvote.wording import say


@dataclass
class Totals:
    """What the ballots add up to. `approvals`: how many approve exactly these references."""

    ballots: int = 0
    blank: int = 0
    votes: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    approvals: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, ballot: Ballot, *, approves: bool) -> None:
        self.ballots += 1
        self.blank += not ballot.references
        for reference, points in zip(*ballot, strict=True):
            self.votes[reference] += 1
            self.points[reference] += points
        if approves:
            self.approvals[tuple(sorted(ballot.references))] += 1


class Reader:
    """`head` is there at once; iterate over the ballots; `totals` hold once that has ended.

    Whoever keeps ballots while iterating has to drop them if BrokenPbFile comes: only at the end
    is it known that nobody voted twice and that the numbers of the head are right. Broken ballots
    are passed over, to name up to a hundred of them at once.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._rows = rows_of(stream)
        self.head: Head = read_head(self._rows)
        self.totals = Totals()
        self._voters = _Voters()

    def __iter__(self) -> Iterator[Ballot]:
        reader, approves = BallotReader(self.head), self.head.vote_type in APPROVALS
        line, faults = 1, Faults()
        for row in faults.along(self._rows):
            line = row.line
            try:
                voter, ballot = reader.read(row)
            except BrokenPbFile as broken:
                faults.note(broken)
                continue
            self._voters.add(voter, line)
            self.totals.add(ballot, approves=approves)
            yield ballot
        self._voters.check(faults)
        faults.check()  # without these rows no total could be right
        self._check_totals(line, faults)
        faults.check()

    def _check_totals(self, line: int, faults: Faults) -> None:
        if self.totals.ballots != self.head.num_votes:
            problem = say(
                "num_votes is {announced}, there are {number}",
                announced=self.head.num_votes,
                number=self.totals.ballots,
            )
            faults.note(BrokenPbFile(line, problem))
        for project in self.head.projects:
            self._check_votes(project, faults)

    def _check_votes(self, project: PbProject, faults: Faults) -> None:
        counted = self.totals.votes[project.reference]
        if project.votes is not None and project.votes != counted:
            problem = say(
                "project {reference} has {votes} votes, counted: {counted}",
                reference=project.reference,
                votes=project.votes,
                counted=counted,
            )
            faults.note(BrokenPbFile(project.line, problem))


@dataclass(frozen=True)
class PbElection:
    """A whole file, its ballots counted."""

    head: Head
    totals: Totals


def read(stream: BinaryIO) -> PbElection:
    """Read all of *stream*. Raises BrokenPbFile with the rows that are wrong."""
    reader = Reader(stream)
    for _ in reader:
        pass
    return PbElection(reader.head, reader.totals)


class _Voters:
    """Who has voted, as 16 bytes of a hash each: also millions of them fit into memory."""

    def __init__(self) -> None:
        self._hashes = bytearray()
        self._lines = array("I")

    def add(self, voter: str, line: int) -> None:
        self._hashes += hashlib.blake2b(voter.encode(), digest_size=16).digest()
        self._lines.append(line)

    def check(self, faults: Faults) -> None:
        """Note every row whose voter has voted before, in the order of the file."""
        halves = np.frombuffer(self._hashes, dtype="<u8").reshape(-1, 2)
        order = np.lexsort((halves[:, 1], halves[:, 0]))  # stable: of equal ones, as in the file
        ordered = halves[order]
        again = order[1:][(ordered[1:] == ordered[:-1]).all(axis=1)]
        for where in np.sort(again)[:MOST_NAMED]:
            faults.note(BrokenPbFile(self._lines[where], say("this voter_id has voted before")))
