"""A cycle as a .pb file. What was imported goes out as it came in, but for what told of voters."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.allocating.model import Project
from mvote.budget.allocations import allocation_of
from mvote.budget.cycle import Cycle
from mvote.budget.imported import (
    CONTEST,
    ImportedBallots,
    ImportedElection,
    ImportedProject,
)
from mvote.budget.pabulib.ballots import Ballot
from mvote.budget.pabulib.money import Currency
from mvote.budget.pabulib.packing import Packer
from mvote.budget.pabulib.rules import APPROVALS
from mvote.budget.pabulib.writing import Counted, Sheet, lines_of

Sessions = Callable[[], AbstractContextManager[Session]]
"""Opens a session for one question, and gives its connection back."""


@dataclass(frozen=True)
class ImportedFile:
    """All of the file but its ballots, of which only the way to them is known."""

    cycle_id: uuid.UUID
    sheet: Sheet
    packer: Packer

    def lines(self, sessions: Sessions) -> Iterator[bytes]:
        """The file in pieces; no connection is held between them."""
        return lines_of(self.sheet, self._ballots(sessions))

    def _ballots(self, sessions: Sessions) -> Iterator[Ballot]:
        n = 0
        while (portion := self._portion(sessions, n)) is not None:
            yield from self.packer.unpacked(*portion)
            n += 1

    def _portion(self, sessions: Sessions, n: int) -> tuple[int, bytes] | None:
        with sessions() as session:
            found = session.get(ImportedBallots, (self.cycle_id, n))
            return None if found is None else (found.ballots, found.packed)


def imported_file(session: Session, cycle: Cycle) -> ImportedFile:
    """The file of an imported cycle, with the projects in the order that the allocation gave."""
    election = session.get_one(ImportedElection, cycle.id)
    mine = select(ImportedProject).where(ImportedProject.cycle_id == cycle.id)
    projects = session.scalars(mine.order_by(ImportedProject.n)).all()
    binding = allocation_of(session, cycle=cycle, contest=CONTEST).document["binding"]
    funded = {each["reference"] for each in binding["funded"]}
    ranks = {reference: rank for rank, reference in enumerate(binding["order"])}
    rows = [_row(each, is_funded=each.reference in funded) for each in projects]
    with_points = election.vote_type not in APPROVALS
    sheet = Sheet(
        tuple((key, value) for key, value in election.meta),
        tuple(sorted(rows, key=lambda row: ranks[row.project.reference])),
        Currency(election.currency),
        with_points=with_points,
        num_votes=election.num_votes,
    )
    packer = Packer([each.reference for each in projects], with_points=with_points)
    return ImportedFile(cycle.id, sheet, packer)


def _row(project: ImportedProject, *, is_funded: bool) -> Counted:
    return Counted(
        Project(project.reference, project.cost),
        project.name,
        project.votes,
        project.points,
        is_funded,
    )
