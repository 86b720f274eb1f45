"""Bringing the demo's closed poll to its end: what the shuffler and the counter do in their rounds.

Where their logins are kept elsewhere, this leaves it to them; where a worker is at it already, the
database lets only one of the two through, and the other looks again.
"""

from __future__ import annotations

import time
import uuid

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from api.db import reading
from api.logins import Login, login_of
from api.settings import Settings
from mvote.ballotbox.counting import Manner, count_poll
from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.shuffling import close_poll, shuffle
from mvote.ballotbox.tallying import Recount
from mvote.polls.poll import Poll, State

LONGEST_WAIT_S = 120
PAUSE_S = 0.1
FINISHED: tuple[State, ...] = ("counted", "published")
UNDER_WAY: tuple[State, ...] = ("open", "closing", "closed")


def finish(settings: Settings, poll_id: uuid.UUID, recount: Recount | None) -> State:
    """Close, shuffle and count the poll as soon as its time is over; the state it has then.

    Without the logins to do so, or without a second count: the state it has now.
    """
    deadline = time.monotonic() + LONGEST_WAIT_S
    with login_of(settings, "shuffler") as shuffler, login_of(settings, "counter") as counter:
        while (state := _state(poll_id)) in UNDER_WAY and time.monotonic() < deadline:
            worker = counter if state == "closed" else shuffler
            if worker is None or (state == "closed" and recount is None):
                break
            try:
                _go_on(worker, poll_id, state, Manner(recount=recount))
            except DBAPIError:  # a worker was faster
                time.sleep(PAUSE_S)
    return state


def _go_on(worker: Login, poll_id: uuid.UUID, state: State, manner: Manner) -> None:
    match state:
        case "closed":
            with worker.transaction() as session:
                count_poll(session, worker.keystore, poll_id, manner)
        case "closing":
            with worker.transaction() as session:
                batch = shuffle(session, worker.keystore, poll_id)
            if batch and not batch.waiting:
                worker.keystore.destroy(key_name(poll_id, "L"))
        case _:
            with worker.transaction() as session:
                is_due = close_poll(session, poll_id)
            if not is_due:
                time.sleep(PAUSE_S)


def _state(poll_id: uuid.UUID) -> State:
    with reading() as session:
        return session.scalars(select(Poll.state).where(Poll.id == poll_id)).one()
