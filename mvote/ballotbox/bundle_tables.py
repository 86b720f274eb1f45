"""The tables of bundles: what the shuffler has signed, and what it needs to know for that."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, utc_now


class Bundle(Base):
    """A signed manifest of all that is public of a poll, at one size of its log. Insert-only.

    The files it speaks of are rebuilt from the other tables; only what will not be the same later
    (keys, the city's cosigned checkpoint) is kept here.
    """

    __tablename__ = "bundle"

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    log_size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    city_size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: how many witnesses have signed the city's checkpoint of that size
    cosignatures: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: the bytes of keys.json and of city/checkpoint
    keys: Mapped[bytes]
    city_checkpoint: Mapped[bytes]
    #: the bytes of manifest.json and of manifest.sig
    manifest: Mapped[bytes]
    signature: Mapped[bytes]
    made_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class BundleWanted(Base):
    """A published poll whose log has a newer signed state than its bundle, or more witnesses."""

    __tablename__ = "bundle_wanted"
    __table_args__ = (Index("ix_bundle_wanted_look_at", "look_at"),)

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    since: Mapped[dt.datetime] = mapped_column(default=utc_now)
    look_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class ReceiptKey(Base):
    """The public half of a key that signs receipts. Insert-only."""

    __tablename__ = "receipt_key"
    __table_args__ = (CheckConstraint("length(public_key) = 32", name="ed25519"),)

    key_id: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[bytes]
    made_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
