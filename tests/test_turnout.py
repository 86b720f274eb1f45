"""Turnout by area and by age: once, after publication, rounded, and never of too few."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.holders import open_keystore
from mvote.ballotbox.poll_keys import key_name
from mvote.polls import auditing
from mvote.polls.turnout_cells import age_cell, area_cell, round_to_fives
from tests.support.world import Person, World

YEAR = dt.datetime.now(dt.UTC).year
JONGNO, GANGNAM = ["11110101", "11110", "11"], ["11680101", "11680", "11"]


def _declare(world: World, people: Sequence[Person], **values: Any) -> None:
    """What people have said of themselves, without a map to check it by."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        for person in people:
            for name, value in values.items():
                is_area = name.endswith("_area")
                connection.execute(
                    "INSERT INTO attribute (citizen_id, name, value, lineage, set_at)"
                    " VALUES (%s, %s, %s, %s, now())",
                    [
                        person.id,
                        name,
                        json.dumps(value[0] if is_area else value),
                        value if is_area else [],
                    ],
                )


def _people(world: World, number: int, lineage: list[str] | None, age: int | None) -> list[Person]:
    people = world.citizens(number)
    if lineage:
        _declare(world, people, home_area=lineage)
    if age is not None:
        _declare(world, people, birth_year=YEAR - age)
    return people


def _published(world: World, voters: Sequence[Person], **content: Any) -> dict[str, Any]:
    poll = world.open_poll(**({"publish_from": 2} | content))
    for voter in voters:
        assert world.cast(poll, voter).status_code == 201
    world.finish(poll)
    return poll


def _turnout(world: World, poll: Mapping[str, Any]) -> dict[str, Any]:
    answer = world.client.get(f"/v1/polls/{poll['id']}/turnout")
    assert answer.status_code == 200
    return dict(answer.get_json())


def _cells(cells: Sequence[Mapping[str, Any]], name: str) -> dict[str, int]:
    return {cell[name]: cell["ballots"] for cell in cells}


def test_turnout_is_shown_by_area_and_by_age_rounded_to_fives(world: World) -> None:
    _people(world, 9, JONGNO, 33)  # who does not vote is in no cell
    voters = [
        *_people(world, 8, JONGNO, 33),
        *_people(world, 4, GANGNAM, 34),
        *_people(world, 2, ["11200101", "11200", "11"], 95),
        *_people(world, 3, None, None),
    ]
    poll = _published(world, voters)
    before = _turnout(world, poll)
    assert (before["by_area"], before["by_age"]) == (None, None)
    world.run_auditor()
    shown = _turnout(world, poll)
    assert shown["turnout"] == {"ballots": 17, "blank": 0}
    assert _cells(shown["by_area"], "area_code") == {"11110": 10, "11680": 5, "unknown": 5}
    assert _cells(shown["by_age"], "ages") == {"30-39": 10, "unknown": 5}


def test_where_one_gu_is_asked_turnout_is_shown_by_its_parts(world: World) -> None:
    voters = [
        *_people(world, 4, JONGNO, 40),
        *_people(world, 6, ["11110119", "11110", "11"], 40),
    ]
    poll = _published(world, voters, eligibility={"min_age": 18})
    world.run_auditor()
    assert _cells(_turnout(world, poll)["by_area"], "area_code") == {"11110": 10}
    assert [area_cell(JONGNO, asked) for asked in ([], ["11"], ["11110"], ["11110101"])] == [
        "11110", "11110", "11110101", "11110101",
    ]  # fmt: skip


def test_a_cell_that_rounds_to_nothing_does_not_tell_that_it_is_there(world: World) -> None:
    voters = [*_people(world, 6, JONGNO, 30), *_people(world, 2, GANGNAM, 60)]
    poll = _published(world, voters)
    world.run_auditor()
    shown = _turnout(world, poll)
    assert _cells(shown["by_area"], "area_code") == {"11110": 5}
    assert _cells(shown["by_age"], "ages") == {"30-39": 5}
    assert world.rows("SELECT cell FROM turnout_cell WHERE ballots = 0") == [
        ("unknown",),
        ("unknown",),
    ]


def test_under_publish_from_no_cell_is_written(world: World) -> None:
    poll = _published(world, _people(world, 9, JONGNO, 30), publish_from=10)
    world.run_auditor()
    shown = _turnout(world, poll)
    assert (shown["by_area"], shown["by_age"]) == ([], [])
    assert world.rows("SELECT sum(ballots) FROM turnout_cell") == [(0,)]


