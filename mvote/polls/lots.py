"""The lot of a poll: it breaks a tie of winners, where two officers draw it in public.

The database draws a secret when the poll is frozen; its hash stands in the definition. The hash of
the published statement, which nobody knows before the count, is mixed in: neither who knows the
secret nor who publishes can choose the seed.
"""

from __future__ import annotations

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base
from mvote.people.citizens import hash_check

_COMMIT = text("SELECT commit_lot(:poll_id)")


class PollLot(Base):
    """The lot of one frozen poll. Written and read by the database's own functions alone."""

    __tablename__ = "poll_lot"
    __table_args__ = (hash_check("secret"),)

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: 32 random bytes; the notice of the draw reveals them
    secret: Mapped[bytes] = mapped_column(deferred=True)


def commit_lot(session: Session, poll_id: uuid.UUID) -> bytes:
    """Draw the secret of a poll that is still a draft: SHA-256 of it, 32 bytes."""
    commitment: bytes = session.execute(_COMMIT, {"poll_id": poll_id}).scalar_one()
    return commitment
