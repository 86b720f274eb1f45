"""Who may vote for a source: by home, work, business or study, and not as staff."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.balloting import Balloting, field, rules_against
from tests.support.proposals import refused
from tests.support.world import World


@pytest.fixture
def year(world: World) -> Balloting:
    year = Balloting(world, 2015)
    year.projects(8, heading=field)
    return year


@pytest.mark.parametrize("basis", ["home", "work", "business", "study"])
def test_who_lives_works_has_a_business_or_studies_in_the_city_may_vote(
    world: World, year: Balloting, basis: str
) -> None:
    poll = year.open("citizens")
    [voter] = year.citizens(1, **{f"{basis}_area": "11110"})
    assert rules_against(world, poll, voter) == []
    assert world.cast(poll, voter, year.references[:1]).status_code == 201


def test_who_has_nothing_to_do_with_the_city_may_not(world: World, year: Balloting) -> None:
    poll = year.open("citizens")
    [stranger] = year.citizens(1, birth_year=1990)
    assert rules_against(world, poll, stranger) == ["areas"]
    answer = world.cast(poll, stranger, year.references[:1])
    assert refused(answer) == (403, "not-eligible")
    assert answer.get_json()["rule"] == "areas"
    assert world.count("participation") == 0


def year_of(world: World, **eligibility: Any) -> Balloting:
    """2015 with these rules for its citizens."""
    year = Balloting(world, 2015)
    year.definition["contests"][0]["sources"][0]["eligibility"] |= eligibility
    year.projects(8, heading=field)
    return year


def test_a_basis_that_is_not_named_gives_no_vote(world: World) -> None:
    year = year_of(world, area_basis=["home", "study"])
    poll = year.open("citizens")
    people = [
        year.citizens(1, **{f"{each}_area": "11140"})[0] for each in ("home", "work", "study")
    ]
    assert [rules_against(world, poll, who) for who in people] == [[], ["areas"], []]


def test_staff_of_public_bodies_are_kept_out_where_the_source_says_so(world: World) -> None:
    year = year_of(world, excluded=["public_body_staff"], min_age=19)
    poll = year.open("citizens")
    for is_staff, rules in ((True, ["excluded"]), (False, []), (None, [])):
        known = {} if is_staff is None else {"public_body_staff": is_staff}
        [voter] = year.citizens(1, home_area="11110", birth_year=1980, **known)
        assert rules_against(world, poll, voter) == rules
        status = world.cast(poll, voter, year.references[:1]).status_code
        assert status == (403 if rules else 201)


def test_an_ordinary_poll_may_keep_staff_out_too(world: World, year: Balloting) -> None:
    poll = world.open_poll(eligibility={"excluded": ["public_body_staff"]})
    [staff] = year.citizens(1, public_body_staff=True)
    assert refused(world.cast(poll, staff)) == (403, "not-eligible")


def test_verified_only_asks_that_the_basis_itself_is_verified(world: World) -> None:
    year = year_of(world, verified_only=True)
    poll = year.open("citizens")
    [voter] = year.citizens(1, home_area="11110", birth_year=1980)
    assert rules_against(world, poll, voter) == ["verified_only"]
    verify = "UPDATE attribute SET verified_by = gen_random_uuid(), verified_at = now()"
    with psycopg.connect(world.admin_url) as connection:
        connection.execute(f"{verify} WHERE name = 'birth_year'")
    assert rules_against(world, poll, voter) == ["verified_only"]
    with psycopg.connect(world.admin_url) as connection:
        connection.execute(f"{verify} WHERE name = 'home_area'")
    assert rules_against(world, poll, voter) == []
