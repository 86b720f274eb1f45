"""How often a citizen may send a file, kept or refused: looking at one is costly."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from mvote.people.limits import Limit, hash_of_person, use_up

BY_MINUTE = Limit("files-tried-a-minute", 10, dt.timedelta(minutes=1))
BY_DAY = Limit("files-tried-a-day", 100, dt.timedelta(days=1))
"""More than may be kept a day: some are refused, or sent again."""


def count_try(session: Session, *, citizen_id: uuid.UUID, now: dt.datetime) -> None:
    """Count a file before it is looked at, or many at once would all be looked at.

    Raises TooManyRequests.
    """
    subject = hash_of_person(session, citizen_id, "mvote/file-tries/1")
    for limit in (BY_MINUTE, BY_DAY):
        use_up(session, limit, subject_hash=subject, now=now)
