"""Privileges: each login may do what its work needs, and nothing else. The golden matrix."""

from __future__ import annotations

from collections import defaultdict

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from tests.support.budget_rights import BUDGET_RIGHTS, BUDGET_TABLES, RIGHTS_OF_THE_COUNTER
from tests.support.function_rights import GOLDEN_FUNCTIONS
from tests.support.world import World

ROLES = ("mvote_api", "mvote_shuffler", "mvote_counter", "mvote_auditor")
BALLOT_TABLES = (
    "participation", "envelope", "quarantined_envelope", "box", "log_entry", "record", "result",
    "published_result", "published_record", "accounting", "spent_token", "sealing_key",
    "poll", "room", "poll_definition", "tree_tile", "checkpoint", "cosignature", "log_key",
    "approval", "notice", "trustee_key",
    "live_count", "live_result", "counting_progress", "turnout_cell", "published_turnout",
    "voter_roll", "bundle", "bundle_wanted", "receipt_key", "poll_lot",
    "cycle", "cycle_phase", "cycle_notice",
    "moderation_case", "report", "moderation_decision",
    "device", "device_key",
    *BUDGET_TABLES,
)  # fmt: skip

GOLDEN = {
    "mvote_api": {
        "poll": "SELECT INSERT UPDATE",
        "room": "SELECT INSERT DELETE UPDATE(password_hash)",
        "poll_definition": "SELECT INSERT",
        "log_entry": "SELECT",
        "published_result": "SELECT",
        "published_record": "SELECT",
        "accounting": "SELECT",
        "spent_token": "SELECT DELETE",
        "sealing_key": "SELECT UPDATE(poll_id)",
        "tree_tile": "SELECT",
        "checkpoint": "SELECT",
        "cosignature": "SELECT",
        "log_key": "SELECT",
        "approval": "SELECT",
        "notice": "SELECT",
        "live_result": "SELECT",
        "counting_progress": "SELECT",
        "published_turnout": "SELECT",
        "bundle": "SELECT",
        "receipt_key": "SELECT INSERT",
        "trustee_key": "SELECT INSERT UPDATE(poll_id)",
        "moderation_case": "SELECT INSERT UPDATE(state) UPDATE(waiting) UPDATE(waiting_since)"
        " UPDATE(held_at) UPDATE(decided) UPDATE(releases) UPDATE(spent) UPDATE(expired)",
        "report": "SELECT INSERT DELETE UPDATE(text)",
        "moderation_decision": "SELECT INSERT",
        "cycle": "SELECT INSERT UPDATE(state) UPDATE(version) UPDATE(definition)",
        "cycle_phase": "SELECT",
        "cycle_notice": "SELECT",
        "device": "SELECT INSERT DELETE UPDATE(last_used_on)",
        "device_key": "SELECT INSERT DELETE UPDATE(counter)",
        **BUDGET_RIGHTS,
    },
    "mvote_shuffler": {
        "poll": "SELECT",
        "poll_definition": "SELECT",
        "envelope": "DELETE SELECT(poll_id) SELECT(id) SELECT(outer)",
        "quarantined_envelope": "INSERT",
        "box": "INSERT",
        "log_entry": "SELECT INSERT",
        "tree_tile": "SELECT INSERT UPDATE(hashes)",
        "checkpoint": "SELECT INSERT UPDATE(note)",
        "cosignature": "SELECT INSERT",
        "log_key": "SELECT INSERT",
        "notice": "SELECT",
        "published_result": "SELECT",
        "published_record": "SELECT",
        "bundle": "SELECT INSERT",
        "bundle_wanted": "SELECT INSERT DELETE UPDATE(look_at)",
        "receipt_key": "SELECT",
    },
    "mvote_counter": {
        "poll": "SELECT",
        "poll_definition": "SELECT",
        "box": "SELECT(poll_id) SELECT(idx) SELECT(sealed)",
        "log_entry": "SELECT",
        "checkpoint": "SELECT",
        "record": "INSERT",
        "result": "INSERT",
        **RIGHTS_OF_THE_COUNTER,
        "sealing_key": "SELECT INSERT",
        "live_count": "SELECT INSERT UPDATE",
        "counting_progress": "SELECT INSERT UPDATE",
        "notice": "SELECT",
        "trustee_key": "SELECT",
    },
    "mvote_auditor": {
        "participation": "SELECT(poll_id) SELECT(voter_tag)",
        "poll": " ".join(
            f"SELECT({name})"
            for name in (
                "id",
                "state",
                "opens_at",
                "frozen_at",
                "closed_at",
                "published_at",
                "cancelled_at",
            )
        ),
        "poll_definition": "SELECT",
        "turnout_cell": "SELECT INSERT",
        "voter_roll": "SELECT",
    },
}


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
            for operation in ("SELECT", "UPDATE"):
                if operation not in held:
                    held += _columns(world, role, table, operation)
            if held:
                found[role][table] = " ".join(held)
    assert dict(found) == GOLDEN


