"""Live counting: where the definition says so, each batch is counted once it is in the log.

A figure changes with a shuffled batch only, so that no single ballot shows as a difference; the
database takes none that is not of a whole checkpoint.
"""

from __future__ import annotations

import uuid

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.ballotbox.figures import LiveCount
from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.log_tables import Checkpoint
from mvote.ballotbox.stock import sealing_key_name
from mvote.ballotbox.tallying import count_marks
from mvote.ballotbox.unsealing import CHUNK, Count, Opener, entries
from mvote.polls.definition import read_definition
from mvote.polls.poll import Poll, PollDefinition, State

COUNTED_LIVE: tuple[State, ...] = ("open", "closing")


def polls_to_count_live(session: Session) -> list[uuid.UUID]:
    """Polls with live results of which a batch is not counted yet."""
    shown = select(Poll.id).where(
        Poll.state.in_(COUNTED_LIVE), Poll.content["results"].astext == "live"
    )
    return [
        poll_id
        for poll_id in session.scalars(shown).all()
        if _head(session, poll_id) > _counted(session, poll_id).size
    ]


def count_live(session: Session, keystore: Keystore, poll_id: uuid.UUID) -> None:
    """Count what came since the last live count of a poll, up to the newest checkpoint.

    A ballot that cannot be opened is left out here; the accounting after closing will show it.
    Raises KeyMissing or KeyUnreadable without the poll's private key.
    """
    before, head = _counted(session, poll_id), _head(session, poll_id)
    opener = _opener(session, keystore, poll_id)
    new = Count()
    for first in range(before.size, head, CHUNK):
        new += opener.count(entries(session, poll_id, first, min(first + CHUNK, head)))
    tally = count_marks(opener.poll.question, new.vectors)
    totals = before.totals or [0] * len(tally.totals)
    figures = {
        "size": head,
        "ballots": before.ballots + new.ballots,
        "blank": before.blank + tally.blank,
        "totals": [old + more for old, more in zip(totals, tally.totals, strict=True)],
    }
    row = insert(LiveCount).values(poll_id=poll_id, **figures)
    session.execute(row.on_conflict_do_update(index_elements=["poll_id"], set_=figures))


def _counted(session: Session, poll_id: uuid.UUID) -> LiveCount:
    found = session.get(LiveCount, poll_id)
    return found or LiveCount(size=0, ballots=0, blank=0, totals=[])


def _head(session: Session, poll_id: uuid.UUID) -> int:
    sizes = select(func.coalesce(func.max(Checkpoint.size), 0))
    return session.scalars(sizes.where(Checkpoint.poll_id == poll_id)).one()


def _opener(session: Session, keystore: Keystore, poll_id: uuid.UUID) -> Opener:
    content = select(PollDefinition.canonical).where(PollDefinition.poll_id == poll_id)
    poll = read_definition(session.scalars(content).one())
    key = keystore.get(sealing_key_name(poll.sealing_key))
    return Opener(poll, X25519PrivateKey.from_private_bytes(key))
