"""Privileges: each login may do what its work needs, and nothing else. The golden matrix."""

from __future__ import annotations

from collections import defaultdict

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from tests.support.world import World

ROLES = ("mvote_api", "mvote_shuffler", "mvote_counter", "mvote_auditor")
BALLOT_TABLES = (
    "participation", "envelope", "quarantined_envelope", "box", "log_entry", "record", "result",
    "published_result", "published_record", "accounting", "spent_token", "sealing_key",
    "poll", "poll_definition",
)  # fmt: skip

GOLDEN = {
    "mvote_api": {
        "poll": "SELECT INSERT UPDATE",
        "poll_definition": "SELECT INSERT",
        "log_entry": "SELECT",
        "published_result": "SELECT",
        "published_record": "SELECT",
        "accounting": "SELECT",
        "spent_token": "SELECT DELETE",
        "sealing_key": "SELECT UPDATE(poll_id)",
    },
    "mvote_shuffler": {
        "poll": "SELECT",
        "poll_definition": "SELECT",
        "envelope": "SELECT DELETE",
        "quarantined_envelope": "INSERT",
        "box": "INSERT",
        "log_entry": "SELECT INSERT",
    },
    "mvote_counter": {
        "poll": "SELECT",
        "poll_definition": "SELECT",
        "box": "SELECT",
        "log_entry": "SELECT",
        "record": "INSERT",
        "result": "INSERT",
        "sealing_key": "SELECT INSERT",
    },
    "mvote_auditor": {"participation": "SELECT"},
}

GOLDEN_FUNCTIONS = {
    "mvote_api": {"cast_ballots", "poll_lock", "took_part"},
    "mvote_shuffler": {"close_poll", "finish_closing", "poll_lock"},
    "mvote_counter": {
        "finish_counting", "participation_count", "poll_lock", "quarantined_count",
    },
    "mvote_auditor": set(),
}  # fmt: skip


def test_each_login_has_exactly_the_golden_privileges_on_the_tables_of_the_vote(
    world: World,
) -> None:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    operations = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    for role in ROLES:
        for table in BALLOT_TABLES:
            held = [
                op
                for op in operations
                if world.rows("SELECT has_table_privilege(%s, %s, %s)", role, table, op)[0][0]
            ]
            if "UPDATE" not in held:
                held += _column_updates(world, role, table)
            if held:
                found[role][table] = " ".join(held)
    assert dict(found) == GOLDEN


def _column_updates(world: World, role: str, table: str) -> list[str]:
    columns = world.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped AND has_column_privilege(%s, attrelid, attnum, 'UPDATE')",
        table,
        role,
    )
    return [f"UPDATE({name})" for (name,) in columns]


def test_each_login_may_call_exactly_the_golden_functions_of_the_vote(world: World) -> None:
    functions = world.rows(
        "SELECT oid::regprocedure::text, proname FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace AND prorettype <> 'trigger'::regtype"
        " AND proowner = (SELECT datdba FROM pg_database WHERE datname = current_database())"
    )
    for role, expected in GOLDEN_FUNCTIONS.items():
        allowed = {
            name
            for signature, name in functions
            if world.rows("SELECT has_function_privilege(%s, %s, 'EXECUTE')", role, signature)[0][0]
        }
        assert allowed == expected, role


@pytest.mark.parametrize("column", ["xmin", "ctid", "poll_id", "count(*)", "1"])
@pytest.mark.parametrize("table", ["participation", "envelope", "box", "record", "result"])
def test_the_web_login_reads_nothing_of_the_ballot_box_not_even_hidden_columns(
    session: Session, table: str, column: str
) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(f"SELECT {column} FROM {table}"))  # noqa: S608


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE poll SET state = 'published', published_at = now(), closed_at = now()",
        "UPDATE poll SET state = 'closing', closed_at = now()",
        "SELECT close_poll(id) FROM poll",
        "SELECT finish_counting(id) FROM poll",
    ],
)
def test_the_web_login_can_neither_close_nor_publish(
    world: World, session: Session, statement: str
) -> None:
    world.open_poll()
    refusal = r"permission denied|only the ballot box itself|a poll never goes"
    with pytest.raises((ProgrammingError, IntegrityError), match=refusal):
        session.execute(text(statement))
    session.rollback()
    assert world.rows("SELECT state FROM poll") == [("open",)]


def test_no_login_but_the_owner_can_create_anything_in_the_schema(world: World) -> None:
    for role in ROLES:
        assert world.rows("SELECT has_schema_privilege(%s, 'public', 'CREATE')", role) == [(False,)]


def test_every_function_that_runs_as_the_owner_pins_its_search_path(world: World) -> None:
    loose = world.rows(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
        " AND proname NOT LIKE 'st\\_%%' AND proname NOT LIKE 'postgis%%'"
        " AND NOT EXISTS (SELECT 1 FROM unnest(proconfig) c WHERE c LIKE 'search_path=%%')"
    )
    assert loose == []
