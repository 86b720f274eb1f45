"""The driver's connection, lent for what every cast asks, comes back as it was or not at all."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from api.db import driving, new_engine
from mvote.driver import Connection
from mvote.polls.frozen import definitions_seen
from tests.support.world import World


@pytest.fixture
def engine(world: World) -> Iterator[Engine]:
    """An engine whose one connection is used again and again."""
    engine = new_engine(world.settings.api_url, pool_size=1)
    yield engine
    engine.dispose()


def backend(connection: Connection) -> int:
    return connection.info.backend_pid


def is_in_a_transaction_of_its_own(engine: Engine) -> bool:
    """Whether an ordinary session on the engine can still take back what it did."""
    with Session(engine) as session:
        session.execute(text("SET application_name = 'taken back'"))
        session.rollback()
        name = session.execute(text("SHOW application_name")).scalar_one()
    return bool(name != "taken back")


def test_what_was_lent_is_used_again_and_in_transactions(engine: Engine) -> None:
    with driving(engine) as connection:
        first = backend(connection)
    assert is_in_a_transaction_of_its_own(engine)
    with driving(engine) as connection:
        assert backend(connection) == first
        assert connection.execute("SHOW transaction_isolation").fetchone() == ("read committed",)


def test_after_a_fault_of_ours_nobody_gets_a_connection_without_transactions(
    engine: Engine,
) -> None:
    with pytest.raises(ValueError, match="ours"), driving(engine):
        raise ValueError("ours")
    assert is_in_a_transaction_of_its_own(engine)


def test_a_statement_that_is_refused_was_certainly_not_carried_out(engine: Engine) -> None:
    with pytest.raises(DBAPIError) as caught, driving(engine) as connection:
        connection.execute("SELECT 1 / 0")
    assert not caught.value.connection_invalidated
    assert is_in_a_transaction_of_its_own(engine)


def test_when_the_connection_is_lost_the_outcome_is_open_and_the_next_one_works(
    world: World, engine: Engine
) -> None:
    with driving(engine) as connection:
        pid = backend(connection)
    with psycopg.connect(world.admin_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [pid])
    with pytest.raises(OperationalError) as caught, driving(engine) as connection:
        connection.execute("SELECT 1")
    assert caught.value.connection_invalidated
    with driving(engine) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_definitions_that_are_asked_for_together_come_in_the_order_of_the_asking(
    engine: Engine, world: World
) -> None:
    first, second = uuid.UUID(world.open_poll()["id"]), uuid.UUID(world.open_poll()["id"])
    with driving(engine) as connection:
        found = definitions_seen(connection, [second, uuid.uuid4(), first, second])
    ids = [each and json.loads(each)["poll_id"] for each in found]
    assert ids == [str(second), None, str(first), str(second)]
