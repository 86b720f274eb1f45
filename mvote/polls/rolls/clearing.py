"""Deleting the entries of a roll whose row is gone, in pieces."""

from __future__ import annotations

import uuid

from sqlalchemy import text
from sqlalchemy.orm import Session

PIECES = 32
"""In so many a roll is deleted, by the first byte of its entries: 31,250 each of a million."""
_CLEAR = text("SELECT clear_roll(:poll_id, :from, :until)")


def clear_entries(session: Session, poll_id: uuid.UUID) -> None:
    """Delete what is left of a draft's roll, in pieces: none takes as long as a statement may."""
    bounds = [bytes([byte]) for byte in range(0, 256, 256 // PIECES)]
    for piece in zip(bounds, [*bounds[1:], None], strict=True):
        session.execute(_CLEAR, {"poll_id": poll_id, "from": piece[0], "until": piece[1]})
