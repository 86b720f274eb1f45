"""Secrecy: who steals database, backup and logs without the keys learns no choice."""

from __future__ import annotations

import logging
import random
import shutil
import subprocess
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from api.holders import open_keystore
from api.logs import JsonLines
from jobs import keeper_round, shuffler_round
from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.sealing import unwrap_outer
from ops.cluster import ensure_cluster
from ops.place import find
from tests.support.database import TestCluster
from tests.support.world import GWANGHWAMUN, Person, World, new_key, position

VOTERS = 200
ON_THE_SPOT = {"rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 1000}}
Clue = Callable[[World], list[Any]]


class Election:
    """A closed poll of which the test knows who cast which ballot."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.poll = world.open_poll(publish_from=2)
        self.voters = world.citizens(VOTERS)
        draw = random.Random(7)
        self.choices = {voter.id: draw.choice(["yes", "no"]) for voter in self.voters}
        draw.shuffle(self.voters)
        self.tracker_of = {voter.id: self._cast(voter) for voter in self.voters}

    def _cast(self, voter: Person) -> str:
        receipt = self.world.cast(self.poll, voter, [self.choices[voter.id]])
        return str(receipt.get_json()["tracker"])


def _order(world: World, query: str) -> list[Any]:
    return [row[0] for row in world.rows(query)]


PARTICIPATION_CLUES = {
    "xmin": "SELECT voter_tag FROM participation ORDER BY xmin::text::bigint, ctid",
    "ctid": "SELECT voter_tag FROM participation ORDER BY ctid",
    "tag": "SELECT voter_tag FROM participation ORDER BY voter_tag",
}
BALLOT_CLUES = {
    "xmin": "SELECT data FROM log_entry WHERE kind = 1 ORDER BY xmin::text::bigint, ctid",
    "ctid": "SELECT data FROM log_entry WHERE kind = 1 ORDER BY ctid",
    "idx": "SELECT data FROM log_entry WHERE kind = 1 ORDER BY idx",
}


@pytest.fixture
def tag_owner(world: World) -> Callable[[Election], dict[bytes, uuid.UUID]]:
    """Whose voter tag is whose: only the holder of the roll key V can tell."""

    def of(election: Election) -> dict[bytes, uuid.UUID]:
        from mvote.ballotbox.sealing import voter_tag_of

        poll_id = uuid.UUID(election.poll["id"])
        keys = world.wiring.box.keys.of(poll_id)
        assert keys is not None
        anchors = dict(world.rows("SELECT citizen_id, anchor FROM anchor"))
        return {
            voter_tag_of(keys.V, poll_id.bytes, bytes(anchors[voter.id])): voter.id
            for voter in election.voters
        }

    return of


def test_no_order_of_participations_and_ballots_links_them_better_than_chance(
    world: World, tag_owner: Callable[[Election], dict[bytes, uuid.UUID]]
) -> None:
    """Even with the roll key: place for place, the n-th participation is not the n-th ballot."""
    election = Election(world)
    world.close(election.poll)
    owner_of = tag_owner(election)
    for who in PARTICIPATION_CLUES.values():
        for what in BALLOT_CLUES.values():
            tags = [owner_of[bytes(tag)] for tag in _order(world, who)]
            trackers = [bytes(data[:16]).hex() for data in _order(world, what)]
            hits = sum(
                election.tracker_of[voter] == tracker
                for voter, tracker in zip(tags, trackers, strict=True)
            )
            assert hits <= 8  # chance gives 1 on average; 8 or more once in 100,000 runs


def test_no_hidden_transaction_number_joins_a_participation_with_a_ballot_of_the_box(
    world: World,
) -> None:
    election = Election(world)
    world.close(election.poll)
    joined = world.rows(
        "SELECT count(*) FROM participation p JOIN log_entry e USING (poll_id)"
        " WHERE p.xmin = e.xmin AND e.kind = 1"
    )
    assert joined == [(0,)]


def test_a_box_filled_in_the_order_of_casting_would_give_every_voter_away(
    world: World, tag_owner: Callable[[Election], dict[bytes, uuid.UUID]]
) -> None:
    """The sabotaged twin: without sorting, the places alone re-identify everyone."""
    election = Election(world)
    envelopes = world.rows('SELECT id, "outer" FROM envelope ORDER BY xmin::text::bigint')
    poll_id = uuid.UUID(election.poll["id"])
    keys = world.wiring.box.keys.of(poll_id)
    assert keys is not None
    assert keys.L is not None
    opened = [
        unwrap_outer(keys.L, poll_id.bytes, envelope_id, bytes(outer))[0].hex()
        for envelope_id, outer in envelopes
    ]
    tags = [tag_owner(election)[bytes(t)] for t in _order(world, PARTICIPATION_CLUES["xmin"])]
    hits = sum(election.tracker_of[v] == t for v, t in zip(tags, opened, strict=True))
    assert hits > VOTERS * 0.9


def test_all_envelopes_and_all_sealed_ballots_of_a_poll_have_one_length(world: World) -> None:
    election = Election(world)
    assert len(set(world.rows('SELECT length("outer") FROM envelope'))) == 1
    world.close(election.poll)
    assert len(set(world.rows("SELECT length(sealed) FROM box"))) == 1


def test_without_the_link_key_an_envelope_shows_neither_tracker_nor_commitment(
    world: World,
) -> None:
    poll, voter = world.open_poll(), world.citizen()
    receipt = world.cast(poll, voter).get_json()
    [(outer,)] = world.rows('SELECT "outer" FROM envelope')
    for name in ("tracker", "envelope_hash"):
        assert bytes.fromhex(receipt[name]) not in bytes(outer)


def test_the_link_key_is_destroyed_everywhere_and_journalled_once_the_last_copy_is_gone(
    world: World,
) -> None:
    poll = world.open_poll()
    world.cast(poll, world.citizen())
    world.end_voting(poll)
    name = key_name(uuid.UUID(poll["id"]), "L")
    shuffler, api = open_keystore(world.settings, "shuffler"), world.wiring.keystore
    keeper_round(world.engines["api"], api)
    assert name in shuffler.names("poll/")
    assert name in api.names("poll/")
    shuffler_round(world.engines["shuffler"], shuffler)
    assert name not in shuffler.names("poll/")
    assert _destroyed(world) == []  # the api still has its copy
    for _ in range(2):
        keeper_round(world.engines["api"], api)
    assert not api.is_held(name)
    assert _destroyed(world) == [({"key": "L"},)]


def test_a_link_key_that_outlived_a_crash_is_destroyed_in_the_next_round(world: World) -> None:
    poll = world.open_poll()
    shuffler = open_keystore(world.settings, "shuffler")
    name = key_name(uuid.UUID(poll["id"]), "L")
    path = world.settings.keystore / "shuffler" / f"{name}.key"
    wrapped = path.read_bytes()
    world.finish(poll)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(wrapped)  # as if nobody had come to destroy it
    shuffler_round(world.engines["shuffler"], shuffler)
    assert name not in shuffler.names("poll/")
    assert not path.exists()


def test_no_key_of_a_poll_that_runs_is_destroyed(world: World) -> None:
    poll = world.open_poll()
    shuffler = open_keystore(world.settings, "shuffler")
    shuffler_round(world.engines["shuffler"], shuffler)
    keeper_round(world.engines["api"], world.wiring.keystore)
    held = [key_name(uuid.UUID(poll["id"]), letter) for letter in "VRL"]
    assert set(held) <= set(world.wiring.keystore.names("poll/"))


def _destroyed(world: World) -> list[Any]:
    return world.rows("SELECT facts FROM journal WHERE kind = 'key:destroyed'")


def test_the_wal_before_closing_holds_nothing_of_what_is_in_the_box_afterwards(
    world: World, cluster: TestCluster
) -> None:
    """Whoever has the WAL, but not the link key, cannot tell which envelope became which ballot."""
    election = Election(world)
    before = _wal(cluster)
    world.close(election.poll)
    after = _wal(cluster)
    entries = world.rows("SELECT data FROM log_entry WHERE kind = 1")
    sealed = world.rows("SELECT sealed FROM box")
    known = [bytes(data[:16]) for (data,) in entries] + [bytes(data[16:]) for (data,) in entries]
    known += [bytes(ballot[:32]) for (ballot,) in sealed]
    assert not [part for part in known if part in before]
    # The search itself works; a page's header may part what lies across two pages.
    assert sum(part in after for part in known) > 0.9 * len(known)


def test_dump_wal_and_logs_after_a_thousand_casts_hold_no_choice_place_key_or_number(
    world: World, cluster: TestCluster, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("mvote").setLevel(logging.INFO)
    logging.getLogger("mvote").addHandler(caplog.handler)
    caplog.handler.setFormatter(JsonLines())
    number = "+821055512345"
    try:
        secrets = _cast_a_thousand(world, number)
    finally:
        logging.getLogger("mvote").removeHandler(caplog.handler)
        logging.getLogger("mvote").setLevel(logging.WARNING)
    control = "검색이 되는지 보는 제목"
    for _ in range(3):
        world.draft(title=control)
    haystacks = {
        "dump": _dump(world),
        "WAL": _wal(cluster),
        "server log": _server_log(),
        "logs": "\n".join(map(caplog.handler.format, caplog.records)).encode(),
    }
    assert control.encode() in haystacks["dump"]  # the search itself works
    assert control.encode() in haystacks["WAL"]
    assert b"/v1/polls/<uuid:poll_id>/ballots" in haystacks["logs"]
    found = [
        (where, what)
        for where, haystack in haystacks.items()
        for what, needle in secrets
        if needle in haystack
    ]
    assert found == []


def _cast_a_thousand(world: World, number: str) -> list[tuple[str, bytes]]:
    """Casts, and gives back what must be found nowhere."""
    marked = "zqv-choice-{}"
    options = [
        {"key": marked.format(name), "title": f"선택 {name}"} for name in ("one", "two", "six")
    ]
    question = {"text": "?", "kind": "single", "options": options}
    poll = world.open_poll(presence=ON_THE_SPOT, question=question)
    lat, lon = GWANGHWAMUN["lat"] + 0.00123457, GWANGHWAMUN["lon"] + 0.00198761
    world.client.post("/v1/auth/codes", json={"phone": number})
    keys = [new_key() for _ in range(1000)]
    for voter, key in zip(world.citizens(1000), keys, strict=True):
        here = position(lat, lon, accuracy_m=13.5792468)  # longer than an instant's seconds
        answer = world.cast(poll, voter, [options[2]["key"]], key=key, position=here)
        assert answer.status_code == 201
    vector = bytes.fromhex("0101000300000000") + b"\x00\x01"
    needles = [("key K", key.encode()) for key in keys[::50]]
    needles += [("key K", bytes.fromhex(key)) for key in keys[::50]]
    needles += [("vector", vector), ("vector", vector.hex().encode())]
    needles += [("latitude", repr(lat)[:9].encode()), ("longitude", repr(lon)[:10].encode())]
    needles += [("accuracy", b"13.5792468"), ("number", number.encode()), ("number", b"5551-2345")]
    needles += [("number", number[3:].encode())]
    return needles


def _dump(world: World) -> bytes:
    """The whole database as pg_dump writes it, values in hex included."""
    done = subprocess.run(
        [shutil.which("pg_dump") or "pg_dump", world.admin_url], capture_output=True, check=True
    )
    return done.stdout


def _wal(cluster: TestCluster) -> bytes:
    """Every WAL segment written lately, as it lies on disk."""
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        segments = connection.execute(
            "SELECT pg_read_binary_file('pg_wal/' || name, 0, size, true) FROM pg_ls_waldir()"
            " WHERE modification > now() - interval '3 minutes' AND name ~ '^[0-9A-F]{24}$'"
        ).fetchall()
    return b"".join(content for (content,) in segments if content)  # one may be gone by now


def _server_log() -> bytes:
    """What PostgreSQL itself wrote down."""
    with psycopg.connect(ensure_cluster("pg-test"), autocommit=True) as connection:
        path = f"{find('pg-test').log}"
        row = connection.execute("SELECT pg_read_binary_file(%s)", [path]).fetchone()
    assert row is not None
    return bytes(row[0])
