"""What this process notes of positions, written beside casting on connections of the same pool."""

from __future__ import annotations

import atexit
from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox.poll_keys import PollKeyring
from mvote.base import utc_now
from mvote.polls.integrity.day_keys import DayKeys
from mvote.polls.integrity.noticing import Desk, write_sightings
from mvote.polls.integrity.watching import Sighting, Watch


def watch(engine: Engine, day_keys: DayKeys, keyring: PollKeyring) -> Watch:
    """A watch that writes to *engine*, whatever the polls, and at the process's end."""

    def write(sightings: Sequence[Sighting]) -> None:
        now = utc_now()
        found = {each.poll_id: keyring.of(each.poll_id) for each in sightings}
        roll_keys = {poll_id: keys.V for poll_id, keys in found.items() if keys}
        desk = Desk(day_keys=day_keys.around(now), roll_keys=roll_keys, now=now)
        # without its key nobody could be told apart by the flags of a poll any more
        of_living = [each for each in sightings if each.poll_id in roll_keys]
        if of_living:
            with Session(engine) as session, transaction(session):
                write_sightings(session, of_living, desk)

    made = Watch(day_keys, write)
    atexit.register(made.close)
    return made
