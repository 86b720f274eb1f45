"""Flags: each is raised by what it is for, by nothing that merely looks like it, and names nobody.

What is noted is written by the test itself (`write_now`): nothing waits for time to pass.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import psycopg
import pytest

from api.holders import open_keystore
from jobs import keeper_round
from mvote.ballotbox.poll_keys import key_name
from mvote.base import utc_now
from mvote.polls.integrity.day_keys import PREFIX
from mvote.polls.integrity.flags import pseudonym_of
from tests.support.integrity import CIRCLE, code_at, kinds, nonce_of, see, site_of
from tests.support.world import CITY_HALL, GWANGHWAMUN, World, position

pytestmark = pytest.mark.usefixtures("within_an_hour")

HERE = GWANGHWAMUN
SEOUL, BUSAN, DAEJEON = (37.57, 126.98), (35.18, 129.08), (36.35, 127.38)


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    return world.open_poll(presence=CIRCLE)


def near(n: int) -> dict[str, Any]:
    """A position within the area, another for each *n*."""
    return position(HERE["lat"] + n * 1e-6, HERE["lon"])


# Which kinds.


def test_a_mock_position_is_flagged_and_taken_and_a_real_one_only_taken(
    world: World, poll: dict[str, Any]
) -> None:
    forger, honest = world.citizens(2)
    for n, (voter, mock) in enumerate(((forger, True), (honest, False))):
        answer = world.cast(poll, voter, position=near(n), integrity={"mock": mock})
        assert answer.status_code == 201
    assert kinds(world) == [("mock", 1)]
    assert world.count("participation") == 2


def test_a_position_older_than_a_minute_is_flagged_although_it_is_refused(
    world: World, poll: dict[str, Any]
) -> None:
    late, timely = world.citizens(2)
    old = world.cast(poll, late, position=position(**HERE, age_s=75))
    assert (old.status_code, old.get_json()["code"]) == (403, "position-stale")
    assert world.cast(poll, timely, position=position(**HERE, age_s=20)).status_code == 201
    assert kinds(world) == [("stale", 1)]
    assert world.count("participation") == 1


def test_a_position_captured_before_its_nonce_was_given_is_flagged(
    world: World, poll: dict[str, Any]
) -> None:
    voters, before = world.citizens(2), position(**HERE, age_s=20)
    nonces = [nonce_of(world, voter) for voter in voters]
    for voter, there, nonce in zip(voters, (before, near(1)), nonces, strict=True):
        said = {"nonce": nonce}
        assert world.cast(poll, voter, position=there, integrity=said).status_code == 201
    assert kinds(world) == [("stale", 1)]


def test_the_third_and_every_further_person_at_exactly_one_place_is_flagged(
    world: World, poll: dict[str, Any]
) -> None:
    for voter in world.citizens(2):
        world.cast(poll, voter, position=position(**HERE))
    assert kinds(world) == []
    for voter in world.citizens(2):
        world.cast(poll, voter, position=position(**HERE))
    assert kinds(world) == [("repeated-coordinates", 1)] * 2


def test_who_comes_together_is_told_apart_within_one_batch(
    world: World, poll: dict[str, Any]
) -> None:
    for voter in world.citizens(5):
        world.cast(poll, voter, position=position(**HERE))
    assert kinds(world) == [("repeated-coordinates", 1)] * 3


def test_one_person_again_and_again_another_place_or_another_poll_is_no_repetition(
    world: World, poll: dict[str, Any]
) -> None:
    one, *others = world.citizens(8)
    for _ in range(4):
        world.cast(poll, one, position=position(**HERE))
    for n, voter in enumerate(others[:3]):
        world.cast(poll, voter, position=near(n + 1))
    world.cast(poll, others[3], position=position(**HERE))
    elsewhere = world.open_poll(presence=CIRCLE)
    for voter in others[4:6]:
        world.cast(elsewhere, voter, position=position(**HERE))
    assert kinds(world) == []


def test_what_was_seen_a_day_ago_is_no_repetition(world: World, poll: dict[str, Any]) -> None:
    for voter in world.citizens(2):
        world.cast(poll, voter, position=position(**HERE))
    assert kinds(world) == []
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE place_seen SET expires_at = now() - interval '1 s'")
    world.cast(poll, world.citizen(), position=position(**HERE))
    assert kinds(world) == []


@pytest.mark.parametrize(
    ("to", "minutes", "flagged"),
    [
        (BUSAN, 50, True),  # 300 km and more: by train it takes twice as long
        (BUSAN, 60, False),  # 350 km/h is not exceeded
        (DAEJEON, 18, True),
        (DAEJEON, 60, False),
        ((SEOUL[0] + 0.09, SEOUL[1] + 0.09), 0, False),  # the next cell
        ((SEOUL[0] + 0.2, SEOUL[1]), 0, True),  # 11 km at the least, at once
        ((SEOUL[0] + 0.2, SEOUL[1]), 2, False),
    ],
    ids=["busan", "busan slower", "daejeon", "daejeon by train", "next", "two off", "two later"],
)
def test_a_way_that_nobody_travels_so_fast_is_flagged(
    world: World, poll: dict[str, Any], to: tuple[float, float], minutes: int, flagged: bool
) -> None:
    watch, anchor = world.wiring.watch, b"a" * 32
    now = utc_now().replace(second=30)
    see(watch, poll, anchor, SEOUL, now - dt.timedelta(minutes=minutes))
    watch.write_now()
    see(watch, poll, anchor, to, now)
    assert kinds(world) == ([("impossible-travel", 1)] if flagged else [])


def test_another_person_at_the_other_end_is_no_travel(world: World, poll: dict[str, Any]) -> None:
    see(world.wiring.watch, poll, b"a" * 32, SEOUL, utc_now())
    see(world.wiring.watch, poll, b"b" * 32, BUSAN, utc_now())
    assert kinds(world) == []


def test_travel_is_noticed_from_poll_to_poll_and_within_one_batch(
    world: World, poll: dict[str, Any]
) -> None:
    other = world.open_poll(presence=CIRCLE)
    see(world.wiring.watch, poll, b"a" * 32, SEOUL, utc_now())
    world.wiring.watch.write_now()
    see(world.wiring.watch, other, b"a" * 32, BUSAN, utc_now())
    see(world.wiring.watch, other, b"a" * 32, SEOUL, utc_now())
    assert kinds(world) == [("impossible-travel", 2)]
    assert world.rows("SELECT DISTINCT poll_id FROM flag") == [(uuid.UUID(other["id"]),)]


@pytest.mark.parametrize(("accounts", "found"), [(3, []), (4, [("shared-device", 1)])])
def test_the_fourth_account_with_one_phone_is_flagged(
    world: World, poll: dict[str, Any], accounts: int, found: list[tuple[str, int]]
) -> None:
    see(world.wiring.watch, poll, b"a" * 32, SEOUL, utc_now(), accounts=accounts)
    assert kinds(world) == found


def test_a_position_at_a_code_is_looked_at_like_one_of_a_ballot(world: World) -> None:
    officer, forger = world.officer(), world.citizen()
    poll = world.open_poll(officer, presence={"rule": "site"})
    code = code_at(world, site_of(world, officer), poll, officer)
    for place, status in ((CITY_HALL, 201), (GWANGHWAMUN, 403)):
        body = {"position": position(**place), "integrity": {"mock": True}}
        answer = world.client.post(f"/v1/codes/{code}/scans", json=body, headers=forger.headers)
        assert answer.status_code == status
    assert kinds(world) == [("mock", 2)]


def test_asking_whether_one_may_vote_is_not_looked_at(world: World, poll: dict[str, Any]) -> None:
    body = {"position": position(**HERE, age_s=90), "integrity": {"mock": True}}
    url = f"/v1/polls/{poll['id']}/eligibility"
    world.client.post(url, json=body, headers=world.citizen().headers)
    assert kinds(world) == []


# What is kept.


def test_a_flag_has_no_instant_no_name_and_no_place(world: World, poll: dict[str, Any]) -> None:
    voter = world.citizen()
    world.cast(poll, voter, position=position(**HERE), integrity={"mock": True})
    assert kinds(world) == [("mock", 1)]
    [row] = world.rows("SELECT * FROM flag")
    shown = str(row).replace("-", "")
    anchors = world.rows("SELECT anchor FROM anchor WHERE citizen_id = %s", voter.id)
    keys = world.wiring.box.keys.of(uuid.UUID(poll["id"]))
    assert keys is not None
    assert row[3] == pseudonym_of(keys.V, anchors[0][0])  # by the roll key, and by nothing else
    assert row[3] != pseudonym_of(b"\0" * 32, anchors[0][0])
    for secret in (voter.id.hex, anchors[0][0].hex(), "37.57", "126.9"):
        assert secret not in shown
    columns = dict(
        world.rows(
            "SELECT attname::text, atttypid::regtype::text FROM pg_attribute"
            " WHERE attrelid = 'flag'::regclass AND attnum > 0"
        )
    )
    assert [name for name, kind in columns.items() if "timestamp" in kind] == ["found_at"]


def test_what_is_remembered_is_hashed_sealed_and_in_no_wal(
    world: World, poll: dict[str, Any]
) -> None:
    world.cast(poll, world.citizen(), position=position(**HERE))
    kinds(world)
    assert (world.count("place_seen"), world.count("last_fix")) == (1, 1)
    persistence = world.rows(
        "SELECT relname::text FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'"
        " ORDER BY relname"
    )
    assert persistence == [("last_fix",), ("place_seen",), ("position_nonce",)]
    [(expires_at,)] = world.rows("SELECT expires_at FROM last_fix")
    assert (expires_at.minute, expires_at.second) == (0, 0)


def test_expired_memories_go_and_so_do_the_keys_of_past_days(
    world: World, poll: dict[str, Any]
) -> None:
    world.cast(poll, world.citizen(), position=position(**HERE))
    kinds(world)
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE place_seen SET expires_at = now() - interval '1 s'")
        connection.execute("UPDATE last_fix SET expires_at = now() - interval '1 s'")
    store = world.wiring.keystore
    days = [(utc_now() - dt.timedelta(days=n)).date().isoformat() for n in (1, 2, 3)]
    for day in days:
        if f"{PREFIX}{day}" not in store.names(PREFIX):
            store.put(f"{PREFIX}{day}", b"k" * 32)
    keeper_round(world.engines["api"], store)
    assert (world.count("place_seen"), world.count("last_fix")) == (0, 0)
    left = store.names(PREFIX)
    assert f"{PREFIX}{days[0]}" in left
    assert not {f"{PREFIX}{day}" for day in days[1:]} & set(left)


def test_flags_go_with_the_polls_roll_key(world: World, poll: dict[str, Any]) -> None:
    world.cast(poll, world.citizen(), position=position(**HERE), integrity={"mock": True})
    assert kinds(world) == [("mock", 1)]
    world.close(poll)
    keeper_round(world.engines["api"], world.wiring.keystore)
    assert world.count("flag") == 1
    for holder in ("api", "auditor"):
        store = open_keystore(world.settings, holder)
        store.destroy(key_name(uuid.UUID(poll["id"]), "V"))
    keeper_round(world.engines["api"], world.wiring.keystore)
    assert world.count("flag") == 0
