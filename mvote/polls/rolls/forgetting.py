"""The end of a roll: when its key is gone nobody can tell who was on it, and its entries go."""

from __future__ import annotations

import uuid
from collections.abc import Collection
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
    """Delete the entries of every roll whose key is destroyed: nobody can tell any more who was
    on it."""
    settled = select(Roll.poll_id, Roll.size).join(Poll, Poll.id == Roll.poll_id)
    settled = settled.where(Roll.forgotten_at.is_(None), Poll.state.in_(SETTLED))
    forgotten = []
    for poll_id, size in session.execute(settled).all():
        if _is_gone(keystore, poll_id):
            session.execute(_FORGET, {"poll_id": poll_id})
            write_down(session, RollForgotten(size=size), actor_id=None, subject_id=poll_id)
            forgotten.append(poll_id)
    return forgotten


def never_opened(session: Session, poll_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Those of *poll_ids* that were cancelled as drafts: nobody could ever vote by their roll, if
    they have one. An import that was refused at its end leaves a key and no roll."""
    given_up = select(Poll.id).where(Poll.state == "cancelled", Poll.frozen_at.is_(None))
    return list(session.scalars(given_up.where(Poll.id.in_(poll_ids)))) if poll_ids else []


def _is_gone(keystore: Keystore, poll_id: uuid.UUID) -> bool:
    try:
        return not keystore.is_held(key_name(poll_id, LETTER))
    except KeystoreAway:  # another time
        return False
