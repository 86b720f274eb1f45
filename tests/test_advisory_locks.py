"""Who may take advisory locks, on which casting waits: those whose statements need them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from api.db import ENGINE_OPTIONS
from ops.roles import LOCKS, LOCKS_OF_ROLES, lock_grants
from tests.support.contract import CheckedClient
from tests.support.waiting import WEB_LIMITS
from tests.support.world import World, new_key

ROLES = ("mvote_owner", "mvote_api", "mvote_shuffler", "mvote_counter", "mvote_auditor")
THE_POLLS = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:id AS text), 7076746))")
GUIDE = Path(__file__).resolve().parent.parent / "docs" / "security.md"


def test_each_login_may_take_exactly_the_locks_that_its_statements_take(world: World) -> None:
    every = world.rows(
        "SELECT oid::regprocedure::text FROM pg_proc"
        " WHERE pronamespace = 'pg_catalog'::regnamespace"
        " AND proname ~ '^pg_(try_)?advisory' AND proname !~ 'unlock'"
    )
    names = {name.replace(",", ", ").replace("  ", " ") for (name,) in every}
    assert names == set(LOCKS)
    held = {
        role: {
            name
            for name in names
            if world.rows("SELECT has_function_privilege(%s, %s, 'EXECUTE')", role, name)[0][0]
        }
        for role in ROLES
    }
    assert {role: rights for role, rights in held.items() if rights} == {
        role: set(rights) for role, rights in LOCKS_OF_ROLES.items()
    }


@pytest.mark.parametrize("login", ["counter", "auditor"])
def test_who_only_counts_cannot_stop_the_casting(
    world: World, engines: dict[str, Engine], login: str
) -> None:
    poll = world.open_poll()
    with Session(engines[login]) as session:
        with pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(THE_POLLS, {"id": poll["id"]})
        session.rollback()
        for table in ("poll", "participation", "envelope"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                session.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
            session.rollback()
    assert world.cast(poll, world.citizen()).status_code == 201


@pytest.mark.parametrize(("login", "table"), [("api", "poll"), ("shuffler", "envelope")])
def test_the_known_limit_who_changes_a_table_can_lock_it(
    engines: dict[str, Engine], login: str, table: str
) -> None:
    """So these two could stop the casting without any advisory lock: `docs/security.md` says it."""
    with Session(engines[login]) as session:
        session.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        session.rollback()


def test_a_cast_that_waits_for_a_lock_that_somebody_holds_is_refused_and_not_recorded(
    world: World,
    engines: dict[str, Engine],
    app_of: Callable[..., Flask],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poll, voter = world.open_poll(), world.citizen()
    monkeypatch.setitem(ENGINE_OPTIONS, "connect_args", WEB_LIMITS["connect_args"])
    web = CheckedClient(app_of(world.settings))  # as hurried as it is, other than in most tests
    headers = voter.headers | {"Idempotency-Key": new_key()}
    with Session(engines["api"]) as holding:
        holding.execute(text("SELECT pg_advisory_xact_lock(poll_lock(:id))"), {"id": poll["id"]})
        refused = web.post(
            f"/v1/polls/{poll['id']}/ballots", json={"selections": ["yes"]}, headers=headers
        )
        assert (refused.status_code, refused.get_json()["code"]) == (503, "overloaded")
        holding.rollback()
    assert world.count("participation") == 0
    assert world.cast(poll, voter).status_code == 201


def test_the_statements_for_a_database_of_somebody_else_are_those_that_we_run(
    world: World,
) -> None:
    found = re.search(r"```sql\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found
    said = [" ".join(each.split()) for each in found[1].split(";") if each.strip()]
    assert said == [each.as_string(None).replace('"', "") for each in lock_grants()]
