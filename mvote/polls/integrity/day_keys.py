"""Keys of the day: what is remembered of positions for a while is hashed and sealed under them.

Each is made on its day (UTC) and destroyed two days later, when nothing is left that it is for:
from then on nobody can find anything out from what a backup may have kept.
"""

from __future__ import annotations

import datetime as dt
import os
from contextlib import suppress
from dataclasses import dataclass, field

from mvote.ballotbox.keystore import KeyMissing, Keystore, KeystoreAway

PREFIX = "whereabouts/"
KEY_BYTES = 32
KEPT = dt.timedelta(days=2)


@dataclass
class DayKeys:
    """The keys of today and of yesterday, as this process knows them."""

    keystore: Keystore
    _kept: tuple[int, list[bytes]] = field(default=(0, []), repr=False)

    def around(self, now: dt.datetime) -> list[bytes]:
        """Today's key, and yesterday's if there is one. Raises KeystoreAway, KeyUnreadable."""
        today = now.toordinal()
        kept_on, keys = self._kept
        if kept_on != today:
            keys = [self._made(now.date()), *self._of_before(now.date())]
            self._kept = today, keys
        return keys

    def _made(self, day: dt.date) -> bytes:
        with suppress(KeyMissing):
            return self.keystore.get(_name(day))
        with suppress(FileExistsError):  # another process was quicker
            self.keystore.put(_name(day), os.urandom(KEY_BYTES))
        return self.keystore.get(_name(day))

    def _of_before(self, day: dt.date) -> list[bytes]:
        with suppress(KeyMissing):
            return [self.keystore.get(_name(day - dt.timedelta(days=1)))]
        return []


def destroy_old_day_keys(keystore: Keystore, now: dt.datetime) -> None:
    """Destroy the keys of days that were over a day ago; another time, if a copy is away."""
    with suppress(KeystoreAway):
        for name in keystore.names(PREFIX):
            if name <= _name((now - KEPT).date()):
                keystore.destroy(name)


def _name(day: dt.date) -> str:
    return f"{PREFIX}{day.isoformat()}"