def test_nothing_is_audited_before_publication(world: World) -> None:
    poll = world.open_poll(publish_from=2)
    for voter in _people(world, 5, JONGNO, 30):
        world.cast(poll, voter)
    world.run_auditor()
    world.close(poll)
    world.run_auditor()
    assert world.count("turnout_cell") == 0
    with (
        Session(world.engines["auditor"]) as session,
        pytest.raises(IntegrityError, match="only while the poll is published"),
    ):
        session.execute(
            text("INSERT INTO turnout_cell VALUES (:poll_id, 'area', '11110', 5)"),
            {"poll_id": uuid.UUID(poll["id"])},
        )


def test_a_poll_is_audited_once(world: World) -> None:
    poll = _published(world, _people(world, 5, JONGNO, 30))
    world.run_auditor()
    before = world.rows("SELECT * FROM turnout_cell ORDER BY 1, 2, 3")
    _declare(world, world.citizens(1), home_area=GANGNAM)
    world.run_auditor()
    keystore = open_keystore(world.settings, "auditor")
    with Session(world.engines["auditor"]) as session:
        audit = auditing.begin_audit(session, keystore, uuid.UUID(poll["id"]))
        auditing.read_roll(session, [audit])
        with pytest.raises(IntegrityError, match="pk_turnout_cell"):
            auditing.write_audit(session, audit)
    assert world.rows("SELECT * FROM turnout_cell ORDER BY 1, 2, 3") == before


def test_many_polls_are_audited_in_one_reading_and_people_in_parts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "AT_ONCE", 3)
    voters = [*_people(world, 5, JONGNO, 30), *_people(world, 5, GANGNAM, 50)]
    officer = world.officer()
    polls = [world.open_poll(officer, publish_from=2) for _ in range(2)]
    for poll, its_voters in zip(polls, (voters[:5], voters), strict=True):
        for voter in its_voters:
            world.cast(poll, voter)
        world.finish(poll)
    world.run_auditor()
    areas = [_cells(_turnout(world, poll)["by_area"], "area_code") for poll in polls]
    assert areas == [{"11110": 5}, {"11110": 5, "11680": 5}]


def test_one_person_with_two_accounts_is_counted_once(world: World) -> None:
    """The younger account has taken the elder's anchor; only one of them could vote."""
    elder, younger = _people(world, 10, JONGNO, 30), _people(world, 10, GANGNAM, 30)
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        for old, new in zip(elder, younger, strict=True):
            connection.execute(
                "UPDATE anchor SET anchor = (SELECT anchor FROM anchor WHERE citizen_id = %s)"
                " WHERE citizen_id = %s",
                [old.id, new.id],
            )
    poll = _published(world, elder)
    world.run_auditor()
    assert _cells(_turnout(world, poll)["by_area"], "area_code") == {"11110": 10}


def test_a_poll_whose_roll_key_is_gone_is_left_alone_and_stops_no_other(world: World) -> None:
    officer = world.officer()
    gone = _published_by(world, officer)
    there = _published_by(world, officer)
    keystore = open_keystore(world.settings, "auditor")
    keystore.destroy(key_name(uuid.UUID(gone["id"]), "V"))
    world.run_auditor()
    audited = world.rows("SELECT DISTINCT poll_id FROM turnout_cell")
    assert audited == [(uuid.UUID(there["id"]),)]


def _published_by(world: World, officer: Person) -> dict[str, Any]:
    poll = world.open_poll(officer, publish_from=2)
    for voter in world.citizens(3):
        world.cast(poll, voter)
    world.finish(poll)
    return poll


def test_the_auditor_sees_of_people_no_more_than_turnout_needs(world: World) -> None:
    columns = world.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'voter_roll'::regclass AND attnum > 0"
    )
    assert {name for (name,) in columns} == {"citizen_id", "since", "anchor", "home_area", "born"}
    for table in ("citizen", "anchor", "attribute", "box", "envelope", "log_entry", "record"):
        assert world.rows(
            "SELECT has_any_column_privilege('mvote_auditor', %s, 'SELECT')", table
        ) == [(False,)]


@given(st.integers(0, 10_000))
def test_a_rounded_cell_is_at_most_two_off(ballots: int) -> None:
    rounded = round_to_fives(ballots)
    assert rounded % 5 == 0
    assert abs(rounded - ballots) <= 2


@pytest.mark.parametrize(
    ("born", "cell"),
    [(2026, "0-9"), (2017, "0-9"), (2016, "10-19"), (1997, "20-29"), (1996, "30-39"),
     (1937, "80-89"), (1936, "90+"), (1900, "90+"), (None, "unknown"), (2027, "unknown")],
)  # fmt: skip
def test_ages_are_counted_in_tens_in_the_year_of_the_poll(born: int | None, cell: str) -> None:
    assert age_cell(born, 2026) == cell
