"""Closing and counting a great poll, and what its ballots take up in the database afterwards."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import secrets
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
from flask import Flask

from api.wiring import wiring
from mvote.ballotbox.casting import Ballot, cast
from mvote.ballotbox.counting import Manner, count_poll
from mvote.ballotbox.shuffling import close_poll, shuffle
from mvote.ballotbox.slot import Outcome, SlotRow
from mvote.people.voters import Voter
from ops.bench.polls import OPTIONS, open_a_poll
from ops.bench.stage import Installation
from ops.machine import SetupError, say
from verifier.mvote_verify import recount

AT_ONCE = 10_000
TABLES = (
    "participation", "envelope", "quarantined_envelope", "box", "log_entry", "tree_tile",
    "checkpoint", "record", "result",
)  # fmt: skip


@dataclass(frozen=True)
class Effort:
    """What a count took: seconds, and the greatest memory in MiB, with the greatest helper's
    (at least what the counter had when it started them)."""

    published: bool
    seconds: float
    #: seconds of processors, of all its processes; PostgreSQL's come beside
    cpu_s: float
    mib: float
    helper_mib: float


@dataclass(frozen=True)
class Counted:
    """What a great poll took: seconds to shuffle, the effort to count, and bytes."""

    shuffle_s: float
    count: Effort
    #: what the relations take up, heap, index and TOAST each by its name
    bytes_taken: dict[str, int]
    ballots: int

    @property
    def bytes_per_ballot(self) -> float:
        """All tables and indexes."""
        return sum(self.bytes_taken.values()) / self.ballots


@dataclass
class Tray:
    """A slot that only collects what would have gone into the box."""

    rows: list[SlotRow] = field(default_factory=list)

    def cast(self, poll_id: uuid.UUID, row: SlotRow) -> Outcome:
        """Keep *row*."""
        self.rows.append(row)
        return "recorded"


def count_a_great_poll(installation: Installation, app: Flask, ballots: int) -> Counted:
    """Fill a poll with so many ballots, each by a voter of its own; close it; count it."""
    poll_id = open_a_poll(installation, app)
    with app.app_context():
        for rows in sealed_rows(installation, poll_id, ballots):
            _put_into_the_box(installation, poll_id, rows)
    _end_voting(installation, poll_id)
    with installation.acting_as("shuffler") as session:
        close_poll(session, poll_id)
    began = time.perf_counter()
    shuffled = shuffle_all(installation, poll_id)
    shuffle_s = time.perf_counter() - began
    effort = _count_apart(installation, poll_id)
    if (shuffled, effort.published) != (ballots, True):
        raise SetupError(f"{ballots} ballots, {shuffled} shuffled, published: {effort.published}")
    return Counted(shuffle_s, effort, _bytes_taken(installation), ballots)


def _count_apart(installation: Installation, poll_id: uuid.UUID) -> Effort:
    """Count in a process of its own, whose memory is nobody else's."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_count, args=[theirs, installation, poll_id])
    process.start()
    theirs.close()
    try:
        effort: Effort = ours.recv()
    except EOFError:
        raise SetupError("counting ended early") from None
    finally:
        process.join()
    return effort


def _count(pipe: Connection, installation: Installation, poll_id: uuid.UUID) -> None:
    began = time.perf_counter()
    with installation.acting_as("counter") as session:
        keystore = installation.keystore("counter")
        published = count_poll(session, keystore, poll_id, Manner(recount=recount, tell=_tell))
    seconds = time.perf_counter() - began
    own, helpers = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    cpu_s = sum(each.ru_utime + each.ru_stime for each in (own, helpers))
    pipe.send(Effort(published, seconds, cpu_s, _peak_mib(), helpers.ru_maxrss / 1024))


def _peak_mib() -> float:
    """The peak of this program; `getrusage` would begin with that of whoever started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peak) / 1024


def _tell(_: uuid.UUID, done: int, size: int) -> None:
    say(f"   counted {done:,} of {size:,}")


def shuffle_all(installation: Installation, poll_id: uuid.UUID) -> int:
    """Shuffle a closing poll batch by batch, as the worker does; the number of ballots."""
    ballots, keystore = 0, installation.keystore("shuffler")
    while True:
        with installation.acting_as("shuffler") as session:
            batch = shuffle(session, keystore, poll_id)
        if batch is None:
            raise SetupError("somebody else is shuffling")
        ballots += batch.ballots
        if not batch.waiting:
            return ballots


def sealed_rows(
    installation: Installation, poll_id: uuid.UUID, ballots: int
) -> Iterator[Sequence[SlotRow]]:
    """Rows as casting hands them to the slot, some thousands at a time."""
    with installation.acting_as("api") as session:
        poll = wiring().polls.of(session, poll_id)
    for start in range(0, ballots, AT_ONCE):
        tray = Tray()
        box = replace(wiring().box, slot=tray)
        for _ in range(min(AT_ONCE, ballots - start)):
            cast(box, poll, _made_up_ballot(), reasons=[])
        yield tray.rows


def _made_up_ballot() -> Ballot:
    voter = Voter(uuid.uuid4(), os.urandom(32), {})
    choice = random.choice(OPTIONS)  # noqa: S311 - what is chosen is of no importance
    return Ballot(voter=voter, selections=[choice], key=secrets.token_urlsafe(24))


def _put_into_the_box(
    installation: Installation, poll_id: uuid.UUID, rows: Sequence[SlotRow]
) -> None:
    with psycopg.connect(installation.admin_url) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY participation FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["uuid", "bytea", "bytea", "bytea"])
            for row in rows:
                tags = row.tags
                copy.write_row((poll_id, tags.voter_tag, tags.key_tag, tags.ballot_tag))
        with cursor.copy("COPY envelope FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["uuid", "uuid", "bytea"])
            for row in rows:
                copy.write_row((poll_id, row.envelope_id, row.outer))


def _end_voting(installation: Installation, poll_id: uuid.UUID) -> None:
    with psycopg.connect(installation.admin_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE participation, envelope")
        connection.execute("SET session_replication_role = replica")  # past the guard
        connection.execute("UPDATE poll SET closes_at = clock_timestamp() WHERE id = %s", [poll_id])


def _bytes_taken(installation: Installation) -> dict[str, int]:
    """What the tables of ballots take up, once swept, each with its indexes apart."""
    with psycopg.connect(installation.admin_url, autocommit=True) as connection:
        connection.execute(f"VACUUM {', '.join(TABLES)}")
        sizes = connection.execute(
            "SELECT t, pg_table_size(t::regclass), pg_indexes_size(t::regclass)"
            " FROM unnest(%s::text[]) AS t",
            [list(TABLES)],
        ).fetchall()
    tables = {name: table for name, table, _ in sizes}
    return tables | {f"{name}, index": index for name, _, index in sizes}


def table_of_bytes(counted: Counted) -> str:
    """What each relation takes up a ballot, the greatest first, as Markdown."""
    lines = ["| relation | bytes a ballot |", "|---|---:|"]
    by_size = sorted(counted.bytes_taken.items(), key=lambda item: -item[1])
    lines += [f"| {name} | {size / counted.ballots:.1f} |" for name, size in by_size]
    return "\n".join([*lines, f"| together | {counted.bytes_per_ballot:.1f} |"])
