"""Whoever steals the database without the keys does not learn who reported what."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import database_time
from mvote.moderation.reporting import LIMIT_LABEL, PER_PERSON, Complaint, report_poll
from mvote.people.citizens import Citizen
from mvote.people.limits import hashes_of_person, use_up
from mvote.polls.poll import Poll
from tests.support.reporting import citizens_poll, decided, held_back, reported, shown
from tests.support.world import Person, World

JOINED = (
    "SELECT count(*) FROM report r JOIN {table} t ON r.xmin IN (t.xmin, t.xmax)"
    " WHERE NOT (t.tableoid = 'report'::regclass)"
)
OF_PEOPLE = "allowance", "citizen", "anchor", "attribute", "kept_answer", "sign_in"


def joined(world: World, table: str) -> int:
    return int(world.rows(JOINED.format(table=table))[0][0])


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    return citizens_poll(world)


def hash_in_the_open(world: World, person: Person) -> bytes:
    """What anybody works out from the row of an account."""
    with Session(world.engines["api"]) as session:
        return hashes_of_person(session, person.id, LIMIT_LABEL)[0]


def test_no_hidden_transaction_number_joins_a_report_with_a_row_of_its_person(
    world: World, poll: dict[str, Any]
) -> None:
    reported(world, poll, 2)
    assert [table for table in OF_PEOPLE if joined(world, table)] == []


def test_what_counts_a_persons_reports_is_not_worked_out_from_the_account(
    world: World, poll: dict[str, Any]
) -> None:
    [person] = reported(world, poll, 1)
    kept = world.rows("SELECT subject_hash FROM allowance WHERE name = 'reports'")
    assert len(kept) == 1
    assert bytes(kept[0][0]) != hash_in_the_open(world, person)


def test_the_join_finds_a_limit_that_is_used_up_with_the_report(
    world: World, poll: dict[str, Any]
) -> None:
    """The sabotaged twin: both in one transaction."""
    person = world.citizen()
    with Session(world.engines["api"]) as session, transaction(session):
        subject = hashes_of_person(session, person.id, LIMIT_LABEL)[0]
        use_up(session, PER_PERSON, subject_hash=subject, now=database_time(session))
        report_poll(
            session,
            poll=session.get_one(Poll, uuid.UUID(poll["id"])),
            citizen=session.get_one(Citizen, person.id),
            complaint=Complaint(ground="other"),
            desk=world.wiring.moderation,
        )
    assert joined(world, "allowance") == 1
    named = world.rows("SELECT subject_hash FROM allowance WHERE name = 'reports'")
    assert bytes(named[0][0]) == hash_in_the_open(world, person)


def test_when_somebody_reported_is_told_and_kept_to_the_hour(
    world: World, poll: dict[str, Any]
) -> None:
    held = held_back(world)
    reported(world, poll, 1)
    decided(world, poll, "keep")
    decided(world, held, "release")
    kept = world.rows(
        "SELECT waiting_since FROM moderation_case UNION ALL SELECT held_at FROM moderation_case"
        " UNION ALL SELECT held_at FROM moderation_decision"
        " UNION ALL SELECT span_ends_at FROM allowance WHERE name = 'reports'"
    )
    told = {each for (each,) in kept if each is not None}
    assert told
    assert {(each.minute, each.second, each.microsecond) for each in told} == {(0, 0, 0)}
    assert shown(world, poll)["held_back"]["since"].endswith(":00:00Z")
