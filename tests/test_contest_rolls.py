"""Who may vote by name: the committee's voting seats, or a list of numbers."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from mvote.ballotbox.notation import h
from mvote.base import utc_now
from mvote.budget.balloting import voters
from mvote.people.changing_number import NumberChange, change_number
from mvote.polls.participations import last_poll_ends
from tests.support.balloting import Balloting, field, rules_against
from tests.support.governing import spoil, twin
from tests.support.identities import CODE, a_challenge
from tests.support.proposals import refused
from tests.support.rolls import bearer, change, e164
from tests.support.two_sources import Two, end_plan
from tests.support.world import World


@pytest.fixture
def year(world: World) -> Balloting:
    year = Balloting(world, 2015)
    year.projects(8, heading=field)
    return year


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
    for statement in (entry, "DELETE FROM roll_entry", "UPDATE roll_entry SET entry = entry"):
        with (
            psycopg.connect(world.admin_url) as connection,
            pytest.raises(psycopg.errors.RestrictViolation),
        ):
            connection.execute(statement)


def test_the_definition_binds_the_roll_without_showing_who_is_on_it(
    world: World, year: Balloting
) -> None:
    year.seats(year.citizens(3))
    poll = year.open("committee")
    anchors = [bytes(each) for (each,) in world.rows("SELECT entry FROM roll_entry")]
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


def test_a_number_on_a_list_does_not_stand_for_who_had_it_before(
    world: World, session: Session
) -> None:
    year = alumni(world)
    moved = world.person(year.register("+821090000001"))
    challenge_id = a_challenge(world.app, session, "+821090000009")
    change_number(
        session, desk=world.app.extensions["front_desk"], citizen_id=moved.id, session_id=None,
        change=NumberChange(challenge_id=challenge_id, code=CODE, merge=False),
        last_poll_ends=last_poll_ends, now=utc_now(),
    )  # fmt: skip
    session.commit()
    poll = year.open("alumni", roll=["+821090000001", "+821090000002"])
    assert rules_against(world, poll, moved) == ["roll"]
    assert world.count("roll_entry") == 1
    [warning] = [each for each in poll["warnings"] if each["code"] == "roll-numbers-left-out"]
    assert "로그인" in warning["title"]["ko"]
    assert "+8210" not in str(warning)  # which of them had an account before nobody is told


def test_of_a_list_on_which_each_number_stands_for_somebody_nothing_is_warned(
    world: World,
) -> None:
    poll = alumni(world).open("alumni", roll=["+821090000001", "+821090000002"])
    assert "roll-numbers-left-out" not in {each["code"] for each in poll["warnings"]}


def listed_and_registered_when_an_older_poll_is_over(world: World) -> list[str]:
    """Why the holder of a listed number may not vote. When the list was made the number still meant
    what its former holder had left behind for an older poll; when they register it is over."""
    former = world.person(Balloting(world).register("+821090000009"))
    older = world.open_poll()
    for n in (1, 8):
        change(world, former, n)
    year = alumni(world)
    poll = year.open("alumni", roll=[e164(1)])
    with psycopg.connect(world.admin_url) as connection:
        over = "UPDATE tombstone SET until = now() - interval '1 s' WHERE until <= %s"
        connection.execute(over, [older["closes_at"]])
    holder = bearer(world, 1)
    assert rules_against(world, poll, former) == ["roll"]
    return rules_against(world, poll, holder)


def test_a_listed_number_is_on_the_roll_however_late_its_holder_registers(world: World) -> None:
    assert listed_and_registered_when_an_older_poll_is_over(world) == []


def test_if_it_meant_something_else_in_between_its_holder_would_be_kept_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: what was left behind ends with the polls of its time alone."""
    monkeypatch.setattr(voters, "remember_until", lambda *_: None)
    assert listed_and_registered_when_an_older_poll_is_over(world) == ["roll"]


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


# no more take part than are on the roll


def six_of_five(world: World, year: Balloting) -> dict[str, Any]:
    """Somebody was put on the roll after it was frozen; box, log and records all agree."""
    members = year.citizens(6)
    year.seats(members[:5])
    poll = year.open("committee")
    year.begin_voting(poll)
    spoil(world, "INSERT INTO roll_entry SELECT poll.id, anchor.anchor FROM poll, anchor"  # noqa: S608
          f" WHERE poll.id = '{poll['id']}' AND citizen_id = '{members[5].id}'")  # fmt: skip
    for member in members:
        assert world.cast(poll, member, year.references[:1]).status_code == 201
    world.finish(poll)
    end_plan(world)
    return poll


def test_more_who_took_part_than_are_on_the_roll_hold_the_result_up(
    world: World, year: Balloting
) -> None:
    poll = six_of_five(world, year)
    world.run_counter()
    answer = world.client.get(f"/v1/polls/{poll['id']}/results")
    assert refused(answer) == (409, "results-not-available")
    figures = answer.get_json()["accounting"]
    assert (figures["participations"], figures["records"], figures["roll"]) == (6, 6, 5)
    assert figures["accounting_holds"] is False


def test_without_asking_the_roll_nobody_would_notice(
    world: World, year: Balloting, owner: Session
) -> None:
    """The sabotaged twin: figures that only agree with each other."""
    poll = six_of_five(world, year)
    unasked = ("coalesce(r.participations", "true OR coalesce(r.participations")
    with twin(owner, "accounting_agrees", *unasked):
        world.run_counter()
    assert world.client.get(f"/v1/polls/{poll['id']}/results").status_code == 200


def test_the_turnout_says_how_many_are_on_the_roll(world: World) -> None:
    two = Two(world)
    for poll in (two.citizens, two.committee):
        world.finish(poll)
    shown = [
        world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
        for poll in (two.citizens, two.committee)
    ]
    assert ["roll" in each["turnout"] for each in shown] == [False, True]
    assert shown[1]["turnout"] == {"ballots": 5, "blank": 0, "roll": 5}
    assert [each["accounting"]["roll"] for each in shown] == [None, 5]
