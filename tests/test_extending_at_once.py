"""Extending while a worker closes: one or the other, and whoever waits sees what the first did."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mvote.ballotbox.shuffling import close_poll
from mvote.base import instant, utc_now
from mvote.people.anchors import LastPollEnds
from mvote.people.citizens import Citizen
from mvote.people.deleting import delete_account
from mvote.polls.participations import last_poll_ends
from mvote.polls.poll import Poll
from tests.support.ballots import at_once
from tests.support.governing import Deed, asked, closed_by_worker, done, state, superuser, twin
from tests.support.waiting import PATIENCE_SECONDS, is_blocked, wait_until, wait_until_blocked
from tests.support.world import World

ROUNDS = 20


def _due_in(world: World, seconds: int) -> None:
    with superuser(world) as connection:
        connection.execute(
            "UPDATE poll SET closes_at = clock_timestamp() + make_interval(secs => %s)", [seconds]
        )


def _done_in_time(world: World, session: Session, deed: Deed) -> None:
    """Do it just before the poll ends: what is a moment depends on how busy the machine is."""
    for seconds in (1, 5, 20, 50):
        _due_in(world, seconds)
        if deed(session):
            return
        session.rollback()
    raise AssertionError("it always came too late")


def _end_passed(world: World) -> bool:
    return bool(world.rows("SELECT clock_timestamp() >= closes_at FROM poll")[0][0])


def _close_that_waits_while_the_poll_is_extended(world: World) -> tuple[bool, str]:
    """Whether the worker closed it, and the state in the end."""
    poll = world.open_poll()
    deed = asked(world, poll, "extend", closes_at=instant(utc_now() + dt.timedelta(hours=5)))
    outcome: list[bool] = []
    with Session(world.engines["api"]) as session:
        _done_in_time(world, session, deed)  # and not yet committed when the old end passes
        wait_until(lambda: _end_passed(world))
        worker = threading.Thread(target=lambda: outcome.append(closed_by_worker(world, poll)))
        worker.start()
        wait_until_blocked(world.admin_url, "close_poll")
        session.commit()
        worker.join(PATIENCE_SECONDS)
    return outcome[0], state(world)


def test_a_worker_that_waits_while_the_poll_is_extended_does_not_close_it(world: World) -> None:
    assert _close_that_waits_while_the_poll_is_extended(world) == (False, "open")


def test_with_lock_and_check_in_one_statement_an_extended_poll_would_be_closed(
    world: World, owner: Session
) -> None:
    """The sabotaged twin: it looks at the end as it was before it waited."""
    lock = "PERFORM pg_advisory_xact_lock(poll_lock(p_poll_id));"
    read = "INTO is_due FROM poll WHERE id = p_poll_id;"
    at_once = "INTO is_due FROM poll, pg_advisory_xact_lock(poll_lock(p_poll_id))"
    with (
        twin(owner, "close_poll", lock, ""),
        twin(owner, "close_poll", read, f"{at_once} WHERE id = p_poll_id;"),
    ):
        assert _close_that_waits_while_the_poll_is_extended(world) == (True, "closing")


def test_an_extension_that_waits_while_the_poll_closes_comes_too_late(world: World) -> None:
    poll = world.open_poll()
    deed = asked(world, poll, "extend", closes_at=instant(utc_now() + dt.timedelta(hours=5)))
    world.end_voting(poll)
    outcome: list[bool] = []
    with Session(world.engines["shuffler"]) as session:
        assert close_poll(session, uuid.UUID(poll["id"]))
        officer = threading.Thread(target=lambda: outcome.append(done(world, deed)))
        officer.start()
        wait_until_blocked(world.admin_url, "extend_poll")
        session.commit()
        officer.join(PATIENCE_SECONDS)
    assert (outcome, state(world)) == ([False], "closing")
    assert world.count("notice") == 0
    assert world.rows("SELECT granted_by FROM approval") == [(None,)]


def test_extension_and_close_at_the_same_moment_end_one_way_or_the_other(world: World) -> None:
    poll = world.open_poll()
    for _ in range(ROUNDS):
        with superuser(world) as connection:
            connection.execute("UPDATE poll SET state = 'open', closed_at = NULL")
            connection.execute("DELETE FROM notice")
            connection.execute("UPDATE poll SET closes_at = clock_timestamp() + interval '1 hour'")
        later = instant(utc_now() + dt.timedelta(hours=5))
        deed = asked(world, poll, "extend", closes_at=later)
        with superuser(world) as connection:
            connection.execute("UPDATE poll SET closes_at = clock_timestamp() + '15 ms'")

        extended, closed = at_once(
            lambda act: act(),
            [partial(done, world, deed), partial(_closed_or_extended, world, poll)],
        )
        assert (extended, closed) in ((True, False), (False, True))
        assert world.count("notice") == extended


def _tombstones_after_a_deletion_while_the_poll_is_extended(
    world: World, new_end: dt.datetime, last_poll_ends: LastPollEnds
) -> list[tuple[Any, ...]]:
    voter, poll = world.citizen(), world.open_poll()
    assert world.cast(poll, voter, ["yes"]).status_code == 201
    deed = asked(world, poll, "extend", closes_at=instant(new_end))
    officer = threading.Thread(target=done, args=(world, deed))
    with Session(world.engines["api"]) as session:
        citizen = session.get_one(Citizen, voter.id)
        delete_account(session, citizen=citizen, last_poll_ends=last_poll_ends)
        officer.start()
        wait_until(lambda: not officer.is_alive() or is_blocked(world.admin_url, "extend_poll"))
        session.commit()
    officer.join(PATIENCE_SECONDS)
    assert world.rows("SELECT closes_at FROM poll") == [(new_end,)]
    return world.rows("SELECT until FROM tombstone")


def test_who_leaves_while_the_poll_is_extended_is_known_until_its_new_end(world: World) -> None:
    new_end = utc_now() + dt.timedelta(hours=5)
    found = _tombstones_after_a_deletion_while_the_poll_is_extended(world, new_end, last_poll_ends)
    assert found == [(new_end,)]


def test_without_a_lock_who_leaves_meanwhile_could_come_back_and_vote_again(world: World) -> None:
    """The sabotaged twin: it looks at the ends of polls, and lets them move before it is done."""

    def looked_at(session: Session) -> dt.datetime | None:
        return session.scalar(select(func.max(Poll.closes_at)))

    new_end = utc_now() + dt.timedelta(hours=5)
    found = _tombstones_after_a_deletion_while_the_poll_is_extended(world, new_end, looked_at)
    assert found[0][0] < new_end


def test_who_leaves_after_an_extension_that_is_under_way_waits_for_it(world: World) -> None:
    voter, poll = world.citizen(), world.open_poll()
    new_end = utc_now() + dt.timedelta(hours=5)
    deed = asked(world, poll, "extend", closes_at=instant(new_end))
    leave = partial(world.client.delete, "/v1/me", headers=voter.headers)
    leaver = threading.Thread(target=leave)
    with Session(world.engines["api"]) as session:
        assert deed(session)
        leaver.start()
        wait_until(lambda: not leaver.is_alive() or is_blocked(world.admin_url, "last_poll_ends"))
        session.commit()
        leaver.join(PATIENCE_SECONDS)
    assert world.rows("SELECT until FROM tombstone") == [(new_end,)]


def test_who_leaves_locks_no_poll_however_many_are_open(world: World) -> None:
    poll, leaver = world.open_poll(), world.citizen()
    with Session(world.engines["api"]) as session:
        citizen = session.get_one(Citizen, leaver.id)
        delete_account(session, citizen=citizen, last_poll_ends=last_poll_ends)
        with superuser(world) as connection:
            connection.execute("SELECT FROM poll WHERE id = %s FOR UPDATE NOWAIT", [poll["id"]])
        session.rollback()


def _closed_or_extended(world: World, poll: dict[str, Any]) -> bool:
    """Work until the poll is closed or cannot be any more; whether it was closed."""
    wait_until(lambda: closed_by_worker(world, poll) or world.count("notice") > 0)
    return state(world) == "closing"
