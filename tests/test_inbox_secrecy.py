"""What is told is what happened, the same for all who are told it, and nobody's vote is in it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from mvote.budget.telling.bulletin import OF_POLLS
from tests.support.delivering import follow, let_keeper_tell, on_the_ballot, walk
from tests.support.proposals import Town, as_owner
from tests.support.world import Person, World


@pytest.fixture
def town(world: World) -> Town:
    """A running cycle."""
    return Town(world)


# what the database keeps


def test_nobody_makes_up_what_happened_to_a_proposal(town: Town) -> None:
    proposal = town.submitted(town.author())
    forged = text(
        "INSERT INTO bulletin (id, kind, cycle_id, proposal_id, at) VALUES"
        " (gen_random_uuid(), 'funded', :cycle, :proposal, now())"
    )
    with Session(town.world.engines["api"]) as session, pytest.raises(ProgrammingError):
        session.execute(forged, {"cycle": town.cycle_id, "proposal": proposal["id"]})
    assert town.world.count("bulletin") == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE bulletin SET kind = 'funded'",
        "UPDATE bulletin SET told_at = NULL",
        "DELETE FROM bulletin",
    ],
)
def test_what_was_told_does_not_change(town: Town, change: str) -> None:
    on_the_ballot(town, town.author())
    let_keeper_tell(town)
    with as_owner(town.world) as owner, pytest.raises(DatabaseError, match="does not change"):
        owner.execute(change)


# secrecy


def what_is_kept_of(world: World, voters: list[Person]) -> list[list[tuple[Any, ...]]]:
    """For each voter all that the tables of the inbox hold of them, but who they are."""
    kept = (
        "SELECT b.kind, b.cycle_id, b.proposal_id, b.due_at, b.facts, i.read_at"
        " FROM inbox_item i JOIN bulletin b ON b.id = i.bulletin_id WHERE i.citizen_id = %s"
        " UNION ALL SELECT 'follows', cycle_id, NULL, NULL, NULL, NULL FROM cycle_follower"
        " WHERE citizen_id = %s ORDER BY 1, 2, 3"
    )
    return [world.rows(kept, voter.id, voter.id) for voter in voters]


def after_voting(town: Town) -> tuple[list[Person], list[Person]]:
    """Voters for one project and for the other, all of whom asked to be told of the cycle."""
    projects = [on_the_ballot(town, town.author()) for _ in range(2)]
    keys = [each["reference"] for each in projects]
    poll = town.world.open_poll(
        question={
            "text": "무엇을 할까요?",
            "kind": "single",
            "options": [{"key": key, "title": key} for key in keys],
        },
        publish_from=2,
    )
    voters = town.world.citizens(6)
    for n, voter in enumerate(voters):
        assert town.world.cast(poll, voter, [keys[n % 2]]).status_code == 201
        follow(town, voter)
    town.world.finish(poll)
    walk(town, projects[0], "funded", "enacted")
    walk(town, projects[1], "not_funded")
    let_keeper_tell(town)
    return voters[::2], voters[1::2]


def test_no_inbox_tells_how_its_reader_voted(town: Town) -> None:
    for_the_first, for_the_second = after_voting(town)
    first = what_is_kept_of(town.world, for_the_first)
    second = what_is_kept_of(town.world, for_the_second)
    assert len(first[0]) == 4  # on the ballot, funded, enacted; and that they follow
    assert {str(each) for each in first} == {str(each) for each in second} == {str(first[0])}


def test_the_check_finds_an_inbox_that_tells_how_its_reader_voted(town: Town) -> None:
    """The sabotaged twin: those who voted for the winner are told so."""
    for_the_first, for_the_second = after_voting(town)
    with psycopg.connect(town.world.admin_url) as connection:
        for voter in for_the_first:
            connection.execute(
                "INSERT INTO inbox_item SELECT %s, id FROM bulletin WHERE kind = 'enacted'"
                " AND proposal_id IS NOT NULL",
                [voter.id],
            )
    first = what_is_kept_of(town.world, for_the_first)
    assert str(first[0]) != str(what_is_kept_of(town.world, for_the_second)[0])


def test_nothing_that_is_told_hangs_on_a_ballot_or_dates_a_wish(world: World) -> None:
    """By its columns: a wish has no id and no time, and a bulletin refers to a poll only to tell
    its author what became of it without any ballot."""
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
    assert {name for (name,) in world.rows(columns, "cycle_follower")} == {
        "cycle_id", "citizen_id"
    }  # fmt: skip
    refers = (
        "SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND"
        " conrelid = ANY (%s::regclass[])"
    )
    found = world.rows(refers, ["bulletin", "inbox_item", "cycle_follower"])
    assert {name for (name,) in found} == {
        "bulletin", "citizen", "cycle", "poll", "proposal", "seat"
    }  # fmt: skip
    told = (
        "poll_held_back", "poll_released", "poll_kept_out", "poll_hold_expired",
        "poll_roll_given_up", "poll_codes_revoked",
    )  # fmt: skip
    assert told == OF_POLLS
    [rule] = world.rows(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = 'ck_bulletin_of_poll_by_kind'"
    )
    assert all(kind in rule[0] for kind in told)
