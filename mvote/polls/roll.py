"""The electoral roll: those whom a poll asks by name. Frozen with the poll, and never shown."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.ballotbox.notation import h
from mvote.base import Base
from mvote.people.citizens import hash_check


class RollEntry(Base):
    """Somebody who may vote. The database takes entries of a draft only, and lets none go."""

    __tablename__ = "roll_entry"
    __table_args__ = (hash_check("anchor"),)

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: what this person's ballots are counted once by: no name, no number, no account
    anchor: Mapped[bytes] = mapped_column(primary_key=True)


def put_on_roll(session: Session, *, poll_id: uuid.UUID, anchors: Collection[bytes]) -> None:
    """Put the bearers of *anchors* on the roll of a draft."""
    rows = [{"poll_id": poll_id, "anchor": anchor} for anchor in sorted(set(anchors))]
    if rows:
        session.execute(insert(RollEntry), rows)


def roll_of(session: Session, poll_id: uuid.UUID) -> frozenset[bytes]:
    """The anchors of those on the roll."""
    on_it = select(RollEntry.anchor).where(RollEntry.poll_id == poll_id)
    return frozenset(session.scalars(on_it))


def described(poll: bytes, roll: Collection[bytes]) -> dict[str, Any]:
    """What a definition says of a roll: how many are on it, and a hash that binds it."""
    return {"size": len(roll), "sha256": h("mvote/roll/1", poll, *sorted(roll)).hex()}
