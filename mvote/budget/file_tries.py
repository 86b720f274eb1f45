"""How often a citizen may send a file, kept or refused: looking at one is costly."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from mvote.people.limits import Limit, use_up_for_person

BY_MINUTE = Limit("files-tried-a-minute", 10, dt.timedelta(minutes=1))
BY_DAY = Limit("files-tried-a-day", 100, dt.timedelta(days=1))
"""More than may be kept a day: some are refused, or sent again."""


def count_try(session: Session, *, citizen_id: uuid.UUID, now: dt.datetime) -> None:
    """Count a file before it is looked at, or many at once would all be looked at.

    Raises TooManyRequests.
    """
    for limit in (BY_MINUTE, BY_DAY):
        label = "mvote/file-tries/1"
        use_up_for_person(session, limit, citizen_id=citizen_id, label=label, now=now)
