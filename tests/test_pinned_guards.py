"""Guards believe the real tables only, whatever a login puts in front of them."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tests.support.ballots import cast_together, frozen, strangers
from tests.support.world import World


@pytest.fixture
def temporary_tables(world: World) -> Iterator[None]:
    """A database as it is by default: everybody may make temporary tables."""
    _may_make_them(world, "GRANT TEMPORARY ON DATABASE {} TO PUBLIC")
    yield
    _may_make_them(world, "REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC")


def _may_make_them(world: World, change: str) -> None:
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL(change).format(name))


@pytest.mark.usefixtures("temporary_tables")
def test_a_made_up_poll_lets_no_ballot_into_the_box_of_a_real_one(world: World) -> None:
    poll = world.open_poll(publish_from=2)
    cast_together(world, frozen(world, poll), strangers(3))
    world.finish(poll)
    with Session(world.engines["shuffler"]) as session:
        session.execute(text("CREATE TEMPORARY TABLE poll ON COMMIT DROP AS SELECT * FROM poll"))
        session.execute(text("UPDATE pg_temp.poll SET state = 'open'"))
        with pytest.raises(SQLAlchemyError, match="takes ballots only while some may wait"):
            session.execute(
                text("INSERT INTO box VALUES (:poll, 9, 'sealed')"), {"poll": poll["id"]}
            )
    assert world.count("box") == 3


@pytest.mark.usefixtures("temporary_tables")
def test_a_made_up_catalogue_makes_nobody_the_ballot_box(world: World, session: Session) -> None:
    poll = world.open_poll()
    session.execute(
        text(
            "CREATE TEMPORARY TABLE pg_class ON COMMIT DROP AS"
            " SELECT oid, 'mvote_api'::regrole::oid AS relowner FROM pg_catalog.pg_class"
        )
    )
    with pytest.raises(SQLAlchemyError, match="only the ballot box itself"):
        session.execute(
            text("UPDATE poll SET state = 'closing', closed_at = now() WHERE id = :poll"),
            {"poll": poll["id"]},
        )
    session.rollback()
    assert world.rows("SELECT state FROM poll") == [("open",)]
