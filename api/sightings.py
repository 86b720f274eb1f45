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
from mvote.polls.integrity.noticing import Desk, by_poll, write_sightings
from mvote.polls.integrity.watching import Sighting, Watch


def watch(engine: Engine, day_keys: DayKeys, keyring: PollKeyring) -> Watch:
    """A watch that writes to *engine*, each poll in a transaction, and at the process's end."""

    def write(sightings: Sequence[Sighting]) -> None:
        now = utc_now()
        for poll_id, together in by_poll(sightings).items():
            keys = keyring.of(poll_id)
            if keys is None:  # nobody could be told apart by flags any more
                continue
            desk = Desk(day_keys=day_keys.around(now), roll_key=keys.V, now=now)
            with Session(engine) as session, transaction(session):
                write_sightings(session, poll_id, together, desk)

    made = Watch(day_keys, write)
    atexit.register(made.close)
    return made
