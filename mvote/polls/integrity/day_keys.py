"""Keys of the day: what is remembered of positions for a while is hashed and sealed under them.

Each is made on its day (UTC) and destroyed two days later, when nothing is left that it is for:
from then on nobody can find anything out from what a backup may have kept.
"""

from __future__ import annotations

import datetime as dt
import os
from contextlib import suppress
from dataclasses import dataclass, field

from mvote.ballotbox.keystore import KeyMissing, Keystore, KeystoreAway, KeyUnreadable

PREFIX = "whereabouts/"
KEY_BYTES = 32
DAY = dt.timedelta(days=1)
KEPT = dt.timedelta(days=2)
PATIENCE = dt.timedelta(minutes=1)
"""Before a keystore that had no key is asked again: whoever casts does not wait for it."""


@dataclass
class DayKeys:
    """The keys of today and of yesterday, as this process knows them."""

    keystore: Keystore
    _kept: tuple[int, list[bytes]] = field(default=(0, []), repr=False)
    _away_until: dt.datetime | None = None

    def around(self, now: dt.datetime) -> list[bytes]:
        """Today's key, and yesterday's if there is one. Raises KeystoreAway, KeyUnreadable."""
        today = now.toordinal()
        kept_on, keys = self._kept
        if kept_on != today:
            keys = self._read(now)
            self._kept = today, keys
        return keys

    def forget_past(self, now: dt.datetime) -> None:
        """Drop keys of another day than today's: one of them may be destroyed by now."""
        if self._kept[0] != now.toordinal():
            self._kept = 0, []

    def _read(self, now: dt.datetime) -> list[bytes]:
        if self._away_until and now < self._away_until:
            raise KeystoreAway("asked a moment ago")
        try:
            keys = [make_day_key(self.keystore, now.date()), *self._of_before(now.date())]
        except (KeystoreAway, KeyUnreadable):
            self._away_until = now + PATIENCE
            raise
        self._away_until = None
        return keys

    def _of_before(self, day: dt.date) -> list[bytes]:
        with suppress(KeyMissing):
            return [self.keystore.get(_name(day - dt.timedelta(days=1)))]
        return []


def make_day_key(keystore: Keystore, day: dt.date) -> bytes:
    """The key of *day*, made if there is none. Raises KeystoreAway, KeyUnreadable."""
    with suppress(KeyMissing):
        return keystore.get(_name(day))
    with suppress(FileExistsError):  # another process was quicker
        keystore.put(_name(day), os.urandom(KEY_BYTES))
    return keystore.get(_name(day))


def keep_day_keys(keystore: Keystore, now: dt.datetime) -> None:
    """Destroy what is old, and make tomorrow's key: so none has to be made while a copy is away."""
    destroy_old_day_keys(keystore, now)
    with suppress(KeystoreAway):
        make_day_key(keystore, (now + DAY).date())


def destroy_old_day_keys(keystore: Keystore, now: dt.datetime) -> None:
    """Destroy the keys of days that were over a day ago; another time, if a copy is away."""
    with suppress(KeystoreAway):
        for name in keystore.names(PREFIX):
            if name <= _name((now - KEPT).date()):
                keystore.destroy(name)


def _name(day: dt.date) -> str:
    return f"{PREFIX}{day.isoformat()}"
