"""Closing and counting a great poll, and what its ballots take up in the database afterwards."""

from __future__ import annotations

import os
import random
import secrets
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import psycopg
from flask import Flask

from api.wiring import wiring
from mvote.ballotbox.casting import Ballot, cast
from mvote.ballotbox.counting import count_poll
from mvote.ballotbox.shuffling import close_poll, shuffle
from mvote.ballotbox.slot import Outcome, SlotRow
from mvote.people.voters import Voter
from ops.bench.polls import OPTIONS, open_a_poll
from ops.bench.stage import Installation
from ops.machine import SetupError

AT_ONCE = 10_000
TABLES = (
    "participation", "envelope", "box", "log_entry", "tree_tile", "checkpoint", "record",
)  # fmt: skip


@dataclass(frozen=True)
class Counted:
    """How long it took, in seconds, and bytes a ballot, all tables and indexes."""

    shuffle_s: float
    count_s: float
    bytes_per_ballot: float


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
    began = time.perf_counter()
    with installation.acting_as("counter") as session:
        published = count_poll(session, installation.keystore("counter"), poll_id)
    count_s = time.perf_counter() - began
    if (shuffled, published) != (ballots, True):
        raise SetupError(f"{ballots} ballots, {shuffled} shuffled, published: {published}")
    return Counted(shuffle_s, count_s, _bytes_taken(installation) / ballots)


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


def _bytes_taken(installation: Installation) -> int:
    """All that the tables of ballots and their indexes take up, once swept."""
    with psycopg.connect(installation.admin_url, autocommit=True) as connection:
        connection.execute(f"VACUUM {', '.join(TABLES)}")
        sizes = connection.execute(
            "SELECT sum(pg_total_relation_size(t::regclass)) FROM unnest(%s::text[]) AS t",
            [list(TABLES)],
        ).fetchone()
    return int(sizes[0]) if sizes else 0
