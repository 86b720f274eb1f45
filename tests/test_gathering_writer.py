"""The gathering writer: what it answers is true, whatever the database does meanwhile."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.db import db, driving, new_engine
from mvote.ballotbox.slot import Outcome, SlotRow
from mvote.ballotbox.writer import THREADS, SlotWriter
from mvote.driver import Connection
from mvote.errors import OutcomeUnknown, Overloaded
from tests.support.ballots import ballot, frozen, rows_for
from tests.support.lines import Line
from tests.support.waiting import PATIENCE_SECONDS, WEB_LIMITS, wait_until
from tests.support.world import World


@pytest.fixture
def line(world: World) -> Line:
    line = Line(world)
    line.free.set()
    return line


@pytest.fixture
def poll_and_rows(world: World) -> tuple[uuid.UUID, list[SlotRow]]:
    poll = frozen(world, world.open_poll())
    papers = [ballot(world, poll, voter) for voter in world.citizens(5)]
    return poll.poll_id, rows_for(world, poll, papers)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_threads_that_ended_by_a_fault_nobody_foresaw_are_made_anew(
    world: World, line: Line, poll_and_rows: tuple[uuid.UUID, list[SlotRow]]
) -> None:
    poll_id, rows = poll_and_rows
    faults = [MemoryError() for _ in range(THREADS + 1)]

    @contextmanager
    def connect() -> Iterator[Connection]:
        with line.connect() as connection:
            if faults:
                raise faults.pop()
            yield connection

    writer = line.writer(connect=connect)
    for _ in range(THREADS + 1):
        with pytest.raises((OutcomeUnknown, Overloaded)):
            writer.cast(poll_id, rows[0])
    assert writer.cast(poll_id, rows[0]) == "recorded"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_pause_that_fails_keeps_nobody_from_voting_in_that_poll(
    line: Line, poll_and_rows: tuple[uuid.UUID, list[SlotRow]]
) -> None:
    poll_id, rows = poll_and_rows
    faults: list[Exception] = [MemoryError()]

    def pause() -> None:
        if faults:
            raise faults.pop()

    writer = line.writer(pause=pause)
    assert writer.cast(poll_id, rows[0]) == "recorded"
    assert not faults


def test_what_is_answered_as_overloaded_is_never_recorded_afterwards(
    world: World, line: Line, poll_and_rows: tuple[uuid.UUID, list[SlotRow]]
) -> None:
    poll_id, rows = poll_and_rows
    line.free.clear()
    writer = line.writer(patience_s=0.05)
    for row in rows[:3]:
        with pytest.raises(Overloaded):
            writer.cast(poll_id, row)
    line.free.set()
    patient = line.writer()
    assert patient.cast(poll_id, rows[3]) == "recorded"
    wait_until(lambda: not writer._queue and not writer._busy)
    assert world.count("participation") == world.count("envelope") == 1


def test_a_lost_answer_to_a_commit_is_asked_for_again_and_found(
    world: World, line: Line, poll_and_rows: tuple[uuid.UUID, list[SlotRow]]
) -> None:
    poll_id, rows = poll_and_rows
    line.commits_to_lose = 1
    assert line.writer().cast(poll_id, rows[0]) == "replay"
    assert world.count("envelope") == 1


def test_if_no_commit_is_answered_the_outcome_is_unknown_and_the_same_key_tells_it(
    world: World, line: Line, poll_and_rows: tuple[uuid.UUID, list[SlotRow]]
) -> None:
    poll_id, rows = poll_and_rows
    line.commits_to_lose = 2
    writer = line.writer()
    with pytest.raises(OutcomeUnknown):
        writer.cast(poll_id, rows[0])
    assert writer.cast(poll_id, rows[0]) == "replay"
    assert world.count("envelope") == 1


def test_a_bad_row_stops_no_other_row_of_its_batch(
    world: World, line: Line, poll_and_rows: tuple[uuid.UUID, list[SlotRow]]
) -> None:
    poll_id, rows = poll_and_rows
    broken = SlotRow(
        tags=type(rows[0].tags)(voter_tag=b"short", key_tag=b"x", ballot_tag=b"y"),
        admitted=True,
        envelope_id=rows[0].envelope_id,
        outer=rows[0].outer,
    )
    line.free.clear()
    writer = line.writer()
    with ThreadPoolExecutor(6) as pool:
        waiting: list[Future[Outcome]] = [
            pool.submit(writer.cast, poll_id, row) for row in (broken, *rows)
        ]
        assert line.asked.wait(PATIENCE_SECONDS)
        line.free.set()
        with pytest.raises(Overloaded):
            waiting[0].result(PATIENCE_SECONDS)
        assert [each.result(PATIENCE_SECONDS) for each in waiting[1:]] == ["recorded"] * 5
    assert world.count("envelope") == 5


def test_a_poll_behind_a_lock_does_not_stop_the_casts_of_another(
    world: World, line: Line, poll_and_rows: tuple[uuid.UUID, list[SlotRow]]
) -> None:
    poll_id, rows = poll_and_rows
    other = frozen(world, world.open_poll())
    [row] = rows_for(world, other, [ballot(world, other, world.citizen())])
    writer = line.writer()
    with psycopg.connect(world.admin_url) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("SELECT pg_advisory_xact_lock(poll_lock(%s))", [poll_id])
        stuck = pool.submit(writer.cast, poll_id, rows[0])
        wait_until(lambda: bool(writer._busy))
        assert writer.cast(other.poll_id, row) == "recorded"
        holder.commit()
        assert stuck.result(PATIENCE_SECONDS) == "recorded"


def test_a_lock_that_does_not_end_is_answered_as_overloaded_and_nothing_is_recorded(
    world: World, line: Line, poll_and_rows: tuple[uuid.UUID, list[SlotRow]]
) -> None:
    poll_id, rows = poll_and_rows
    engine = new_engine(world.settings.api_url, **WEB_LIMITS)
    writer = line.writer(connect=lambda: driving(engine))
    with psycopg.connect(world.admin_url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(poll_lock(%s))", [poll_id])
        with pytest.raises(Overloaded):
            writer.cast(poll_id, rows[0])
    assert world.count("participation") == 0
    engine.dispose()


def test_when_every_connection_is_cut_in_mid_cast_nothing_is_lost_or_doubled(
    world: World, line: Line
) -> None:
    poll = frozen(world, world.open_poll())
    papers = [ballot(world, poll, voter) for voter in world.citizens(120)]
    rows = rows_for(world, poll, papers)
    writer = line.writer()
    done = threading.Event()

    def cut() -> None:
        with psycopg.connect(world.admin_url, autocommit=True) as connection:
            while not done.is_set():
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'mvote_api' AND datname = current_database()"
                )

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda row: _answer(writer, poll.poll_id, row), rows))
    finally:
        done.set()
        cutter.join(PATIENCE_SECONDS)
    recorded = {row.tags.voter_tag for row, answer in zip(rows, answers, strict=True)
                if answer in ("recorded", "replay")}  # fmt: skip
    denied = {row.tags.voter_tag for row, answer in zip(rows, answers, strict=True)
              if answer == "overloaded"}  # fmt: skip
    stored = {bytes(tag) for (tag,) in world.rows("SELECT voter_tag FROM participation")}
    assert recorded <= stored
    assert not denied & stored
    assert world.count("envelope") == len(stored)
    with world.app.app_context():  # its pool held connections that were cut, too
        db.engine.dispose()
    world.engines["api"].dispose()


def _answer(writer: SlotWriter, poll_id: uuid.UUID, row: SlotRow) -> str:
    try:
        return writer.cast(poll_id, row)
    except (Overloaded, OutcomeUnknown) as error:
        return error.code


def test_every_commit_of_the_web_waits_for_the_disk(session: Session) -> None:
    assert session.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
