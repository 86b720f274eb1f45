"""Casts for several polls that wait at the same moment share a call, and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy.orm import Session

from mvote.ballotbox.slot import Outcome, SlotRow, put_in_polls
from mvote.ballotbox.writer import SlotWriter
from mvote.errors import Overloaded
from tests.support.ballots import ballot, frozen, rows_for
from tests.support.governing import twin
from tests.support.lines import Line
from tests.support.waiting import PATIENCE_SECONDS, wait_until, wait_until_blocked
from tests.support.world import World

Cast = tuple[uuid.UUID, SlotRow]


@pytest.fixture
def line(world: World) -> Line:
    line = Line(world)
    line.free.set()
    return line


def casts_in(world: World, polls: int, voters: int = 1) -> list[Cast]:
    """One cast of each of so many voters in each of so many polls, the polls taking turns."""
    opened = [frozen(world, world.open_poll()) for _ in range(polls)]
    citizens = world.citizens(voters)
    rows = {
        poll.poll_id: rows_for(world, poll, [ballot(world, poll, each) for each in citizens])
        for poll in opened
    }
    return [(poll.poll_id, rows[poll.poll_id][n]) for n in range(voters) for poll in opened]


class Together(SlotWriter):
    """A writer whose first batch waits until all are there."""

    def __init__(self, line: Line, casts: Sequence[Cast]) -> None:
        self._expected = len(casts)
        super().__init__(line.connect, patience_s=PATIENCE_SECONDS, pause=self._until_all_wait)

    def _until_all_wait(self) -> None:
        wait_until(lambda: len(self._queue) >= self._expected)
        self._expected = 0


class GivingUp(Together):
    """A writer in which the voter who was held up gives up before it goes on."""

    def _until_all_wait(self) -> None:
        if self._expected:
            super()._until_all_wait()
            return
        for held_up in self._queue:
            held_up.done.release()  # as if their patience were at an end
        wait_until(lambda: all(each.abandoned for each in self._queue))


def is_idle(writer: SlotWriter) -> bool:
    """Whether it has nothing left to write."""
    with writer._changed:
        return not writer._queue and not writer._busy


def begun(
    pool: ThreadPoolExecutor, writer: SlotWriter, casts: Sequence[Cast]
) -> list[Future[Outcome]]:
    return [pool.submit(writer.cast, *each) for each in casts]


def cast_together(line: Line, casts: Sequence[Cast]) -> list[Outcome]:
    """The outcomes of *casts*, which share the writer's first batch."""
    with ThreadPoolExecutor(len(casts)) as pool:
        return [each.result(PATIENCE_SECONDS) for each in begun(pool, Together(line, casts), casts)]


def test_ballots_of_several_polls_share_a_call_and_each_poll_has_a_transaction_of_its_own(
    world: World, line: Line
) -> None:
    casts = casts_in(world, polls=3, voters=2)
    assert cast_together(line, casts) == ["recorded"] * 6
    assert line.lent == 1
    found = world.rows("SELECT poll_id, count(DISTINCT xmin::text) FROM envelope GROUP BY 1")
    assert {transactions for _, transactions in found} == {1}
    assert world.rows("SELECT count(DISTINCT xmin::text) FROM envelope") == [(3,)]


def test_outcomes_go_to_those_whose_ballots_they_are_of(world: World, line: Line) -> None:
    casts = casts_in(world, polls=3, voters=2)
    assert cast_together(line, casts[1:4]) == ["recorded"] * 3
    expected = ["recorded", *["replay"] * 3, *["recorded"] * 2]
    assert cast_together(line, casts) == expected
    assert world.count("participation") == world.count("envelope") == 6


def test_one_voter_has_one_ballot_in_each_poll_of_a_call(world: World, line: Line) -> None:
    opened = [frozen(world, world.open_poll()) for _ in range(2)]
    citizen = world.citizen()
    papers = [(poll, ballot(world, poll, citizen)) for poll in opened for _ in range(3)]
    casts = [(poll.poll_id, rows_for(world, poll, [paper])[0]) for poll, paper in papers]
    outcomes = cast_together(line, casts)
    assert sorted(outcomes) == ["already-voted"] * 4 + ["recorded"] * 2
    assert world.count("participation") == world.count("envelope") == 2


