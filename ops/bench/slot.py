"""The slot alone, by pgbench: one made-up ballot a call. What a cast can cost at the very least."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from ops.bench.stage import Installation
from ops.machine import SetupError
from ops.postgres import choose

OUTER_BYTES = 201  # what an envelope holds when the question has five options
CLIENTS, THREADS = 16, 2
RUNS, SECONDS = 3, 4
SCRIPT = """\
SELECT cast_ballots(:poll, ARRAY[uuid_send(gen_random_uuid())], ARRAY[uuid_send(gen_random_uuid())],
    ARRAY[uuid_send(gen_random_uuid())], ARRAY[true], ARRAY[gen_random_uuid()],
    ARRAY[decode(repeat('5a', {outer}), 'hex')], ARRAY[NULL::bytea]);
"""


def slot_calls_per_second(installation: Installation, poll_id: uuid.UUID) -> float:
    """Calls of the slot a second, each a transaction of its own: the median of some runs."""
    script = Path(installation.environ["VAR_DIR"]) / "slot.sql"
    text = SCRIPT.format(outer=OUTER_BYTES).replace(":poll", f"'{poll_id}'")
    script.write_text(" ".join(text.split("\n")))
    return statistics.median(_run(installation, script) for _ in range(RUNS))


def _run(installation: Installation, script: Path) -> float:
    address, password = _without_password(installation.environ["API_DATABASE_URL"])
    words = [str(choose("", script).bin / "pgbench"), "--no-vacuum", "-M", "prepared"]
    words += ["-c", str(CLIENTS), "-j", str(THREADS), "-T", str(SECONDS), "-f", str(script)]
    done = subprocess.run(
        [*words, address],
        env={**os.environ, "PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not found:
        raise SetupError(f"pgbench failed: {done.stderr.strip()}")
    return float(found[1])


def _without_password(url: str) -> tuple[str, str]:
    """The address as a command line may show it, and the password."""
    parts = urlsplit(url)
    place = f"{parts.username}@{parts.netloc.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=place)), unquote(parts.password or "")
