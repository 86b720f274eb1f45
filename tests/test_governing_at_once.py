"""Acts of governance while ballots are cast and workers work: nothing late, lost or done twice."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.ballotbox.slot import SlotRow
from tests.support.ballots import at_once, ballot, cast_alone, frozen, rows_for
from tests.support.governing import (
    FUNCTIONS,
    REASON,
    asked,
    closed_by_worker,
    done,
    state,
    superuser,
    twin,
)
from tests.support.waiting import PATIENCE_SECONDS, is_blocked, wait_until, wait_until_blocked
from tests.support.world import World

WRITERS = 16
ROUNDS = 20
ROWS_EACH = 20
# closing early and casting


def test_closing_early_against_16_writers_loses_no_ballot_and_lets_none_in_late(
    world: World,
) -> None:
    poll = world.open_poll()
    box = frozen(world, poll)
    papers = [ballot(world, box, voter) for voter in world.citizens(WRITERS * ROWS_EACH)]
    rows = rows_for(world, box, papers)
    for _ in range(ROUNDS):
        _one_race(world, poll, rows)


def _one_race(world: World, poll: dict[str, Any], rows: list[SlotRow]) -> None:
    """Writers cast while officers close; what is in the box at closing is all there will be."""
    _reopen(world)
    deed, acknowledged = asked(world, poll, "close"), list[bytes]()
    begun = threading.Barrier(WRITERS + 1)

    def write(mine: list[SlotRow]) -> None:
        begun.wait(PATIENCE_SECONDS)
        acknowledged.extend(
            row.tags.voter_tag
            for row in mine
            if cast_alone(world.engines["api"], uuid.UUID(poll["id"]), row) == "recorded"
        )

    parts = [rows[start::WRITERS] for start in range(WRITERS)]
    threads = [threading.Thread(target=write, args=[part]) for part in parts]
    for thread in threads:
        thread.start()
    begun.wait(PATIENCE_SECONDS)
    wait_until(lambda: len(acknowledged) >= WRITERS)
    assert done(world, deed)
    at_closing = world.count("envelope")
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    stored = {bytes(tag) for (tag,) in world.rows("SELECT voter_tag FROM participation")}
    assert stored == set(acknowledged)
    assert at_closing == world.count("envelope") == len(acknowledged)


def _reopen(world: World) -> None:
    with superuser(world) as connection:
        connection.execute("DELETE FROM participation")
        connection.execute("DELETE FROM envelope")
        connection.execute("UPDATE poll SET state = 'open', closed_at = NULL")


def _act_while_a_cast_is_in_flight(world: World, verb: str, slot: str) -> tuple[bool, int, int]:
    """Whether the act waited, how many envelopes it found, how many there were in the end."""
    opened = world.open_poll()
    poll = frozen(world, opened)
    [row] = rows_for(world, poll, [ballot(world, poll, world.citizen())])
    deed = asked(world, opened, verb, **(REASON if verb == "void" else {}))
    ended, found = threading.Event(), []

    def act() -> None:
        assert done(world, deed)
        found.append(world.count("envelope"))
        ended.set()

    with psycopg.connect(world.admin_url) as caster:
        arguments = [[value] for value in (row.tags.voter_tag, row.tags.key_tag,
                     row.tags.ballot_tag, True, row.envelope_id, row.outer, None)]  # fmt: skip
        call = "SELECT {}(%s, %s, %s, %s, %s::bool[], %s::uuid[], %s, %s::bytea[])"
        caster.execute(call.format(slot).encode(), [poll.poll_id, *arguments])
        actor = threading.Thread(target=act)
        actor.start()
        wait_until(lambda: ended.is_set() or is_blocked(world.admin_url, FUNCTIONS[verb]))
        waited = not ended.is_set()
        caster.commit()
    actor.join(PATIENCE_SECONDS)
    return waited, found[0], world.count("envelope")


@pytest.mark.parametrize("verb", ["close", "void"])
def test_an_act_that_ends_casting_waits_for_a_cast_in_flight_and_finds_its_ballot(
    world: World, verb: str
) -> None:
    assert _act_while_a_cast_is_in_flight(world, verb, "cast_ballots") == (True, 1, 1)


@pytest.mark.parametrize("verb", ["close", "void"])
def test_without_the_shared_lock_a_ballot_would_arrive_after_the_act(
    world: World, owner: Session, verb: str
) -> None:
    """The sabotaged twin: the slot without its lock."""
    lock = "PERFORM pg_advisory_xact_lock_shared(poll_lock(p_poll_id));"
    with twin(owner, "cast_ballots", lock, ""):
        assert _act_while_a_cast_is_in_flight(world, verb, "cast_ballots") == (False, 0, 1)


def _cast_that_waits_while(world: World, verb: str) -> str:
    """What a cast hears that came while the act was under way."""
    opened = world.open_poll()
    poll = frozen(world, opened)
    [row] = rows_for(world, poll, [ballot(world, poll, world.citizen())])
    deed = asked(world, opened, verb, **(REASON if verb == "void" else {}))
    outcome: list[str] = []
    with Session(world.engines["api"]) as session:
        assert deed(session)
        waiter = threading.Thread(
            target=lambda: outcome.append(cast_alone(world.engines["api"], poll.poll_id, row))
        )
        waiter.start()
        wait_until_blocked(world.admin_url, "cast_ballots")
        session.commit()
        waiter.join(PATIENCE_SECONDS)
    return outcome[0]


@pytest.mark.parametrize("verb", ["close", "void"])
def test_a_cast_that_waits_while_the_poll_is_ended_is_refused(world: World, verb: str) -> None:
    assert _cast_that_waits_while(world, verb) == "not-open"
    assert world.count("participation") == world.count("envelope") == 0


def test_with_lock_and_check_in_one_statement_a_cast_that_waits_would_be_let_in(
    world: World, owner: Session
) -> None:
    """The sabotaged twin: its snapshot is older than its lock."""
    lock = "PERFORM pg_advisory_xact_lock_shared(poll_lock(p_poll_id));"
    read = "INTO is_open FROM poll WHERE id = p_poll_id;"
    at_once = "INTO is_open FROM poll, pg_advisory_xact_lock_shared(poll_lock(p_poll_id))"
    with (
        twin(owner, "cast_ballots", lock, ""),
        twin(owner, "cast_ballots", read, f"{at_once} WHERE id = p_poll_id;"),
    ):
        assert _cast_that_waits_while(world, "close") == "recorded"


# the same act twice


def test_a_poll_that_two_pairs_of_officers_close_at_once_is_closed_once(world: World) -> None:
    poll = world.open_poll(world.citizen())
    author_id = world.rows("SELECT author_id FROM poll")[0][0]
    alone = text("SELECT close_poll_early(:poll, NULL, :by)")

    def by_author(session: Session) -> bool:
        bound = {"poll": poll["id"], "by": author_id}
        return bool(session.execute(alone, bound).scalar_one())

    deeds = [asked(world, poll, "close"), by_author]
    assert sorted(at_once(lambda deed: done(world, deed), deeds)) == [False, True]
    assert (state(world), world.count("notice")) == ("closing", 1)


def test_a_poll_that_the_worker_and_officers_end_at_once_has_one_end(world: World) -> None:
    """Voiding against the worker's close: whichever comes second sees what the first has done."""
    poll = world.open_poll()
    deed = asked(world, poll, "void", **REASON)
    world.end_voting(poll)
    deeds = [lambda: done(world, deed), lambda: closed_by_worker(world, poll)]
    voided, _ = at_once(lambda act: act(), deeds)
    assert (voided, state(world), world.count("notice")) == (True, "voided", 1)


def test_a_count_that_ends_while_the_poll_is_voided_publishes_nothing(world: World) -> None:
    poll = world.open_poll(publish_from=2)
    for voter in world.citizens(2):
        world.cast(poll, voter)
    world.close(poll)
    deed = asked(world, poll, "void", **REASON)
    failed: list[bool] = []

    def count() -> None:
        with pytest.raises(Exception, match=r"not closed|only while the poll is closed"):
            world.run_counter()
        failed.append(True)

    with Session(world.engines["api"]) as session:
        assert deed(session)
        counter = threading.Thread(target=count)
        counter.start()
        wait_until_blocked(world.admin_url, "finish_counting")
        session.commit()
        counter.join(PATIENCE_SECONDS)
    assert failed
    assert (state(world), world.count("result"), world.count("record")) == ("voided", 0, 0)
