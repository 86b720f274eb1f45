"""The last shuffle of a great poll: how long it takes, and how much memory its worker needs."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
import uuid
from multiprocessing.connection import Connection

import psycopg
from flask import Flask

from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.sealing import wrap_outer
from mvote.ballotbox.shuffling import close_poll
from ops.bench.counting import shuffle_all
from ops.bench.polls import open_a_poll
from ops.bench.stage import Installation
from ops.machine import SetupError

SEALED_BYTES = 110  # HPKE's 48 around format, tracker, salt and a vector of five options


def measure_shuffling(here: Installation, app: Flask, envelopes: int) -> dict[str, float]:
    """Shuffle so many made-up envelopes of a poll that has ended, in a process of its own."""
    poll_id = open_a_poll(here, app)
    _fill(here, poll_id, envelopes)
    with here.acting_as("shuffler") as session:
        close_poll(session, poll_id)
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_work, args=[theirs, here, poll_id])
    process.start()
    shuffled, seconds, mib = ours.recv()
    process.join()
    if shuffled != envelopes:
        raise SetupError(f"{envelopes} envelopes, {shuffled} shuffled")
    return {f"shuffle_{envelopes}_s": seconds, "shuffler_mib": mib}


def _fill(here: Installation, poll_id: uuid.UUID, envelopes: int) -> None:
    link_key = here.keystore("shuffler").get(key_name(poll_id, "L"))
    with psycopg.connect(here.admin_url) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY envelope FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["uuid", "uuid", "bytea"])
            for _ in range(envelopes):
                envelope_id, content = uuid.uuid4(), os.urandom(48 + SEALED_BYTES)
                parts = content[:16], content[16:48], content[48:]
                outer = wrap_outer(link_key, poll_id.bytes, envelope_id, *parts)
                copy.write_row((poll_id, envelope_id, outer))
        cursor.execute("SET session_replication_role = replica")  # past the guard
        cursor.execute("UPDATE poll SET closes_at = clock_timestamp() WHERE id = %s", [poll_id])


def _work(answer: Connection, here: Installation, poll_id: uuid.UUID) -> None:
    began = time.perf_counter()
    shuffled = shuffle_all(here, poll_id)
    seconds = time.perf_counter() - began
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer.send((shuffled, seconds, mib))
