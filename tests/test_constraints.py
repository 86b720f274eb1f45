"""Rules that the database keeps are found by their names: models, migrations and errors agree."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import CheckConstraint, Table

import geo.tables  # noqa: F401
import mvote.tables  # noqa: F401
from mvote.base import Base
from mvote.errors import _ERRORS_OF_CONSTRAINTS, error_of_constraint
from tests.support.world import World

RAISED = re.compile(r"CONSTRAINT = '(\w+)'")


def checks_of(table: Table) -> set[str]:
    """The names of a table's CHECKs as the models give them."""
    return {str(each.name) for each in table.constraints if isinstance(each, CheckConstraint)}


def names_in_database(world: World, kinds: str) -> set[str]:
    found = world.rows(
        "SELECT conname FROM pg_constraint WHERE contype = ANY (string_to_array(%s, NULL))"
        " AND connamespace = 'public'::regnamespace", kinds
    )  # fmt: skip
    indexes = world.rows("SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique")
    return {name for (name,) in found} | ({name for (name,) in indexes} if "u" in kinds else set())


def test_every_check_of_the_models_is_in_the_database_under_the_same_name(world: World) -> None:
    by_models = set().union(*(checks_of(table) for table in Base.metadata.tables.values()))
    assert by_models - names_in_database(world, "c") == set()
    assert len(by_models) > 30


def test_no_constraint_bears_its_prefix_twice(world: World) -> None:
    names = names_in_database(world, "cfpu")
    assert [name for name in names if name.count("ck_") > 1 or name.count("fk_") > 1] == []


def names_that_guards_raise(world: World) -> set[str]:
    """The names under which functions refuse what no constraint could."""
    sources = world.rows("SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    return {name for (source,) in sources for name in RAISED.findall(source)}


def test_a_constraint_that_stands_for_an_error_exists(world: World) -> None:
    kept = names_in_database(world, "cfpux") | names_that_guards_raise(world)
    assert set(_ERRORS_OF_CONSTRAINTS) - kept == set()


def test_a_period_that_ends_before_it_begins_is_refused_by_its_place(world: World) -> None:
    body: dict[str, Any] = {
        "title": "나무",
        "opens_at": "2099-01-02T00:00:00Z",
        "closes_at": "2099-01-02T00:00:00Z",
    }
    answer = world.client.post("/v1/polls", json=body, headers=world.officer().headers)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["pointer"] == "/closes_at"
    assert world.count("poll") == 0
    assert error_of_constraint("made_up") is None
