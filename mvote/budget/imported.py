"""An election that was held elsewhere: its file's head, its projects, its ballots as records.

Nobody cast these ballots here: they have no envelopes, no receipts and no log. All of it is
inserted once and never changes.
"""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, state_check
from mvote.budget.pabulib.money import MOST
from mvote.budget.pabulib.rules import VOTE_TYPES

CONTEST = "all"
"""The key of the one contest that an imported cycle has."""


class ImportedElection(Base):
    """What the file says before its projects."""

    __tablename__ = "imported_election"
    __table_args__ = (
        state_check("vote_type", VOTE_TYPES),
        CheckConstraint("num_votes >= 0", name="num_votes_counts"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256_whole"),
    )

    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    #: META, pairs of key and value in the file's order
    meta: Mapped[list[list[str]]] = mapped_column(JSONB)
    vote_type: Mapped[str]
    #: as the file has it; empty where it names none
    currency: Mapped[str]
    num_votes: Mapped[int]
    #: of the whole file, so that it can be told which one it was
    sha256: Mapped[bytes]


class ImportedProject(Base):
    """A project of the file. `votes` are the ballots that name it, `points` theirs together."""

    __tablename__ = "imported_project"
    __table_args__ = (
        UniqueConstraint("cycle_id", "reference"),
        CheckConstraint(f"cost BETWEEN 1 AND {MOST}", name="cost_in_range"),
        CheckConstraint("votes >= 0 AND points >= 0", name="counted"),
        CheckConstraint("n >= 0", name="numbered"),
    )

    cycle_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("imported_election.cycle_id"), primary_key=True
    )
    #: its place in the file, by which ballots name it: 0, 1, 2 …
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: the file's `project_id`
    reference: Mapped[str]
    #: in the currency's smallest unit
    cost: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    votes: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)


class ImportedBallots(Base):
    """A portion of the ballots, in the file's order (`mvote.budget.pabulib.packing`)."""

    __tablename__ = "imported_ballots"
    __table_args__ = (
        CheckConstraint("n >= 0", name="numbered"),
        CheckConstraint("ballots > 0", name="not_empty"),
    )

    cycle_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("imported_election.cycle_id"), primary_key=True
    )
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ballots: Mapped[int]
    packed: Mapped[bytes]
