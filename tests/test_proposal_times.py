"""The database's own clock keeps proposals to their times, whoever asks and whatever they read."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError

from tests.support.hostile import no_trace
from tests.support.proposals import Town, as_owner
from tests.support.world import World

SUBMIT = (
    "UPDATE proposal SET state = 'submitted', revision = 1, number = 9, reference = '2027-0009',"
    " submitted_at = now() WHERE id = %s"
)
TEXT = "UPDATE proposal_revision SET submitted_at = now() WHERE proposal_id = %s"
APPEAL = "UPDATE proposal SET state = 'appealed', appealed_at = now() WHERE id = %s"
AGAIN = "UPDATE proposal SET state = 'submitted', revision = 2 WHERE id = %s"
NEXT_TEXT = (
    "INSERT INTO proposal_revision (proposal_id, n, content, amount, created_at, submitted_at)"
    " SELECT proposal_id, 2, content, amount, now(), now() FROM proposal_revision"
    " WHERE proposal_id = %s AND n = 1"
)


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


def _drafted(town: Town) -> tuple[list[str], str]:
    proposal = town.draft(town.author())
    town.enter("assessing")
    return [TEXT, SUBMIT], proposal["id"]


def _returned(town: Town) -> tuple[list[str], str]:
    proposal = town.submitted(town.author())
    town.put_in(proposal, "returned")
    town.let_time_run_out(proposal)
    return [NEXT_TEXT, AGAIN], proposal["id"]


def _rejected(town: Town) -> tuple[list[str], str]:
    proposal = town.rejected(town.author())
    town.let_time_run_out(proposal)
    return [APPEAL], proposal["id"]


def _do(connection: psycopg.Connection, statements: list[str], proposal_id: str) -> None:
    for statement in statements:
        connection.execute(statement.encode(), [proposal_id])


LATE = {"submitted": _drafted, "submitted again": _returned, "appealed": _rejected}


@pytest.mark.parametrize("act", LATE)
def test_nothing_is_done_too_late_not_even_by_the_owner(town: Town, act: str) -> None:
    statements, proposal_id = LATE[act](town)
    late = "lapsed|to appeal is over|in their phase"
    with no_trace(town.world), as_owner(town.world) as connection:
        with pytest.raises(DatabaseError, match=late):
            _do(connection, statements, proposal_id)
        connection.rollback()


@pytest.mark.parametrize("act", LATE)
def test_without_the_guard_it_would_be_done_too_late(town: Town, act: str) -> None:
    """The sabotaged twin."""
    statements, proposal_id = LATE[act](town)
    with psycopg.connect(town.world.admin_url) as connection:
        connection.execute("ALTER TABLE proposal DISABLE TRIGGER proposal_times_guard")
        _do(connection, statements, proposal_id)
        done = connection.execute("SELECT state FROM proposal").fetchone()
        connection.rollback()
    assert done is not None
    assert done[0] in ("submitted", "appealed")
