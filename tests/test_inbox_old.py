"""What lies in an inbox is taken out when its term is over."""

from __future__ import annotations

import datetime as dt
import uuid

import psycopg
import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from jobs import keeper_round
from mvote.budget.telling.inbox import mark_read, remove_old_items
from tests.support.delivering import inbox, let_keeper_tell, on_the_ballot, told
from tests.support.proposals import Town
from tests.support.world import World


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


def let_time_pass(town: Town, days: int) -> None:
    """Let all that was told be so much older, past the guard."""
    with psycopg.connect(town.world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        aged = "UPDATE bulletin SET at = at - %s, told_at = told_at - %s"
        connection.execute(aged, [dt.timedelta(days=days)] * 2)


def test_what_was_told_two_years_ago_is_taken_out_of_the_inboxes(town: Town) -> None:
    author = town.author()
    on_the_ballot(town, author)
    let_keeper_tell(town)
    let_time_pass(town, 731)
    on_the_ballot(town, author)
    let_keeper_tell(town)
    assert told(town, author) == ["on_ballot"] * 2
    with Session(town.world.engines["api"]) as session, transaction(session):
        assert remove_old_items(session) == 1
    assert told(town, author) == ["on_ballot"]
    assert town.world.count("bulletin") == 2  # what happened stays
    let_time_pass(town, 729)
    keeper_round(town.world.engines["api"], open_keystore(town.world.settings, "api"))
    assert told(town, author) == ["on_ballot"]


def test_who_reads_at_that_moment_is_not_waited_for(town: Town) -> None:
    author = town.author()
    on_the_ballot(town, author)
    let_keeper_tell(town)
    let_time_pass(town, 731)
    [item] = inbox(town, author)
    engine = town.world.engines["api"]
    with Session(engine) as reading, Session(engine) as keeping:
        mark_read(reading, citizen_id=author.id, bulletin_id=uuid.UUID(item["id"]))
        with transaction(keeping):
            assert remove_old_items(keeping) == 0
        reading.commit()
    with Session(engine) as session, transaction(session):
        assert remove_old_items(session) == 1
