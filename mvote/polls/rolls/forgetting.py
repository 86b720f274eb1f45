"""The end of a roll: when its key is gone nobody can tell who was on it, and its entries go."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import Keystore, KeystoreAway
from mvote.ballotbox.poll_keys import key_name
from mvote.journal import Event, write_down
from mvote.polls.poll import Poll
from mvote.polls.roll import Roll
from mvote.polls.rolls.entries import LETTER

SETTLED = ("published", "voided", "cancelled")
_FORGET = text("SELECT forget_roll(:poll_id)")


@dataclass(frozen=True, kw_only=True)
class RollForgotten(Event):
    kind: ClassVar[str] = "poll:roll_forgotten"
    size: int


def forget_rolls(session: Session, keystore: Keystore) -> list[uuid.UUID]:
    """Delete the entries of every roll whose key is destroyed; of a poll that was cancelled as a
    draft the key is destroyed now, for nobody could ever vote by it."""
    settled = select(Roll.poll_id, Roll.size, Poll.frozen_at).join(Poll, Poll.id == Roll.poll_id)
    settled = settled.where(Roll.forgotten_at.is_(None), Poll.state.in_(SETTLED))
    forgotten = []
    for poll_id, size, frozen_at in session.execute(settled).all():
        if _is_gone(keystore, poll_id, never_opened=frozen_at is None):
            session.execute(_FORGET, {"poll_id": poll_id})
            write_down(session, RollForgotten(size=size), actor_id=None, subject_id=poll_id)
            forgotten.append(poll_id)
    return forgotten


def _is_gone(keystore: Keystore, poll_id: uuid.UUID, *, never_opened: bool) -> bool:
    name = key_name(poll_id, LETTER)
    try:
        if never_opened:
            keystore.destroy(name)
        return not keystore.is_held(name)
    except KeystoreAway:  # another time
        return False
