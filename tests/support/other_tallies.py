"""`pref_voting` as a program of its own: its solver and SciPy's cannot be loaded into one process.

Run as a program it answers each profile, a line of JSON, with a line: Schulze's winners, and all
whom an instant run-off could have.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Self

from mvote.ballotbox.methods.pairwise import Marks

ROOT = Path(__file__).resolve().parents[2]


class OtherProgram:
    """Asks it, as long as it runs."""

    def __enter__(self) -> Self:
        words = [sys.executable, "-m", "tests.support.other_tallies"]
        self._process = subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def winners(self, profile: Counter[Marks]) -> tuple[list[int], list[int]]:
        """Schulze's, and those of a run-off, by the places of the options."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: PT018
        self._process.stdin.write(json.dumps([[*profile], [*profile.values()]]) + "\n")
        self._process.stdin.flush()
        schulze, runoff = json.loads(self._process.stdout.readline())
        return schulze, runoff


def _answer(marks: list[list[int]], times: list[int]) -> list[Any]:
    from pref_voting import iterative_methods, margin_based_methods, profiles_with_ties

    ranks = [{x: rank for x, rank in enumerate(each) if rank} for each in marks]
    profile = profiles_with_ties.ProfileWithTies(
        ranks, rcounts=times, candidates=[*range(len(marks[0]))]
    )
    profile.use_extended_strict_preference()
    schulze = margin_based_methods.beat_path(profile, strength_function=profile.support)
    runoff = iterative_methods.instant_runoff_put(profile)
    return [[int(x) for x in schulze], [int(x) for x in runoff]]


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(*json.loads(line))) + "\n")
        sys.stdout.flush()
