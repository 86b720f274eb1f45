"""Notices: what was done to a poll beside its plan, said in public, and an entry of its log."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import CheckConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base

KINDS = ("early-close", "extension", "voiding", "publication", "correction", "draw")


class Notice(Base):
    """One notice. Insert-only: written by the database's own functions, each with its act."""

    __tablename__ = "notice"
    __table_args__ = (CheckConstraint("n >= 0", name="numbered"),)

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: 0, 1, 2 … in the order of the acts
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: canonical JSON (RFC 8785), `mvote-notice/1`
    content: Mapped[bytes]

    @property
    def document(self) -> dict[str, Any]:
        """The content, read."""
        found: dict[str, Any] = orjson.loads(self.content)
        return found

    @property
    def at(self) -> dt.datetime:
        """When it was done, by the database's clock."""
        return dt.datetime.fromisoformat(self.document["at"])

    @property
    def hash(self) -> bytes:
        """SHA-256 of the content: what stands in the log."""
        return hashlib.sha256(self.content).digest()


def draw_of(session: Session, poll_id: uuid.UUID) -> dict[str, Any] | None:
    """The notice of the lot that was drawn between tied winners, if one was."""
    found = (each.document for each in notices_of(session, poll_id))
    return next((each for each in found if each["kind"] == "draw"), None)


def notices_of(session: Session, poll_id: uuid.UUID) -> Sequence[Notice]:
    """All notices of the poll, in their order."""
    return session.scalars(select(Notice).where(Notice.poll_id == poll_id).order_by(Notice.n)).all()
