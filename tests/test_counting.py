"""Counting: the same whoever helps, whole or not at all, counted twice, and seen while it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy.orm import Session

from api.db import transaction
from api.holders import open_keystore
from mvote.ballotbox import helping
from mvote.ballotbox.counting import Manner, count_poll
from mvote.ballotbox.helping import HelperLost
from mvote.ballotbox.keystore import DirectoryKeystore
from mvote.ballotbox.progress import note_progress
from mvote.ballotbox.unsealing import Chunk, Count, Opener
from mvote.ballotbox.vectors import PACK
from mvote.polls.definition import canonical
from mvote.polls.results import published_records
from tests.support.ballots import ballot as paper_of
from tests.support.ballots import frozen, rows_for
from tests.support.database import ROOT
from tests.support.waiting import wait_until
from tests.support.world import World
from verifier.mvote_verify import recount

HELPED = Manner(recount=recount, processes=2, helped_from=0)


def _count(world: World, poll: dict[str, Any], manner: Manner) -> bool:
    keystore = open_keystore(world.settings, "counter")
    with Session(world.engines["counter"]) as session, transaction(session):
        return count_poll(session, keystore, uuid.UUID(poll["id"]), manner)


def _closed(world: World, choices: Iterable[str], **content: Any) -> dict[str, Any]:
    """A closed poll with these ballots."""
    poll = world.open_poll(**({"publish_from": 2} | content))
    for choice in choices:
        assert world.cast(poll, world.citizen(), [choice]).status_code == 201
    world.close(poll)
    return poll


def _nothing_is_written(world: World) -> bool:
    return world.count("record") == world.count("result") == 0


def test_helpers_count_what_one_process_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mvote.ballotbox.unsealing.CHUNK", 4)  # many small chunks
    monkeypatch.setattr("mvote.ballotbox.counting.CHUNK", 4)
    results = []
    for manner in (HELPED, Manner(recount=recount)):
        poll = _closed(world, ["yes", "no", "no"] * 4 + ["yes"])
        assert _count(world, poll, manner)
        shown = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
        assert shown["statement"]["recounted"] is True
        results.append([option["votes"] for option in shown["options"]])
    assert results == [[5, 8], [5, 8]]


def test_a_poll_without_a_ballot_is_counted_too(world: World) -> None:
    poll = _closed(world, [])
    assert _count(world, poll, HELPED)


def test_a_helper_that_is_killed_stops_the_count_and_nothing_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = _closed(world, ["yes"] * 3)
    opened_by = helping.opened_by

    def killing(pipes: list[Connection], chunks: Iterable[Chunk]) -> Iterable[Count]:
        os.kill(_helpers_of(os.getpid())[0], signal.SIGKILL)
        return opened_by(pipes[-1:] + pipes[:-1], [*chunks] * 4)

    with monkeypatch.context() as patch:
        patch.setattr("mvote.ballotbox.counting.opened_by", killing)
        with pytest.raises(HelperLost):
            _count(world, poll, HELPED)
    assert _nothing_is_written(world)
    assert _helpers_of(os.getpid()) == []
    assert _count(world, poll, HELPED)  # counted anew, as if nothing had been


def _helpers_of(parent: int) -> list[int]:
    """Processes that *parent* has started to unseal."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, owner = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            started_so = "spawn_main" in (folder / "cmdline").read_text()
            if int(owner) == parent and state != "Z" and started_so:
                found.append(int(folder.name))
    return found


def test_a_count_that_is_interrupted_leaves_nothing_and_is_done_again(world: World) -> None:
    poll = _closed(world, ["yes", "no", "no"])
    keystore = open_keystore(world.settings, "counter")
    with Session(world.engines["counter"]) as session:
        count_poll(session, keystore, uuid.UUID(poll["id"]), HELPED)
        session.rollback()  # what a killed process's connection comes to
    assert _nothing_is_written(world)
    assert world.rows("SELECT state FROM poll") == [("closed",)]
    assert _count(world, poll, HELPED)


@pytest.mark.parametrize("wrong", ["totals", "blank", "winners", "records", "records_hash"])
def test_a_second_count_that_disagrees_blocks_publication(world: World, wrong: str) -> None:
    def disagree(
        definition: dict[str, Any], vectors: Iterable[bytes], log_root: bytes
    ) -> dict[str, Any]:
        return recount(definition, vectors, log_root) | {wrong: None}

    poll = _closed(world, ["yes"] * 3)
    assert not _count(world, poll, Manner(recount=disagree))
    answer = world.client.get(f"/v1/polls/{poll['id']}/results")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "results-not-available")
    accounting = answer.get_json()["accounting"]
    assert (accounting["recounted"], accounting["accounting_holds"]) == (False, False)


def test_a_second_count_that_refuses_a_record_blocks_publication(world: World) -> None:
    def refuse(
        definition: dict[str, Any], vectors: Iterable[bytes], log_root: bytes
    ) -> dict[str, Any]:
        return recount(definition, [*vectors, b"no ballot"], log_root)

    poll = _closed(world, ["yes"] * 3)
    assert not _count(world, poll, Manner(recount=refuse))
    assert world.rows("SELECT state FROM poll") == [("counted",)]


@pytest.mark.parametrize(
    "tampering", ["UPDATE checkpoint SET root = sha256('another')", "DELETE FROM checkpoint"]
)
def test_a_count_over_another_log_than_the_checkpoints_blocks_publication(
    world: World, tampering: str
) -> None:
    poll = _closed(world, ["yes"] * 3)
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(tampering.encode())
    assert not _count(world, poll, HELPED)
    answer = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    assert answer["accounting"]["log_agrees"] is False


