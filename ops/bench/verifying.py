"""How long the verifier takes: `python -m ops.bench.verifying [BALLOTS [BATCHES]]`.

The bundle is made up for it: random trackers in sorted batches, records of one choice in three.
"""

import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ops.machine import ROOT
from tests.support.bundles import MadeUpPoll, written
from tests.support.by_hand import canonical, sha
from verifier.mvote_verify import Tree

MARKS = ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0))
PROGRAM = ROOT / "verifier" / "mvote_verify.py"


def main(ballots: int = 1_000_000, batches: int = 1_000) -> int:
    with tempfile.TemporaryDirectory() as folder:
        # in a process of its own: what it holds would count as the verifier's, too
        maker = get_context("spawn").Process(target=great_bundle, args=(folder, ballots, batches))
        maker.start()
        maker.join()
        began = time.perf_counter()
        verifier = subprocess.Popen([sys.executable, str(PROGRAM), str(Path(folder, "bundle.zip"))])
        _, status, used = os.wait4(verifier.pid, 0)
        seconds, memory = time.perf_counter() - began, used.ru_maxrss / 1024
    print(f"{ballots} ballots in {batches} batches: {seconds:.1f} s, {memory:.0f} MiB at most")
    return os.waitstatus_to_exitcode(status)


def great_bundle(folder: str, ballots: int, batches: int) -> None:
    """Write bundle.zip, of so many ballots, signed and consistent, into *folder*."""
    poll, tree, log, roots = MadeUpPoll(5, batches=1), Tree(), bytearray(), list[dict[str, Any]]()
    poll.notices.clear()
    batch_ends = {1 + ballots * number // batches for number in range(1, batches + 1)}
    for entry in _entries(poll, ballots, batches):
        tree.add(entry)
        log += entry
        if tree.size in batch_ends:
            roots.append({"size": tree.size, "root": tree.root().hex()})
    counts = [ballots // 4] * 3 + [ballots - ballots // 4 * 3]
    statement = _statement(poll, counts, tree)
    tree.add(b"\4" + sha(statement))
    roots.append({"size": tree.size, "root": tree.root().hex()})
    files = {
        "definition.json": poll.frozen,
        "log.bin": bytes(log) + b"\4" + sha(statement),
        "statement.json": statement,
        "records.bin": b"".join(_vector(*m) * n for m, n in zip(MARKS, counts, strict=True)),
        "keys.json": canonical(poll.keys()),
        "checkpoints.json": canonical(roots),
        **poll.checkpoints(tree.size, tree.root()),
    }
    written(Path(folder), poll.signed(files))


def _entries(poll: MadeUpPoll, ballots: int, batches: int) -> Iterator[bytes]:
    yield b"\0" + sha(poll.frozen)
    for number in range(batches):
        size = ballots * (number + 1) // batches - ballots * number // batches
        for tracker in sorted(os.urandom(16) for _ in range(size)):
            yield b"\1" + tracker + os.urandom(32)


def _vector(*marks: int) -> bytes:
    return struct.pack(">BBH3H", 1, 1, 3, *marks)


def _statement(poll: MadeUpPoll, counts: list[int], tree: Tree) -> bytes:
    digest, ballots = hashlib.sha256(b"mvote/records/1\0"), sum(counts)
    for marks, count in zip(MARKS, counts, strict=True):
        digest.update((b"\0\x0a" + _vector(*marks)) * count)
    blank, later, no, yes = counts
    figures = dict.fromkeys(("participations", "entries", "records"), ballots)
    counted = {"blank": blank, "valid": ballots - blank, "records_hash": digest.hexdigest()}
    totals = {"totals": {"yes": yes, "no": no, "later": later}}
    head = {"log_size": tree.size, "log_root": tree.root().hex()}
    return canonical({**json.loads(poll.statement), **figures, **counted, **totals, **head})


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
