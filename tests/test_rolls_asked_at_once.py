"""Being on a roll, asked for many at once: the same as one by one, and in as many statements."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from api.db import driving
from mvote.driver import Connection, rows_of
from mvote.people.citizens import Citizen
from mvote.people.voters import voter_of
from mvote.polls.poll import Poll
from mvote.polls.rolls import entries
from mvote.polls.rolls.entries import AskedFor, RollKeys, are_on_rolls, entry_of
from tests.support.governing import spoil
from tests.support.rolls import ROLL, bearer, change, csv_of, leave, number, opened, send_roll
from tests.support.world import World

PLAIN_RULE = b"""
    SELECT c.phone_hash FROM citizen c, poll p
        WHERE c.id = %(citizen_id)s AND p.id = %(poll_id)s AND c.phone_hash IS NOT NULL
            AND (c.phone_since IS NULL OR c.phone_since <= p.opens_at)
    UNION
    SELECT t.bearer_hash FROM tombstone t, poll p
        WHERE t.anchor = %(anchor)s AND p.id = %(poll_id)s AND t.since = (
            SELECT coalesce(max(e.since) FILTER (WHERE e.since <= p.opens_at), min(e.since))
            FROM tombstone e WHERE e.bearer_hash = t.bearer_hash)
"""


def asked_plainly(connection: Connection, keys: RollKeys, asked: AskedFor) -> bool:
    """The rule for one, as it is thought: first its numbers, then whether one of them is there."""
    key = keys.of(asked.poll_id)
    looked_for = [asked.anchor]
    if key is not None:
        found = rows_of(connection, PLAIN_RULE, asked._asdict())
        looked_for = [entry_of(key, asked.poll_id, phone_hash) for (phone_hash,) in found]
    there = b"SELECT 1 FROM roll_entry WHERE poll_id = %(poll_id)s AND entry = ANY (%(some)s)"
    return bool(rows_of(connection, there, {"poll_id": asked.poll_id, "some": looked_for}))


@pytest.fixture
def everybody(world: World) -> list[AskedFor]:
    """Each of those who keep, change, take over and give up numbers, in each of four polls: two
    with overlapping rolls, one opened after all that, and one of a committee."""
    people = [bearer(world, n) for n in range(6)]
    officer = world.officer()
    drafts = [world.draft(officer, eligibility=ROLL) for _ in range(4)]
    for draft, listed in zip(drafts, (range(3), range(2, 8), range(10)), strict=False):
        send_roll(world, draft, officer, csv_of([number(n) for n in listed]))
    for draft in drafts[:2]:
        opened(world, draft, officer)
    change(world, people[0], 20)
    change(world, people[3], 0)  # takes over what somebody on two rolls has given up
    change(world, people[4], 21)
    leave(world, people[5])
    people += [bearer(world, n) for n in (3, 4, 5, 30)]
    opened(world, drafts[2], officer)
    ids = [person.id for person in people]
    with Session(world.engines["api"]) as session:
        polls = [session.get_one(Poll, uuid.UUID(draft["id"])) for draft in drafts]
        polls[3].opens_at = polls[2].opens_at
        found = [
            AskedFor(poll.id, citizen_id, voter.anchor)
            for poll in polls
            for citizen_id in ids
            if session.get(Citizen, citizen_id)
            and poll.opens_at
            and (voter := voter_of(session, citizen_id, opened_at=poll.opens_at))
        ]
    for each in found[-9::2]:  # every second has a seat of the committee
        entry = f"'{each.poll_id}', '\\x{each.anchor.hex()}'"
        spoil(world, f"INSERT INTO roll_entry VALUES ({entry}) ON CONFLICT DO NOTHING")  # noqa: S608
    return found


def test_asked_together_each_gets_the_answer_that_they_get_alone(
    world: World, everybody: list[AskedFor]
) -> None:
    keys = RollKeys(world.wiring.keystore)
    with driving(world.engines["api"]) as connection:
        alone = {each: asked_plainly(connection, keys, each) for each in everybody}
        assert set(alone.values()) == {True, False}

        @given(st.lists(st.sampled_from(everybody), max_size=64))
        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        def compare(some: Sequence[AskedFor]) -> None:
            expected = [alone[each] for each in some]
            assert are_on_rolls(connection, keys, some) == expected

        compare()


def test_if_the_answers_came_in_any_order_somebody_would_get_anothers(
    world: World, everybody: list[AskedFor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: numbers that are given to the next in line."""
    shifted = entries._PHONE_HASHES.replace(b"SELECT a.n,", b"SELECT a.n %% 9 + 1 AS n,")
    monkeypatch.setattr(entries, "_PHONE_HASHES", shifted)
    keys = RollKeys(world.wiring.keystore)
    with driving(world.engines["api"]) as connection:
        alone = [asked_plainly(connection, keys, each) for each in everybody]
        assert are_on_rolls(connection, keys, everybody) != alone


@pytest.mark.parametrize("count", [1, 2, 36])
def test_a_gathering_costs_two_statements_however_many_came(
    world: World, everybody: list[AskedFor], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[bytes] = []

    def heard(connection: Connection, query: bytes, given: dict[str, Any]) -> Any:
        said.append(query)
        return rows_of(connection, query, given)

    monkeypatch.setattr(entries, "rows_of", heard)
    with driving(world.engines["api"]) as connection:
        are_on_rolls(connection, RollKeys(world.wiring.keystore), everybody[:count])
    assert len(said) == 2


def test_who_has_no_number_costs_as_many_statements_as_who_is_on_the_roll(
    world: World, everybody: list[AskedFor], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[bytes] = []

    def heard(connection: Connection, query: bytes, given: dict[str, Any]) -> Any:
        said.append(query)
        return rows_of(connection, query, given)

    monkeypatch.setattr(entries, "rows_of", heard)
    nobody = everybody[0]._replace(citizen_id=uuid.uuid4(), anchor=b"")
    with driving(world.engines["api"]) as connection:
        assert are_on_rolls(connection, RollKeys(world.wiring.keystore), [nobody]) == [False]
    assert len(said) == 2
