"""How long rankings take to be counted, with votelib's time beside ours; needs no database."""

from __future__ import annotations

import random
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from mvote.ballotbox.methods.outcome import Outcome, outcome_of
from mvote.ballotbox.methods.pairwise import Marks
from mvote.polls.definition import Question
from verifier.mvote_verify import recount

BALLOTS, OPTIONS, SEED = 50_000, 20, 2026
KEYS = tuple(f"o{number:02}" for number in range(OPTIONS))
T = TypeVar("T")


def made_up_ballots() -> Counter[Marks]:
    """Each voter ranks from one to all options, some of which are more popular than others."""
    chance = random.Random(SEED)  # noqa: S311
    popular = [chance.paretovariate(1.5) for _ in KEYS]
    profile: Counter[Marks] = Counter()
    for _ in range(BALLOTS):
        drawn = sorted(range(OPTIONS), key=lambda x: chance.random() ** (1 / popular[x]))
        ranked = drawn[: chance.randint(1, OPTIONS)]
        ranks = {option: rank for rank, option in enumerate(ranked, 1)}
        profile[tuple(ranks.get(option, 0) for option in range(OPTIONS))] += 1
    return profile


def measure_ranking() -> dict[str, float]:
    """Seconds for a whole count of the marks, matrix and paths or rounds included."""
    profile = made_up_ballots()
    schulze, found = _timed(lambda: _counted("schulze", profile))
    runoff, _ = _timed(lambda: _counted("instant_runoff", profile))
    again, by_verifier = _timed(lambda: _by_verifier(profile))
    votelib, theirs = _timed(lambda: _by_votelib(profile))
    assert [*found.winners] == by_verifier == theirs  # noqa: S101
    return {
        "schulze_s": schulze,
        "schulze_votelib_s": votelib,
        "schulze_verifier_s": again,
        "runoff_s": runoff,
    }


def _counted(method: str, profile: Counter[Marks]) -> Outcome:
    question = Question(
        kind="ranking", options=KEYS, min_selections=0, max_selections=OPTIONS, method=method
    )
    return outcome_of(question, profile, [], b"bench")


def _by_verifier(profile: Counter[Marks]) -> list[str]:
    """The verifier's count, from the vectors on."""
    options = [{"key": key} for key in KEYS]
    question = {"kind": "ranking", "options": options, "min_selections": 0,
                "max_selections": OPTIONS, "method": "schulze"}  # fmt: skip
    vectors = sorted(
        struct.pack(f">BBH{OPTIONS}H", 1, 3, OPTIONS, *marks) for marks in profile.elements()
    )
    winners: list[str] = recount({"question": question}, vectors)["winners"]
    return winners


def _by_votelib(profile: Counter[Marks]) -> list[str]:
    from votelib.convert import RankedToCondorcetVotes
    from votelib.evaluate.condorcet import Schulze

    ranked = Counter[tuple[str, ...]]()
    for marks, ballots in profile.items():
        order = sorted((rank, key) for rank, key in zip(marks, KEYS, strict=True) if rank)
        ranked[tuple(key for _, key in order)] += ballots
    return [str(key) for key in Schulze().evaluate(RankedToCondorcetVotes().convert(ranked))]


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    done = act()
    return time.perf_counter() - began, done
