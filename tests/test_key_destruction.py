"""Destroyed keys are in no copy, dump, data folder or backup, and nothing opens without them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from mvote.ballotbox.destroying import KeyDestroyed
from mvote.ballotbox.poll_keys import key_name
from mvote.journal import write_down
from tests.support.ending import City, city_with_a_copy
from tests.support.searching import paths_below, places_of
from tests.support.world import World

KEPT_IN = {"keystore", "copy"}
DATABASE = {"dump", "data directory", "base backup"}


@pytest.fixture
def city(world: World, tmp_path: Path) -> Iterator[City]:
    with city_with_a_copy(world, tmp_path) as city:
        yield city


def test_after_the_time_for_appeals_no_ballot_can_be_opened_with_anything_that_is_left(
    city: City, tmp_path: Path
) -> None:
    traces = city.traces(city.sealing)
    assert len(traces) == 3  # the key itself, and its file in either copy
    assert places_of(city.world, traces, tmp_path) == KEPT_IN  # the search itself works
    assert city.opened() == 3
    city.a_round()
    assert places_of(city.world, traces, tmp_path) == set()
    assert city.opened() == 0
    assert not open_keystore(city.world.settings, "api").is_held(city.sealing)


def test_a_key_that_had_come_into_the_database_would_be_found_everywhere(
    city: City, tmp_path: Path
) -> None:
    """The sabotaged twin: destroyed in the keystore, but written down where it does not belong."""
    traces = city.traces(city.sealing)
    secret = open_keystore(city.world.settings, "counter").get(city.sealing)
    with Session(city.world.engines["api"]) as session, transaction(session):
        write_down(session, KeyDestroyed(key=secret.hex()), actor_id=None, subject_id=None)
    city.a_round()
    assert places_of(city.world, traces, tmp_path) == DATABASE


def test_after_the_retention_term_no_participation_can_be_tied_to_a_person(
    city: City, tmp_path: Path
) -> None:
    name = key_name(city.id, "V")
    traces = city.traces(name)
    assert len(traces) == 6  # of the api and of the auditor
    assert places_of(city.world, traces, tmp_path) == KEPT_IN
    assert city.recognised() == 3
    city.a_round()
    assert places_of(city.world, traces, tmp_path) == set()
    assert city.recognised() == 0


def test_a_search_goes_on_when_a_database_is_dropped_under_it(tmp_path: Path) -> None:
    for folder in ("kept", "dropped"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "table").write_bytes(b"rows")
    (tmp_path / "first").touch()
    found = paths_below(tmp_path)
    assert next(found).name == "first"  # the folders are known now, and not yet entered
    shutil.rmtree(tmp_path / "dropped")
    assert [path.parent.name for path in found] == ["kept"]
