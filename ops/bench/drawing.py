"""Drawing 120 members and 60 reserves of 826 applicants, as Seoul did in 2023."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mvote.budget.drawing.lots import commitment_to
from mvote.budget.drawing.published import Draw, hold_and_publish
from ops.machine import ROOT
from tests.support.applicants import applicants, rule_of_2023

DRAWS = 5
SCRIPT = ROOT / "docs" / "examples" / "repeat_draw.py"


def measure_drawing() -> dict[str, float]:
    """The slowest of some draws, each of another pool with another seed; and a stranger's."""
    held = [_hold(number) for number in range(DRAWS)]
    return {
        "draw_s": max(seconds for seconds, _ in held),
        "draw_repeated_s": _repeat(held[0][1]),
    }


def _hold(number: int) -> tuple[float, dict[str, bytes]]:
    secret = hashlib.sha256(b"%d" % number).digest()
    given = Draw(
        rule=rule_of_2023(),
        pool=applicants(seed=number),
        secret=secret,
        commitment=commitment_to(secret),
        public_source="made up",
        public_value=str(number),
    )
    began = time.perf_counter()
    _, files = hold_and_publish(given)
    return time.perf_counter() - began, files


def _repeat(files: dict[str, bytes]) -> float:
    """How long the stranger's script takes, with its start."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        began = time.perf_counter()
        words = [sys.executable, str(SCRIPT), folder]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began
