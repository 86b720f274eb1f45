"""What this process notes of positions, written beside casting on connections of the same pool."""

from __future__ import annotations

import atexit
import datetime as dt
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox.poll_keys import PollKeyring
from mvote.base import utc_now
from mvote.polls.integrity.day_keys import DayKeys
from mvote.polls.integrity.noticing import Desk, write_sightings
from mvote.polls.integrity.watching import Sighting, Watch

KEY_FAULTS = (OSError, LookupError, ValueError)
"""A keystore that is away, a key that is not there or cannot be read."""


def watch(engine: Engine, day_keys: DayKeys, keyring: PollKeyring, zone: dt.tzinfo) -> Watch:
    """A watch that writes to *engine*, whatever the polls, and at the process's end; flags have
    the day that it is in *zone*."""

    def write(sightings: Sequence[Sighting]) -> None:
        now, polls = utc_now(), Counter(each.poll_id for each in sightings)
        roll_keys = {}
        for poll_id, count in polls.items():
            try:
                keys = keyring.of(poll_id)
            except KEY_FAULTS as error:  # those of other polls are not to be lost with it
                made.drop(count, error)
                continue
            if keys:
                roll_keys[poll_id] = keys.V
        desk = Desk(
            day_keys=day_keys.around(now),
            roll_keys=roll_keys,
            now=now,
            day=now.astimezone(zone).date(),
        )
        # without its key nobody could be told apart by the flags of a poll any more
        of_living = [each for each in sightings if each.poll_id in roll_keys]
        if of_living:
            with Session(engine) as session, transaction(session):
                write_sightings(session, of_living, desk)

    made = Watch(day_keys, write)
    atexit.register(made.close)
    return made
