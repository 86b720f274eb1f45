"""Private rooms: a poll that only those find who know its number and its password.

The password is no part of the definition, which says only that there is one. Like every rule about
who may vote, it stays as it is from the opening on.
"""

from __future__ import annotations

import secrets
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base
from mvote.polls.poll import Poll
from mvote.polls.room_passwords import RoomPasswords

NUMBER_DIGITS = 8


class Room(Base):
    """The door of a private poll: what it is found by, and what opens it."""

    __tablename__ = "room"
    __table_args__ = (
        UniqueConstraint("number", name="uq_room_number"),
        CheckConstraint("number ~ '^[0-9]{8}$'", name="number_of_eight_digits"),
        CheckConstraint("password_hash LIKE '$argon2id$%'", name="password_hashed"),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("poll.id"), primary_key=True)
    #: told to everyone who is to come in; no secret, but nothing that could be counted through
    number: Mapped[str]
    password_hash: Mapped[str]


def lock_room(session: Session, *, poll: Poll, password: str, passwords: RoomPasswords) -> None:
    """Make the draft private, or give its room another password."""
    hashed = passwords.hashed(poll.id, password)
    room = session.get(Room, poll.id)
    if room is None:
        session.add(Room(poll_id=poll.id, number=_free_number(session), password_hash=hashed))
    else:
        room.password_hash = hashed
    poll.is_private = True
    session.flush()


def open_room(session: Session, *, poll: Poll) -> None:
    """Make the draft public again: its number leads nowhere from now on."""
    session.execute(delete(Room).where(Room.poll_id == poll.id))
    poll.is_private = False
    session.flush()


def room_numbered(session: Session, number: str) -> Room | None:
    """The room with that number, if there is one."""
    return session.scalars(select(Room).where(Room.number == number)).one_or_none()


def room_to_enter(session: Session, number: str) -> Room | None:
    """The room with that number, once its poll is frozen: only then has it one password for good.

    A draft's is answered as a number that leads nowhere.
    """
    frozen = select(Room).join(Poll, Poll.id == Room.poll_id).where(Poll.frozen_at.is_not(None))
    return session.scalars(frozen.where(Room.number == number)).one_or_none()


def _free_number(session: Session) -> str:
    """A number that no room has. Two that are drawn alike at once: the database lets one in."""
    while True:
        number = f"{secrets.randbelow(10**NUMBER_DIGITS):0{NUMBER_DIGITS}d}"
        if room_numbered(session, number) is None:
            return number
