"""Whose a proposal is and who stands behind it: authors, supporters, a contact for the officers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid, func, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, state_check, utc_now
from mvote.people.citizens import hash_check

Act = Literal["withdraw", "merge", "split"]
ACTS: tuple[Act, ...] = ("withdraw", "merge", "split")


class ProposalAuthor(Base):
    """An author; a co-author is one only once they have accepted."""

    __tablename__ = "proposal_author"
    __table_args__ = (
        CheckConstraint("accepted_at >= invited_at", name="accepted_after_invited"),
        Index("ix_proposal_author_citizen_id", "citizen_id"),
    )

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), primary_key=True
    )
    invited_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    accepted_at: Mapped[dt.datetime | None]


class ProposalSupport(Base):
    """One person's support of one proposal: the primary key lets nobody count twice."""

    __tablename__ = "proposal_support"
    __table_args__ = (Index("ix_proposal_support_citizen_id", "citizen_id"),)

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class ProposalContact(Base):
    """How an author can be reached: for the officers who check the proposal, never public."""

    __tablename__ = "proposal_contact"

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), primary_key=True
    )
    contact: Mapped[str]


class AuthorsConsent(Base):
    """An author agrees to an act on a proposal, with exactly these arguments."""

    __tablename__ = "authors_consent"
    __table_args__ = (state_check("act", ACTS), hash_check("arguments_hash"))

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    act: Mapped[Act] = mapped_column(primary_key=True)
    arguments_hash: Mapped[bytes] = mapped_column(primary_key=True)
    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


def authors_of(session: Session, proposal_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Everyone who is an author of one of the proposals; who was only invited is not."""
    of_them = select(ProposalAuthor.citizen_id).where(
        ProposalAuthor.proposal_id.in_(list(proposal_ids)), ProposalAuthor.accepted_at.is_not(None)
    )
    return set(session.scalars(of_them))


def supporters_counted(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many persons support each of the proposals; those with none are left out."""
    counted = (
        select(ProposalSupport.proposal_id, func.count())
        .where(ProposalSupport.proposal_id.in_(list(ids)))
        .group_by(ProposalSupport.proposal_id)
    )
    return dict(session.execute(counted).all())


def join_people(session: Session, *, source: uuid.UUID, target: uuid.UUID) -> None:
    """Let authors and supporters of *source* be those of *target*, too: each person once.

    An author of *source* who was only asked to be one of *target* is one with that.
    """
    authors = _copying(ProposalAuthor, ("citizen_id", "invited_at", "accepted_at"), source, target)
    accepted = func.greatest(authors.excluded.accepted_at, ProposalAuthor.invited_at)
    session.execute(authors.on_conflict_do_update(
        index_elements=["proposal_id", "citizen_id"],
        set_={"accepted_at": accepted},
        where=ProposalAuthor.accepted_at.is_(None) & authors.excluded.accepted_at.is_not(None),
    ))  # fmt: skip
    supporters = _copying(ProposalSupport, ("citizen_id", "at"), source, target)
    session.execute(supporters.on_conflict_do_nothing())


def _copying(
    table: type[ProposalAuthor | ProposalSupport],
    columns: Sequence[str],
    source: uuid.UUID,
    target: uuid.UUID,
) -> Insert:
    """The rows of *source* once more, for *target*."""
    copied = (getattr(table, name) for name in columns)
    from_there = select(literal(target, Uuid()), *copied).where(table.proposal_id == source)
    return insert(table).from_select(["proposal_id", *columns], from_there)


def authors_counted(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many authors each of the proposals has."""
    counted = (
        select(ProposalAuthor.proposal_id, func.count(ProposalAuthor.accepted_at))
        .where(ProposalAuthor.proposal_id.in_(list(ids)))
        .group_by(ProposalAuthor.proposal_id)
    )
    return dict(session.execute(counted).all())