def test_whoever_waits_sees_how_far_the_count_is(world: World) -> None:
    poll = _closed(world, ["yes"] * 3)
    told: list[tuple[int, int]] = []

    def tell(poll_id: uuid.UUID, done: int, size: int) -> None:
        told.append((done, size))
        with Session(world.engines["counter"]) as session, transaction(session):
            note_progress(session, poll_id, done, size)
        shown = world.app.test_cli_runner().invoke(args=["polls", "progress"])
        assert shown.stdout.startswith(f"{poll['id']}  closed  {done} of {size} entries")

    _count(world, poll, Manner(tell=tell))
    assert told == [(0, 4), (4, 4)]
    said = world.app.test_cli_runner().invoke(args=["polls", "progress"])
    assert said.stdout == "Nothing is being counted.\n"


def test_records_are_packed_and_read_page_by_page_as_if_they_were_not(world: World) -> None:
    """More records than fit into two rows, written as the counter writes them."""
    poll = world.open_poll(publish_from=2)
    known = frozen(world, poll)
    number = 2 * PACK + 3
    voters = world.citizens(number)
    choices = ["yes", "no", "no"]
    papers = [
        paper_of(world, known, voter, (choices[place % 3],)) for place, voter in enumerate(voters)
    ]
    _put_into_the_box(world, known.poll_id, rows_for(world, known, papers))
    world.finish(poll)
    assert world.rows("SELECT j, length(vectors) / 8 FROM record ORDER BY j") == [
        (0, PACK), (PACK, PACK), (2 * PACK, 3),
    ]  # fmt: skip
    found: list[list[str]] = []
    places: list[int] = []
    with Session(world.engines["api"]) as session:
        while page := [*published_records(session, known, after=len(places) - 1, limit=100)]:
            places += [place for place, _ in page]
            found += [selections for _, selections in page]
    assert places == list(range(number))
    assert found == sorted(found) or found == sorted(found, reverse=True)
    assert found.count(["yes"]) == -(-number // 3)


def _put_into_the_box(world: World, poll_id: uuid.UUID, rows: list[Any]) -> None:
    with psycopg.connect(world.admin_url) as connection, connection.cursor() as cursor:
        for row in rows:
            tags = row.tags
            cursor.execute(
                "INSERT INTO participation VALUES (%s, %s, %s, %s)",
                (poll_id, tags.voter_tag, tags.key_tag, tags.ballot_tag),
            )
            cursor.execute(
                "INSERT INTO envelope VALUES (%s, %s, %s)", (poll_id, row.envelope_id, row.outer)
            )


@pytest.mark.parametrize(
    "vectors", ["\\x", "\\x0101", "\\x01010002000100", "\\x0101000000" + "00" * 1040]
)
def test_a_row_of_records_holds_whole_vectors_and_256_of_them_at_most(
    world: World, vectors: str
) -> None:
    poll = _closed(world, ["yes"] * 3)
    with (
        psycopg.connect(world.admin_url) as connection,
        pytest.raises(psycopg.Error, match="whole"),
    ):
        connection.execute("INSERT INTO record VALUES (%s, 0, %s)", [poll["id"], vectors])


def test_a_count_that_wrote_fewer_records_than_it_says_is_not_published(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = _closed(world, ["yes"] * 3)
    monkeypatch.setattr(
        "mvote.ballotbox.counting._packs",
        lambda records: filter(None, [b"".join([*records][:2])]),
    )
    assert not _count(world, poll, HELPED)
    assert world.rows("SELECT state, length(vectors) / 8 FROM poll, record") == [("counted", 2)]


def test_an_opener_checks_each_ballot_against_its_own_entry(world: World) -> None:
    poll = _closed(world, ["yes"] * 2)
    entries = world.rows(
        "SELECT kind, data, sealed FROM log_entry LEFT JOIN box USING (poll_id, idx) ORDER BY idx"
    )
    first, second = entries[1], entries[2]
    swapped = [entries[0], (1, first[1], second[2]), (1, second[1], first[2]), (1, first[1], None)]
    keystore = open_keystore(world.settings, "counter")
    known = frozen(world, poll)
    opener = Opener(known, _private(keystore, known.sealing_key))
    good = opener.open(Chunk(0, entries))
    bad = opener.open(Chunk(0, swapped))
    assert (good.ballots, good.unopenable, bad.ballots, bad.unopenable) == (2, 0, 0, 3)
    assert good.root() != bad.root()


def _private(keystore: DirectoryKeystore, public: bytes) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(keystore.get(f"sealing/{public.hex()}"))


LEFT_ALONE = """
import multiprocessing, sys, time
from mvote.ballotbox.helping import helpers
with helpers(2, sys.argv[1].encode(), bytes(32)):
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    time.sleep(60)
"""


def test_helpers_end_with_a_counter_that_is_killed(world: World) -> None:
    definition = frozen(world, world.open_poll()).document
    command = [sys.executable, "-c", LEFT_ALONE, canonical(definition).decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as counter:
        assert counter.stdout is not None
        pids = counter.stdout.readline().split()
        assert len(pids) == 2
        counter.kill()
    wait_until(lambda: not any(_is_alive(pid) for pid in pids))


def _is_alive(pid: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
