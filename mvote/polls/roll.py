"""The electoral roll: those whom a poll asks by name. Frozen with the poll, and never shown.

An entry is either the anchor of a citizen (a committee's roll), or a phone number's keyed hash, by
a key of this one poll (a roll that was imported): see `mvote.polls.rolls.entries`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import CheckConstraint, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.ballotbox.notation import encoded
from mvote.base import Base, utc_now
from mvote.people.citizens import hash_check

ENTRY_BYTES = 32
AT_ONCE = 10_000


class RollEntry(Base):
    """Somebody who may vote. The database takes entries of a draft only."""

    __tablename__ = "roll_entry"
    __table_args__ = (hash_check("entry"),)

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: no name, no number, no account
    entry: Mapped[bytes] = mapped_column(primary_key=True)


class Roll(Base):
    """A roll that was imported, whole: with this row its entries are all there."""

    __tablename__ = "roll"
    __table_args__ = (
        hash_check("file_sha256"),
        CheckConstraint("size >= 1", name="somebody"),
        CheckConstraint(
            "rows >= 0 AND duplicates >= 0 AND rejected >= 0"
            " AND size + duplicates + rejected = rows",
            name="adds_up",
        ),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: how many are on it
    size: Mapped[int]
    #: of the file: rows with anything in them, numbers that came again, rows left out
    rows: Mapped[int]
    duplicates: Mapped[int]
    rejected: Mapped[int]
    file_sha256: Mapped[bytes]
    imported_by: Mapped[uuid.UUID]
    imported_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: when its entries were deleted, long after the poll
    forgotten_at: Mapped[dt.datetime | None]


def put_on_roll(session: Session, *, poll_id: uuid.UUID, anchors: Collection[bytes]) -> None:
    """Put the bearers of *anchors* on the roll of a draft."""
    rows = [{"poll_id": poll_id, "entry": anchor} for anchor in sorted(set(anchors))]
    if rows:
        session.execute(insert(RollEntry), rows)


def described(session: Session, poll_id: uuid.UUID) -> dict[str, Any]:
    """What a definition says of a roll: how many are on it, and a hash that binds it.

    The hash is `h("mvote/roll/1", P, each entry in order)`.
    """
    on_it = select(RollEntry.entry).where(RollEntry.poll_id == poll_id).order_by(RollEntry.entry)
    entries = session.scalars(on_it.execution_options(yield_per=AT_ONCE))
    size, digest = _hashed(poll_id.bytes, entries)
    return {"size": size, "sha256": digest}


def _hashed(poll: bytes, entries: Iterable[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(encoded("mvote/roll/1", poll)), 0
    length = ENTRY_BYTES.to_bytes(2, "big")
    for entry in entries:
        digest.update(length + entry)
        size += 1
    return size, digest.hexdigest()
