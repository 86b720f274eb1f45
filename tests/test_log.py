"""The log as it is stored: whatever is appended in whatever parts, tree and proofs are right."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from mvote.ballotbox import log, merkle
from mvote.ballotbox.log import CHECKPOINT_ENTRY, CITY, TreeDamaged, TreeHead
from tests.support.city_log import CityLog
from tests.support.world import World

SIZES = st.lists(st.integers(1, 80), min_size=1, max_size=8)
UNHURRIED = hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def city(world: World) -> CityLog:
    return CityLog(world.engines["shuffler"], world.admin_url)


@pytest.fixture
def reader(world: World) -> Iterator[Session]:
    """A session of the web's login, which serves the proofs."""
    with Session(world.engines["api"]) as session:
        yield session


@given(parts=SIZES)
@UNHURRIED
def test_a_log_that_grows_in_any_parts_has_the_root_of_all_its_entries(
    city: CityLog, reader: Session, parts: list[int]
) -> None:
    city.clear()
    for part in parts:
        head = city.append(part)
        assert head == TreeHead(len(city.leaves), merkle.root_of(city.leaves))
        assert log.root_at(reader, CITY, head.size) == head.root
    reader.rollback()


@given(parts=SIZES, data=st.data())
@UNHURRIED
def test_proofs_out_of_the_tiles_hold_for_every_size_the_log_had(
    city: CityLog, reader: Session, parts: list[int], data: st.DataObject
) -> None:
    city.clear()
    heads = [city.append(part) for part in parts]
    old, new = sorted(data.draw(st.tuples(st.sampled_from(heads), st.sampled_from(heads))))
    index = data.draw(st.integers(0, old.size - 1))
    path = log.inclusion(reader, CITY, index=index, size=old.size)
    assert path == merkle.inclusion_proof(index, old.size, merkle.hashes_of(city.leaves))
    assert merkle.verify_inclusion(index, old.size, city.leaves[index], path, old.root)
    steps = log.consistency(reader, CITY, old=old.size, new=new.size)
    assert merkle.verify_consistency(old.size, new.size, old.root, new.root, steps)
    reader.rollback()


def test_another_implementation_finds_the_same_roots(city: CityLog, reader: Session) -> None:
    other = InmemoryTree(algorithm="sha256")
    for part in (1, 31, 1, 32, 63, 900):
        start = len(city.leaves)
        head = city.append(part)
        for _, kind, data in log.entries_between(reader, CITY, start=start, end=head.size):
            other.append_entry(bytes([kind]) + data)
        reader.rollback()
        assert other.get_root() == head.root


def test_a_proof_reads_one_statement_and_a_tile_or_two_for_each_level(
    city: CityLog, reader: Session
) -> None:
    city.append(40_000)
    rows = [0]

    @event.listens_for(reader.get_bind(), "after_cursor_execute")
    def count(*arguments: object) -> None:
        rows.append(arguments[1].rowcount)  # type: ignore[attr-defined]

    log.inclusion(reader, CITY, index=12_345, size=40_000)
    log.consistency(reader, CITY, old=12_345, new=40_000)
    event.remove(reader.get_bind(), "after_cursor_execute", count)
    assert len(rows) == 3
    assert max(rows) <= 8


def test_a_log_whose_last_tile_was_changed_takes_no_entry_more(city: CityLog) -> None:
    city.append(40)
    changed = "UPDATE tree_tile SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)"
    city.as_superuser(f"{changed} WHERE level = 0 AND n = 1")
    with pytest.raises(TreeDamaged):
        city.append(1)
    with Session(city.engine) as session:
        assert log.size_of(session, CITY) == 40


def test_appending_nothing_leaves_the_log_as_it_is(city: CityLog) -> None:
    assert city.append(0) == log.EMPTY
    head = city.append(3)
    assert city.append(0) == head


def test_two_who_append_to_one_log_follow_each_other(world: World, city: CityLog) -> None:
    """The second waits for the first's transaction, and goes on where that one has ended."""
    city.append(1)
    with Session(world.engines["shuffler"]) as first, Session(world.engines["shuffler"]) as second:
        log.append(first, log_id=CITY, entries=[(CHECKPOINT_ENTRY, secrets.token_bytes(56))])
        second.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            log.append(second, log_id=CITY, entries=[(CHECKPOINT_ENTRY, secrets.token_bytes(56))])
        second.rollback()
        first.commit()
        head = log.append(
            second, log_id=CITY, entries=[(CHECKPOINT_ENTRY, secrets.token_bytes(56))]
        )
    assert head.size == 3
