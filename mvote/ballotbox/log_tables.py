"""The tables of the log's tree: tiles, checkpoints, what witnesses sign, and the log's keys.

The city's log lies in them, too, under the nil UUID instead of a poll's id.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, utc_now


class TreeTile(Base):
    """Up to 32 hashes of the tree, back to back. A tile only grows.

    The hashes of level 0 are leaves; position i of tile n of level l is the root over the 32^l
    leaves from (32 n + i) 32^l on.
    """

    __tablename__ = "tree_tile"
    __table_args__ = (
        CheckConstraint(
            "length(hashes) BETWEEN 32 AND 1024 AND length(hashes) % 32 = 0", name="whole_hashes"
        ),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hashes: Mapped[bytes]


class Checkpoint(Base):
    """The root of the log at one size: one for each batch that was appended."""

    __tablename__ = "checkpoint"
    __table_args__ = (
        CheckConstraint("length(root) = 32", name="sha256"),
        Index("ix_checkpoint_unsigned", "poll_id", "size", postgresql_where=text("note IS NULL")),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    #: the signed note (C2SP tlog-checkpoint); empty until it is signed, then for good
    note: Mapped[str | None]


class Cosignature(Base):
    """The line by which a witness says that it has seen a checkpoint."""

    __tablename__ = "cosignature"
    __table_args__ = (
        ForeignKeyConstraint(["poll_id", "size"], ["checkpoint.poll_id", "checkpoint.size"]),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str]


class LogKey(Base):
    """The public half of a key that signs checkpoints."""

    __tablename__ = "log_key"
    __table_args__ = (CheckConstraint("length(public_key) = 32", name="ed25519"),)

    key_id: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[bytes]
    made_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
