"""Who may vote for a source: by what ties them to the city, by seats, by a list of numbers."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from mvote.ballotbox.notation import h
from tests.support.balloting import Balloting, field
from tests.support.proposals import refused
from tests.support.world import Person, World


@pytest.fixture
def year(world: World) -> Balloting:
    year = Balloting(world, 2015)
    year.projects(8, heading=field)
    return year


def rules_against(world: World, poll: dict[str, Any], who: Person) -> list[str]:
    """The rules that keep somebody out, as the answer beforehand gives them."""
    path = f"/v1/polls/{poll['id']}/eligibility"
    answer = world.client.post(path, json={}, headers=who.headers).get_json()
    assert answer["may_vote"] == (answer["reasons"] == [])
    return [each.get("rule", each["code"]) for each in answer["reasons"]]


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


# the committee's seats


def test_only_voting_seats_that_are_active_when_voting_begins_are_on_the_roll(
    world: World, year: Balloting
) -> None:
    member, without_vote, vacant, over, judge, stranger = year.citizens(6)
    year.seats([member])
    year.seats([member], kind="subcommittee")
    year.seats([without_vote], has_vote=False)
    year.seats([vacant], state="vacant")
    year.seats([over], ends_in_days=2)  # the committee votes nine days from now
    year.seats([judge], kind="appeals")
    poll = year.open("committee")
    year.begin_voting(poll)
    definition = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    assert definition["roll"]["size"] == 1
    assert definition["eligibility"] == {"roll": True}
    others = (without_vote, vacant, over, judge, stranger)
    assert rules_against(world, poll, member) == []
    assert [rules_against(world, poll, each) for each in others] == [["roll"]] * 5
    assert world.cast(poll, member, year.references[:1]).status_code == 201
    assert refused(world.cast(poll, stranger, year.references[:1])) == (403, "not-eligible")


def test_the_roll_is_frozen_with_the_poll_whoever_comes_or_goes(
    world: World, year: Balloting
) -> None:
    member, late = year.citizens(2)
    year.seats([member])
    poll = year.open("committee")
    year.begin_voting(poll)
    year.seats([late])
    with psycopg.connect(world.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE seat SET state = 'vacant', vacated_at = now()")
    assert rules_against(world, poll, member) == []
    assert rules_against(world, poll, late) == ["roll"]
    entry = "INSERT INTO roll_entry SELECT poll_id, sha256('late') FROM roll_entry LIMIT 1"
    for change in (entry, "DELETE FROM roll_entry", "UPDATE roll_entry SET anchor = anchor"):
        with (
            psycopg.connect(world.admin_url) as connection,
            pytest.raises(psycopg.errors.RestrictViolation),
        ):
            connection.execute(change)


def test_the_definition_binds_the_roll_without_showing_who_is_on_it(
    world: World, year: Balloting
) -> None:
    year.seats(year.citizens(3))
    poll = year.open("committee")
    anchors = [bytes(each) for (each,) in world.rows("SELECT anchor FROM roll_entry")]
    content = world.client.get(f"/v1/polls/{poll['id']}/definition")
    [poll_id] = world.rows("SELECT poll_id FROM roll_entry LIMIT 1")[0]
    bound = h("mvote/roll/1", poll_id.bytes, *sorted(anchors)).hex()
    assert content.get_json()["roll"] == {"size": 3, "sha256": bound}
    assert not [each for each in anchors if each.hex().encode() in content.get_data()]


def test_who_is_in_two_sources_votes_in_each(world: World, year: Balloting) -> None:
    [member] = year.citizens(1)
    year.seats([member])
    for source in ("citizens", "committee"):
        poll = year.open(source)
        if source == "committee":
            year.begin_voting(poll)
        assert world.cast(poll, member, year.references[:1]).status_code == 201
    assert world.count("participation") == 2


# a list of numbers


def alumni(world: World) -> Balloting:
    year = Balloting(world, 2017)
    year.projects(4)
    return year


def test_those_on_a_list_vote_with_or_without_an_account_when_it_was_made(world: World) -> None:
    year = alumni(world)
    numbers = ["010-9000-0001", "+821090000002"]
    known = world.person(year.register(numbers[0]))
    poll = year.open("alumni", roll=numbers)
    new = world.person(year.register("+821090000002"))
    stranger = world.person(year.register("+821090000003"))
    assert [rules_against(world, poll, each) for each in (known, new, stranger)] == [
        [], [], ["roll"],
    ]  # fmt: skip
    assert world.cast(poll, new, year.references[:1]).status_code == 201
    assert poll["records"] == "totals"


def test_every_wrong_entry_of_a_list_is_named_and_nothing_is_kept(world: World) -> None:
    year = alumni(world)
    answer = year.try_open(
        "alumni", roll=["010-9000-0001", "seven", "+821090000001", "02-730-1234"]
    )
    assert refused(answer) == (422, "invalid-request")
    assert [each["pointer"] for each in answer.get_json()["errors"]] == [
        "/roll/1", "/roll/2", "/roll/3",
    ]  # fmt: skip
    assert (world.count("roll_entry"), world.count("poll")) == (0, 0)


def test_a_source_without_a_list_of_its_own_takes_none_and_one_with_it_needs_it(
    world: World,
) -> None:
    year = alumni(world)
    answer = year.try_open("citizens", roll=["010-9000-0001"])
    assert answer.get_json()["errors"][0]["pointer"] == "/roll"
    without = year.try_open("alumni")
    assert refused(without) == (409, "not-ready-to-open")
    assert [each["code"] for each in without.get_json()["hindrances"]] == ["roll-empty"]
    assert (world.count("poll"), year.states()) == (0, {"approved"})


# the order of the projects


def paper_of(world: World, poll: dict[str, Any], who: Person) -> list[str]:
    answer = world.client.get(f"/v1/polls/{poll['id']}/paper", headers=who.headers)
    assert answer.status_code == 200
    return [each["key"] for each in answer.get_json()["question"]["options"]]


def test_each_voter_sees_the_projects_in_an_order_of_their_own_that_stays(
    world: World, year: Balloting
) -> None:
    poll = year.open("citizens")
    first, second = year.citizens(2)
    mine = paper_of(world, poll, first)
    assert sorted(mine) == year.references
    assert paper_of(world, poll, first) == mine
    assert paper_of(world, poll, second) != mine
    before = world.rows("SELECT count(*) FROM journal")
    paper_of(world, poll, first)
    assert world.rows("SELECT count(*) FROM journal") == before


def test_no_project_is_better_placed_than_another_over_all_voters(
    world: World, year: Balloting
) -> None:
    poll = year.open("citizens")
    firsts = [paper_of(world, poll, voter)[0] for voter in year.citizens(200)]
    assert {firsts.count(reference) > 8 for reference in year.references} == {True}  # 25 on average


def test_an_ordinary_paper_keeps_its_authors_order(world: World) -> None:
    poll = world.open_poll()
    assert paper_of(world, poll, world.citizen()) == ["yes", "no"]