def test_a_poll_that_is_being_closed_holds_up_no_other_poll_of_the_call(
    world: World, line: Line
) -> None:
    casts = casts_in(world, polls=3)
    with psycopg.connect(world.admin_url) as closer, ThreadPoolExecutor(3) as pool:
        closer.execute("SELECT pg_advisory_xact_lock(poll_lock(%s))", [casts[0][0]])
        writer = Together(line, casts)
        stuck, *others = begun(pool, writer, casts)
        assert [each.result(PATIENCE_SECONDS) for each in others] == ["recorded"] * 2
        wait_until_blocked(world.admin_url, "cast_ballots")
        assert not stuck.done()
        closer.commit()
        assert stuck.result(PATIENCE_SECONDS) == "recorded"


def test_a_cast_that_is_given_up_before_its_poll_is_written_alone_is_never_written(
    world: World, line: Line
) -> None:
    casts = casts_in(world, polls=2)
    writer = GivingUp(line, casts)
    with psycopg.connect(world.admin_url) as closer, ThreadPoolExecutor(2) as pool:
        closer.execute("SELECT pg_advisory_xact_lock(poll_lock(%s))", [casts[0][0]])
        stuck, other = begun(pool, writer, casts)
        assert other.result(PATIENCE_SECONDS) == "recorded"
        with pytest.raises(Overloaded):
            stuck.result(PATIENCE_SECONDS)
    wait_until(lambda: is_idle(writer))
    assert world.count("participation") == world.count("envelope") == 1


def test_without_a_look_at_the_lock_all_polls_of_the_call_would_wait(
    world: World, line: Line, owner: Session
) -> None:
    """The sabotaged twin: the call believes every poll to be free."""
    casts = casts_in(world, polls=3)
    look = "pg_try_advisory_xact_lock_shared(poll_lock(p_poll_id))"
    with (
        twin(owner, "poll_is_free", look, "true"),
        psycopg.connect(world.admin_url) as closer,
        ThreadPoolExecutor(3) as pool,
    ):
        closer.execute("SELECT pg_advisory_xact_lock(poll_lock(%s))", [casts[0][0]])
        waiting = begun(pool, Together(line, casts), casts)
        wait_until_blocked(world.admin_url, "cast_in_polls")
        assert not any(each.done() for each in waiting)
        closer.commit()
        assert [each.result(PATIENCE_SECONDS) for each in waiting] == ["recorded"] * 3


def test_a_poll_that_was_closed_meanwhile_takes_no_ballot_and_the_others_do(
    world: World, line: Line
) -> None:
    casts = casts_in(world, polls=3)
    world.end_voting({"id": str(casts[1][0])})
    assert cast_together(line, casts) == ["recorded", "not-open", "recorded"]
    assert world.count("participation") == world.count("envelope") == 2


def test_a_bad_row_stops_neither_its_poll_nor_the_others(world: World, line: Line) -> None:
    casts = casts_in(world, polls=3, voters=2)
    poll_id, row = casts[1]
    broken = SlotRow(
        tags=type(row.tags)(voter_tag=b"short", key_tag=b"x", ballot_tag=b"y"),
        admitted=True,
        envelope_id=row.envelope_id,
        outer=row.outer,
    )
    casts[1] = (poll_id, broken)
    with ThreadPoolExecutor(len(casts)) as pool:
        waiting = begun(pool, Together(line, casts), casts)
        with pytest.raises(Overloaded):
            waiting.pop(1).result(PATIENCE_SECONDS)
        # what was committed before the call failed is found again when it is asked for anew
        assert {each.result(PATIENCE_SECONDS) for each in waiting} == {"recorded", "replay"}
    assert world.count("participation") == world.count("envelope") == 5


def test_when_the_answer_for_several_polls_is_lost_it_is_asked_for_again_and_found(
    world: World, line: Line
) -> None:
    casts = casts_in(world, polls=3)
    line.commits_to_lose = 1
    assert cast_together(line, casts) == ["replay"] * 3
    assert world.count("participation") == world.count("envelope") == 3


def test_within_a_transaction_of_the_callers_own_nothing_is_recorded(world: World) -> None:
    """Else one who never commits could keep all those polls from closing."""
    casts = casts_in(world, polls=2)
    url = world.settings.api_url.replace("+psycopg", "")
    with (
        psycopg.connect(url) as connection,
        pytest.raises(psycopg.errors.InvalidTransactionTermination),
    ):
        put_in_polls(connection, {poll_id: [row] for poll_id, row in casts})
    assert world.count("participation") == world.count("envelope") == 0
