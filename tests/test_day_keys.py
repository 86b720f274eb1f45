"""Keys of the day: made beforehand, asked for seldom while they are away, forgotten in time."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field

import pytest

from mvote.ballotbox.keystore import KeyMissing, KeystoreAway
from mvote.polls.integrity import watching
from mvote.polls.integrity.day_keys import DayKeys, keep_day_keys
from mvote.polls.integrity.watching import Watch
from tests.support.integrity import see
from tests.support.world import World

NOON = dt.datetime(2026, 5, 2, 12, tzinfo=dt.UTC)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@dataclass
class Shelf:
    """A keystore in memory, whose copy may be away."""

    is_away: bool = False
    held: dict[str, bytes] = field(default_factory=dict)
    asked: int = 0

    def get(self, name: str) -> bytes:
        self.asked += 1
        if name not in self.held:
            raise KeyMissing(name)
        return self.held[name]

    def put(self, name: str, secret: bytes) -> None:
        if self.is_away:
            raise KeystoreAway("copy")
        self.held[name] = secret

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.held if name.startswith(prefix))

    def destroy(self, name: str) -> bool:
        return self.held.pop(name, None) is not None


def keys_of(shelf: Shelf) -> DayKeys:
    return DayKeys(shelf)  # type: ignore[arg-type]  # has what is asked of it here


def test_the_keeper_makes_tomorrows_key_so_that_a_copy_may_be_away_at_midnight() -> None:
    shelf = Shelf()
    keep_day_keys(shelf, NOON)  # type: ignore[arg-type]
    shelf.is_away = True
    assert keys_of(shelf).around(NOON + DAY) == [shelf.held["whereabouts/2026-05-03"]]
    with pytest.raises(KeystoreAway):
        keys_of(shelf).around(NOON + 2 * DAY)


def test_a_keystore_that_is_away_is_asked_once_a_minute() -> None:
    shelf = Shelf(is_away=True)
    keys = keys_of(shelf)
    for seconds in range(59):
        with pytest.raises(KeystoreAway):
            keys.around(NOON + dt.timedelta(seconds=seconds))
    assert shelf.asked == 1
    shelf.is_away = False
    assert len(keys.around(NOON + MINUTE)) == 1


def test_losses_are_logged_once_a_minute_and_all_counted(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch(keys_of(Shelf(is_away=True)), lambda _: None, pause_s=60)
    poll = {"id": "00000000-0000-7000-8000-000000000000"}
    with caplog.at_level(logging.WARNING, "mvote.integrity"):
        for n in range(5):
            see(watch, poll, bytes([n]) * 32, (37.57, 126.98), NOON)
    assert watch.dropped == 5
    assert [each.message for each in caplog.records] == ["sightings lost"]


def test_keys_of_a_day_that_is_over_are_dropped_and_todays_stay() -> None:
    shelf = Shelf()
    keys = keys_of(shelf)
    today = keys.around(NOON)
    keys.forget_past(NOON)
    assert keys._kept == (NOON.toordinal(), today)
    keys.forget_past(NOON + DAY)
    assert keys._kept == (0, [])


def test_a_thread_that_has_nothing_to_write_looks_at_the_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "IDLE_S", 0.001)
    watch = Watch(keys_of(Shelf()), lambda _: None, pause_s=0)
    looked: list[dt.datetime] = []

    def forget_past(now: dt.datetime) -> None:
        looked.append(now)
        watch._ended.set()

    monkeypatch.setattr(watch._keys, "forget_past", forget_past)
    watch._work()
    assert len(looked) == 1
