"""Importing an election that was held elsewhere: a .pb file becomes a cycle with its allocation.

First the file is read as a whole, its ballots are packed, its money is allocated by its own rule;
nothing of that asks the database. Then all of it is kept in one transaction, or nothing.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from sqlalchemy import insert
from sqlalchemy.orm import Session

from mvote.base import Json
from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.comparisons import compare
from mvote.budget.allocating.documents import document, rule_name
from mvote.budget.allocating.work import Work
from mvote.budget.allocations import CycleAllocation
from mvote.budget.cycle import Cycle
from mvote.budget.imported import (
    CONTEST,
    ImportedBallots,
    ImportedElection,
    ImportedProject,
)
from mvote.budget.pabulib.contests import contest_of, notes_of
from mvote.budget.pabulib.elections import Head
from mvote.budget.pabulib.packing import Packer
from mvote.budget.pabulib.reading import PbElection, Reader
from mvote.budget.pabulib.rules import APPROVALS
from mvote.errors import Text
from mvote.journal import Event, write_down

TITLE_LENGTH = 200
COMPARED = ("greedy", "equal_shares")
"""What ballots that approve are counted by as well; others could not be. Both are quick whatever
the file holds, which `add1` is not: with hundreds of projects its thousands of runs take minutes.
"""
_YEAR = re.compile(r"(?<![0-9])(19[0-9]{2}|[2-8][0-9]{3})(?![0-9])")


@dataclass(frozen=True, kw_only=True)
class CycleImported(Event):
    kind: ClassVar[str] = "cycle:imported"
    #: of the file
    sha256: str
    ballots: int


@dataclass(frozen=True)
class Portions:
    """Packed ballots in a file of our own: so many of so many bytes, one portion after another."""

    file: BinaryIO
    sizes: tuple[tuple[int, int], ...]

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        self.file.seek(0)
        for ballots, size in self.sizes:
            yield ballots, self.file.read(size)


@dataclass(frozen=True)
class ReadElection:
    """A file that was read and found whole, and whom it funds."""

    election: PbElection
    sha256: bytes
    portions: Portions
    allocation: dict[str, Json]


def read_election(stream: BinaryIO, *, packed: BinaryIO, most_steps: int | None) -> ReadElection:
    """Read, pack and allocate all of *stream*, a seekable file; *packed* takes the ballots.

    The allocation may take *most_steps*; None: as many as it needs. Raises BrokenPbFile with the
    rows that are wrong, AllocationImpossible, TooMuchWork.
    """
    digest = _digest(stream)
    stream.seek(0)
    reader = Reader(stream)
    sizes = []
    for ballots, portion in packer_of(reader.head).portions(reader):
        packed.write(portion)
        sizes.append((ballots, len(portion)))
    election = PbElection(reader.head, reader.totals)
    allocation = _allocation_document(election, most_steps)
    return ReadElection(election, digest, Portions(packed, tuple(sizes)), allocation)


def _digest(stream: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while piece := stream.read(2**20):
        digest.update(piece)
    return digest.digest()


def packer_of(head: Head) -> Packer:
    """Packs the ballots of such a file."""
    references = [each.reference for each in head.projects]
    return Packer(references, with_points=head.vote_type not in APPROVALS)


def _allocation_document(election: PbElection, most_steps: int | None) -> dict[str, Json]:
    """By the file's rule, which keeps the name that it has there, beside the usual ones."""
    contest, head = contest_of(election), election.head
    others = [name for name in COMPARED if name != rule_name(contest.rule)]
    compared = compare(contest, others if head.vote_type in APPROVALS else (), Work(most_steps))
    binding = allocate(contest, Work(most_steps))
    found: dict[str, Json] = document(binding, compared, rule=head.rule.name)
    if head.vote_type not in APPROVALS:
        _count_ballots(found["binding"]["funded"], election)
    return found | {"notes": list(notes_of(election))}


def _count_ballots(funded: list[dict[str, Json]], election: PbElection) -> None:
    """As in the format: `votes` are the ballots that name a project, `score` is their points."""
    for each in funded:
        each["score"] = each["votes"]
        each["votes"] = election.totals.votes[each["reference"]]


def keep_election(
    session: Session, *, found: ReadElection, author_id: uuid.UUID, time_zone: str
) -> Cycle:
    """A cycle of that election, with its projects, ballots and allocation. It is over already."""
    head, ballots = found.election.head, found.election.totals.ballots
    cycle = Cycle(
        author_id=author_id, state="imported", definition=definition_of(head), time_zone=time_zone
    )
    session.add(cycle)
    session.flush()  # what follows refers to it
    session.add(
        ImportedElection(
            cycle_id=cycle.id,
            meta=[[key, value] for key, value in head.meta.items()],
            vote_type=head.vote_type,
            currency=head.currency.code,
            num_votes=ballots,
            sha256=found.sha256,
        )
    )
    session.flush()  # projects and ballots are parts of it
    session.add_all(_projects(cycle.id, found.election))
    for n, (count, packed) in enumerate(found.portions):
        portion = {"cycle_id": cycle.id, "n": n, "ballots": count, "packed": packed}
        session.execute(insert(ImportedBallots), portion)
    session.add(CycleAllocation(cycle_id=cycle.id, contest=CONTEST, document=found.allocation))
    event = CycleImported(sha256=found.sha256.hex(), ballots=ballots)
    write_down(session, event, actor_id=author_id, subject_id=cycle.id)
    return cycle


def _projects(cycle_id: uuid.UUID, election: PbElection) -> Iterator[ImportedProject]:
    totals = election.totals
    for n, each in enumerate(election.head.projects):
        yield ImportedProject(
            cycle_id=cycle_id,
            n=n,
            reference=each.reference,
            cost=each.cost,
            name=each.name,
            votes=totals.votes[each.reference],
            points=totals.points[each.reference],
        )


def definition_of(head: Head) -> dict[str, Json]:
    """What the file says of a cycle's definition: title, money and year, as far as it does."""
    return {
        "title": _title(head),
        "currency": head.currency.code or None,
        "budget_year": _year(head),
        "budget_limit": head.budget,
        "headings": [],
        "phases": [],
    }


def _title(head: Head) -> Text:
    """The file's description, else where and when it was; Korean only if the file says so."""
    meta = head.meta
    named = [meta.get(key, "") for key in ("country", "unit", "subunit", "instance")]
    words = (meta.get("description") or " ".join(filter(None, named)) or "pabulib").split()
    text = "".join(each for each in " ".join(words) if unicodedata.category(each)[0] != "C")
    language = "ko" if meta.get("language", "").lower().startswith("ko") else "en"
    return {language: text[:TITLE_LENGTH] or "pabulib"}


def _year(head: Head) -> int | None:
    """The first year that the file names: of what it calls its instance, else of its dates."""
    for key in ("instance", "date_begin", "date_end"):
        if found := _YEAR.search(head.meta.get(key, "")):
            return int(found[0])
    return None
