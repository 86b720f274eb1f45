"""The watch: it notes without making anybody wait, writes by itself, and loses no ballot."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import uuid
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from mvote.ballotbox.keystore import KeyUnreadable
from mvote.polls.integrity.checking import Integrity
from mvote.polls.integrity.watching import Watch
from tests.support.integrity import CIRCLE, see
from tests.support.places import Statements
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.world import World

SEOUL = (37.57, 126.98)
NEVER_S = 3600
NOON = dt.datetime(2026, 5, 2, 12, tzinfo=dt.UTC)


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    return world.open_poll(presence=CIRCLE)


def sighted(poll: dict[str, Any], watch: Watch, count: int) -> None:
    for n in range(count):
        see(watch, poll, bytes([n]) * 32, SEOUL, NOON)


def test_what_is_too_much_is_dropped_and_counted_and_nobody_waits(
    world: World, poll: dict[str, Any]
) -> None:
    written: list[int] = []
    keys = world.wiring.watch._keys
    watch = Watch(keys, lambda batch: written.append(len(batch)), most=3, pause_s=NEVER_S)
    sighted(poll, watch, 5)
    assert (watch.waiting, watch.dropped) == (3, 2)
    watch.close()
    assert (watch.waiting, written) == (0, [3])


def test_a_database_that_is_away_loses_flags_and_nothing_else(
    world: World, poll: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> None:
        raise OSError("37.5720")

    watch = Watch(world.wiring.watch._keys, fail, pause_s=NEVER_S)
    sighted(poll, watch, 2)
    with caplog.at_level(logging.WARNING, "mvote.integrity"):
        watch.write_now()
    assert (watch.waiting, watch.dropped) == (0, 2)
    assert "37.57" not in caplog.text
    assert caplog.records[-1].message == "sightings lost"


def test_what_is_noted_is_written_without_anybody_asking(
    world: World, poll: dict[str, Any]
) -> None:
    written = threading.Event()
    watch = Watch(world.wiring.watch._keys, lambda _: written.set(), pause_s=0)
    sighted(poll, watch, 1)
    assert written.wait(PATIENCE_SECONDS)
    watch.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_that_nobody_thought_of_is_counted_and_writing_goes_on(
    world: World, poll: dict[str, Any]
) -> None:
    written = threading.Event()
    faults = [TypeError("nobody thought of it")]

    def write(_: Any) -> None:
        if faults:
            raise faults.pop()
        written.set()

    watch = Watch(world.wiring.watch._keys, write, pause_s=0)
    sighted(poll, watch, 1)
    assert watch._thread
    watch._thread.join(PATIENCE_SECONDS)
    assert watch.dropped == 1
    sighted(poll, watch, 1)
    assert written.wait(PATIENCE_SECONDS)
    watch.close()


def test_without_a_thread_nobody_is_refused_and_the_next_tries_again(
    world: World, poll: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    written = threading.Event()
    watch = Watch(world.wiring.watch._keys, lambda _: written.set(), pause_s=0)
    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", refuse)
        sighted(poll, watch, 1)
    assert (watch.waiting, watch.dropped) == (1, 0)
    sighted(poll, watch, 1)
    assert written.wait(PATIENCE_SECONDS)
    watch.close()


def test_what_a_lock_stood_in_the_way_of_is_tried_once_more(
    world: World, poll: dict[str, Any]
) -> None:
    tries: list[int] = []

    def write(batch: Any) -> None:
        tries.append(len(batch))
        raise OperationalError("", None, Exception())

    watch = Watch(world.wiring.watch._keys, write, pause_s=NEVER_S)
    sighted(poll, watch, 2)
    watch.write_now()
    assert (watch.waiting, watch.dropped) == (2, 0)
    sighted(poll, watch, 1)
    watch.write_now()
    assert (watch.waiting, watch.dropped) == (1, 2)
    watch.close()
    assert (watch.waiting, watch.dropped, tries) == (0, 3, [2, 3, 1])


def test_a_key_that_cannot_be_read_loses_the_sightings_of_its_poll_alone(
    world: World, poll: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    other, watch = world.open_poll(presence=CIRCLE), world.wiring.watch
    keyring, of = world.wiring.box.keys, world.wiring.box.keys.of

    def keys_of(poll_id: uuid.UUID) -> Any:
        if poll_id == uuid.UUID(poll["id"]):
            raise KeyUnreadable("V")
        return of(poll_id)

    monkeypatch.setattr(keyring, "of", keys_of)
    for each in (poll, other):
        see(watch, each, b"a" * 32, SEOUL, NOON, said=Integrity(is_mock=True))
    monkeypatch.setattr(watch, "dropped", 0)  # and as it was, at the end
    watch.write_now()
    assert watch.dropped == 1
    assert world.rows("SELECT DISTINCT poll_id FROM flag") == [(uuid.UUID(other["id"]),)]


def test_sightings_in_many_polls_are_written_in_as_few_statements_as_those_in_one(
    world: World,
) -> None:
    officer, watch = world.officer(), world.wiring.watch
    polls = [world.open_poll(officer, presence=CIRCLE) for _ in range(6)]

    def asked(*seen: tuple[dict[str, Any], bytes]) -> int:
        with Statements(world.wiring.engine) as statements:
            for poll, anchor in seen:
                sighting_of(watch, poll, anchor)
            watch.write_now()
        assert watch.dropped == 0
        return len(statements.heard)

    in_one = asked(*((polls[0], bytes([n]) * 32) for n in range(5)))
    in_many = asked(*((poll, bytes([n]) * 32) for poll in polls[1:] for n in range(5)))
    assert in_many == in_one
    rows = world.rows("SELECT count(*), count(DISTINCT poll_id) FROM flag")
    assert rows == [(6 * 3, 6)]  # in each poll the third, fourth and fifth at one place


def sighting_of(watch: Watch, poll: dict[str, Any], anchor: bytes) -> None:
    see(watch, poll, anchor, (37.5720123, 126.9769456), NOON)


def test_nothing_in_the_queue_says_where_somebody_is(world: World, poll: dict[str, Any]) -> None:
    watch = Watch(world.wiring.watch._keys, lambda _: None, pause_s=NEVER_S)
    see(watch, poll, b"a" * 32, (37.5720123, 126.9769456), NOON, said=Integrity(is_mock=True))
    [sighting] = watch._queue
    assert repr(sighting).startswith("<")  # no repr, so that no log can have it
    assert sighting.fix
    assert (sighting.fix.lat, sighting.fix.lon) == (375, 1269)
    assert all(len(place) == 32 for place in sighting.places)
    assert list(sighting.kinds) == ["mock"]
    watch.close()


def test_the_figures_of_the_watch_are_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.wiring.watch, "dropped", 0)  # whatever others have lost
    shown = world.client.get("/metrics").get_data(as_text=True)
    assert "mvote_sightings_waiting 0.0" in shown
    assert "mvote_sightings_dropped 0.0" in shown