def _columns(world: World, role: str, table: str, operation: str) -> list[str]:
    """The columns a role may read or change where it may not do so with the whole table."""
    columns = world.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped AND has_column_privilege(%s, attrelid, attnum, %s)",
        table,
        role,
        operation,
    )
    return [f"{operation}({name})" for (name,) in columns]


def test_no_login_but_the_webs_has_any_right_on_what_is_known_of_people_and_places(
    world: World,
) -> None:
    others = [
        name
        for (name,) in world.rows(
            "SELECT c.relname FROM pg_class c JOIN pg_roles o ON o.oid = c.relowner"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')"
            " AND o.rolname = 'mvote_owner' AND c.relname <> 'alembic_version'"
        )
        if name not in BALLOT_TABLES
    ]
    assert len(others) > 10
    rights = "SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"
    allowed = [
        (role, table)
        for role in ROLES
        for table in others
        if role != "mvote_api"
        and world.rows("SELECT has_any_column_privilege(%s, %s, 'SELECT')", role, table)[0][0]
        | world.rows("SELECT has_table_privilege(%s, %s, %s)", role, table, rights)[0][0]
    ]
    assert allowed == []


@pytest.mark.parametrize(
    ("login", "table"),
    [("shuffler", "envelope"), ("counter", "box"), ("auditor", "participation")],
)
@pytest.mark.parametrize("hidden", ["xmin", "ctid"])
def test_a_login_that_reads_a_part_of_the_box_does_not_see_what_was_written_together(
    engines: dict[str, Engine], world: World, login: str, table: str, hidden: str
) -> None:
    world.open_poll()
    with (
        Session(engines[login]) as session,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        session.execute(text(f"SELECT {hidden} FROM {table}"))  # noqa: S608


BORN_PUBLISHED = (
    "INSERT INTO poll (id, author_id, origin, state, content, version, created_at,"
    " opens_at, closes_at, frozen_at, closed_at, published_at)"
    " SELECT gen_random_uuid(), author_id, origin, 'published', content, 1, now(),"
    " opens_at, closes_at, now(), now(), now() FROM poll"
)
BALLOT = "sha256('a') || substr(sha256('b'), 1, 16)"
ENTRY_WITHOUT_A_FIRST = f"INSERT INTO log_entry SELECT id, 1, 1, {BALLOT} FROM poll"  # noqa: S608
FALSE_DEFINITION = "INSERT INTO log_entry SELECT id, 0, 0, sha256('a') FROM poll"
UNHELD_COUNT = "INSERT INTO log_entry SELECT id, 0, 4, sha256('a') FROM poll"
EARLY_RESULT = (
    "INSERT INTO result (poll_id, statement, participations, entries, records, quarantined,"
    " unopenable, records_public) SELECT id, 'x', 1, 1, 1, 0, 0, true FROM poll"
)


@pytest.mark.parametrize(
    ("login", "statement"),
    [
        ("api", BORN_PUBLISHED),
        ("api", "UPDATE poll SET closed_at = now() - interval '3 days'"),
        ("api", "UPDATE poll SET state = 'voided'"),
        ("api", "UPDATE sealing_key SET poll_id = NULL"),
        (
            "api",
            "INSERT INTO poll_definition SELECT gen_random_uuid(), 'x', sha256('x')",
        ),
        ("shuffler", ENTRY_WITHOUT_A_FIRST),
        ("shuffler", FALSE_DEFINITION),
        ("shuffler", UNHELD_COUNT),
        ("shuffler", "INSERT INTO checkpoint SELECT id, 1, sha256('a') FROM poll"),
        ("counter", "INSERT INTO record SELECT id, 0, '\\x010100010001' FROM poll"),
        ("counter", EARLY_RESULT),
    ],
)
def test_the_database_refuses_what_a_login_may_do_only_at_another_time(
    engines: dict[str, Engine], world: World, login: str, statement: str
) -> None:
    world.open_poll()
    tables = ("poll", "poll_definition", "log_entry", "box", "record", "result")
    before = [world.rows(f"SELECT * FROM {table}") for table in tables]  # noqa: S608
    refused = (IntegrityError, ProgrammingError)
    with Session(engines[login]) as session, pytest.raises(refused):
        session.execute(text(statement))
    assert before == [world.rows(f"SELECT * FROM {table}") for table in tables]  # noqa: S608


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


def test_every_guard_and_what_runs_as_the_owner_pins_its_search_path(world: World) -> None:
    loose = world.rows(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND (prosecdef OR prorettype = 'trigger'::regtype OR proname = 'poll_moves')"
        " AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
        " AND NOT EXISTS (SELECT 1 FROM unnest(proconfig) c WHERE c LIKE 'search_path=%%')"
    )
    assert loose == []
