"""When keys end: not before their time, not by a wrong clock, and written down once all is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from api.holders import open_keystore
from jobs import counter_round, keeper_round
from mvote.ballotbox.clocks import ClockWatch
from mvote.ballotbox.destroying import Ends
from tests.support.ending import AT_ONCE, City, city_with_a_copy
from tests.support.world import World


@pytest.fixture
def city(world: World, tmp_path: Path) -> Iterator[City]:
    with city_with_a_copy(world, tmp_path) as city:
        yield city


def test_each_end_is_written_down_once(city: City) -> None:
    for _ in range(3):
        city.a_round()
    assert city.destroyed() == ["L", "V", "sealing"]  # R lives for a day
    city.change("UPDATE poll SET closed_at = closed_at - interval '25 hours' WHERE id = %(id)s")
    for _ in range(2):
        city.a_round()
    assert city.destroyed() == ["L", "R", "V", "sealing"]


def test_before_its_time_no_key_is_destroyed(city: City) -> None:
    city.a_round(Ends())
    assert city.opened() == city.recognised() == 3
    assert city.destroyed() == ["L"]


def test_the_time_for_appeals_begins_with_publication_and_anew_with_each_notice(
    city: City,
) -> None:
    city.change("UPDATE poll SET published_at = now() - interval '31 days' WHERE id = %(id)s")
    city.change(
        "INSERT INTO notice SELECT %(id)s, 0, convert_to(json_build_object('at',"
        " clock_timestamp() - interval '29 days')::text, 'UTF8')"
    )
    city.a_round(Ends())
    assert city.opened() == 3
    city.change(
        "UPDATE notice SET content = convert_to(json_build_object('at',"
        " clock_timestamp() - interval '30 days 1 minute')::text, 'UTF8') WHERE poll_id = %(id)s"
    )
    city.a_round(Ends())
    assert city.opened() == 0


def test_a_count_that_is_not_published_keeps_its_key_however_long_it_takes(city: City) -> None:
    city.change(
        "UPDATE poll SET state = 'counted', published_at = NULL,"
        " closed_at = closed_at - interval '80 days' WHERE id = %(id)s"
    )
    city.a_round()
    assert city.opened() == 3


def test_a_roll_key_that_lived_for_a_year_is_still_written_down(city: City) -> None:
    city.change("UPDATE poll SET closed_at = closed_at - interval '366 days' WHERE id = %(id)s")
    city.a_round(Ends())
    assert "V" in city.destroyed()


def test_no_end_is_written_down_while_one_copy_is_out_of_reach(city: City) -> None:
    copy = city.world.settings.keystore_copy
    assert copy
    away = copy.rename(copy.with_name("away"))
    counter = open_keystore(city.world.settings, "counter")
    with pytest.raises(OSError, match="copy of the keystore"):
        counter_round(city.world.engines["counter"], counter, AT_ONCE)
    assert "sealing" not in city.destroyed()
    assert (away / "counter" / f"{city.sealing}.key").exists()
    away.rename(copy)
    city.a_round()
    assert "sealing" in city.destroyed()
    assert not (copy / "counter" / f"{city.sealing}.key").exists()


def test_no_end_is_written_down_while_one_holder_has_the_key(city: City) -> None:
    api = open_keystore(city.world.settings, "api")
    for _ in range(2):
        keeper_round(city.world.engines["api"], api, AT_ONCE)
    assert "V" not in city.destroyed()
    city.a_round()
    assert "V" in city.destroyed()


def test_a_clock_that_jumped_a_year_destroys_nothing(city: City) -> None:
    """For the watch the machine has run for no time while the database's clock went on."""
    passed = iter([0.0, -365 * 86_400.0, -365 * 86_400.0])
    watch = ClockWatch(passed=lambda: next(passed))
    with Session(city.world.engines["counter"]) as session:
        assert watch.is_steady(session)
    ends = Ends(terms=AT_ONCE.terms, watch=watch)
    counter = open_keystore(city.world.settings, "counter")
    counter_round(city.world.engines["counter"], counter, ends)
    assert city.opened() == 3
    counter_round(city.world.engines["counter"], counter, AT_ONCE)  # the twin: nobody watches
    assert city.opened() == 0
