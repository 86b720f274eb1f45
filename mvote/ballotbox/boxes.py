"""The sealed ballots of a poll as a file, for observers who open and count them once more.

"mvote-box/1" and a newline ‖ the poll's 16 bytes ‖ for each ballot of the log, in its order: length
(2 bytes, big-endian) ‖ sealed ballot. A place of the log without a ballot has the length 0.
"""

from __future__ import annotations

import uuid
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.ballotbox.tables import BoxedBallot, LogEntry

FETCH = 5_000
HEADING = b"mvote-box/1\n"


def write_box(session: Session, poll_id: uuid.UUID, file: BinaryIO) -> int:
    """Write the box of the poll into *file*; how many places it has. Needs the counter's login."""
    places = 0
    file.write(HEADING + poll_id.bytes)
    same = (BoxedBallot.poll_id == LogEntry.poll_id) & (BoxedBallot.idx == LogEntry.idx)
    ballots = (
        select(BoxedBallot.sealed)
        .select_from(LogEntry)
        .outerjoin(BoxedBallot, same)
        .where(LogEntry.poll_id == poll_id, LogEntry.kind == 1)
        .order_by(LogEntry.idx)
        .execution_options(yield_per=FETCH)
    )
    for sealed in session.scalars(ballots):
        file.write(len(sealed or b"").to_bytes(2, "big") + (sealed or b""))
        places += 1
    return places
