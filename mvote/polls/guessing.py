"""Guessing the passwords of private rooms: every try counts before it is looked at."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from mvote.ballotbox.notation import h
from mvote.people.limits import Limit, give_back, hashes_of_person, use_up, use_up_for_person

HOUR = dt.timedelta(hours=1)
BY_CITIZEN = Limit("room-guesses", 10, HOUR)
"""A citizen has one confirmed number; each wrong password of theirs counts, in whatever room."""
OF_ROOM = Limit("room-guessed", 200, HOUR)
"""All wrong passwords for one number: many accounts together get no further than this."""

LABEL = "mvote/room-guess/1"


def count_guess(session: Session, *, citizen_id: uuid.UUID, room: str, now: dt.datetime) -> None:
    """Count a try before the password is looked at, or many tries at once would all be looked at.

    *room* is the number that was typed, or the poll's id. Raises TooManyRequests.
    """
    use_up_for_person(session, BY_CITIZEN, citizen_id=citizen_id, label=LABEL, now=now)
    use_up(session, OF_ROOM, subject_hash=_rooms(room), now=now)


def forgive_guess(session: Session, *, citizen_id: uuid.UUID, room: str) -> None:
    """It was no guess: the password was right."""
    for subject_hash in hashes_of_person(session, citizen_id, LABEL):
        give_back(session, BY_CITIZEN, subject_hash=subject_hash)
    give_back(session, OF_ROOM, subject_hash=_rooms(room))


def _rooms(room: str) -> bytes:
    return h("mvote/room-guessed/1", room.encode())
