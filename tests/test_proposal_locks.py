"""Whoever works at a proposal and whoever works at its whole cycle wait, but never for each other.

The order of locks: the cycle, its proposals, and in the end the line in which they are numbered.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.budget.looking_up import locked_proposals
from tests.support.proposals import FEASIBLE, Town
from tests.support.waiting import PATIENCE_SECONDS, is_blocked, wait_until
from tests.support.world import World

CYCLE = text("SELECT 1 FROM cycle WHERE id = :id FOR UPDATE")
Answered = list[int]


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


def _meanwhile(
    town: Town, session: Session, act: Callable[[], int], then: Callable[[], object]
) -> int:
    """Start *act*; once it waits for *session* or is over, do *then* in that session, and commit.

    The status that *act* was answered.
    """
    answered: Answered = []
    acting = threading.Thread(target=lambda: answered.append(act()))
    acting.start()
    wait_until(lambda: not acting.is_alive() or is_blocked(town.world.admin_url, ""))
    then()
    session.commit()
    acting.join(PATIENCE_SECONDS)
    return answered[0]


def test_who_moves_dates_and_who_submits_do_not_stop_each_other(
    town: Town, session: Session
) -> None:
    author = town.author()
    draft, cycle_id = town.draft(author), uuid.UUID(town.cycle_id)
    one_at_a_time(session, cycle_id)  # as every request of officers about the cycle begins

    def submit() -> int:
        return town.post(f"{draft['id']}/submit", author).status_code

    assert (
        _meanwhile(town, session, submit, lambda: session.execute(CYCLE, {"id": cycle_id})) == 200
    )


def test_who_opens_a_poll_and_who_submits_do_not_stop_each_other(
    town: Town, session: Session
) -> None:
    author = town.author()
    draft, cycle_id = town.draft(author), uuid.UUID(town.cycle_id)
    one_at_a_time(session, cycle_id)
    session.execute(CYCLE, {"id": cycle_id})

    def submit() -> int:
        return town.post(f"{draft['id']}/submit", author).status_code

    ids = [uuid.UUID(draft["id"])]
    assert _meanwhile(town, session, submit, lambda: locked_proposals(session, ids)) == 200


def test_who_opens_a_poll_and_who_assesses_do_not_stop_each_other(
    town: Town, session: Session
) -> None:
    proposal, cycle_id = town.submitted(town.author()), uuid.UUID(town.cycle_id)
    [officer] = town.officers(1)
    one_at_a_time(session, cycle_id)
    session.execute(CYCLE, {"id": cycle_id})

    def assess() -> int:
        path = f"/v1/proposals/{proposal['id']}/assessment"
        client = town.world.app.test_client()
        return client.put(path, json=FEASIBLE, headers=officer.headers).status_code

    ids = [uuid.UUID(proposal["id"])]
    assert _meanwhile(town, session, assess, lambda: locked_proposals(session, ids)) == 202
