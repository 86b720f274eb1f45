"""Tallying: totals, records and the statement, all from how often each vector came."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

from mvote.ballotbox.unsealing import Count
from mvote.ballotbox.vectors import marks_in
from mvote.polls.definition import SMALLEST_FULL_RECORDS, FrozenPoll, Question

Recount = Callable[[dict[str, Any], Iterable[bytes]], Mapping[str, Any]]
"""A second count by other code: definition, records in order → totals, blank, records_hash."""

PROGRAM = (
    "counting.py", "helping.py", "merkle.py", "notation.py", "sealing.py", "tallying.py",
    "unsealing.py", "vectors.py",
)  # fmt: skip


@dataclass(frozen=True)
class Tally:
    """Totals in the order of the options, and how many ballots mark none."""

    totals: tuple[int, ...]
    blank: int


def count_marks(question: Question, vectors: Iterable[bytes]) -> Tally:
    """Add up the marks of *vectors* (a Counter of them, or each); equal ones together."""
    totals = [0] * len(question.options)
    blank = 0
    for vector, ballots in Counter(vectors).items():
        marks = marks_in(question, vector)
        blank += ballots * (not any(marks))
        for place, mark in enumerate(marks):
            totals[place] += ballots * mark
    return Tally(tuple(totals), blank)


def in_order(vectors: Mapping[bytes, int]) -> Iterator[bytes]:
    """Every record, sorted, so that its place says nothing."""
    for vector in sorted(vectors):
        yield from repeat(vector, vectors[vector])


def records_hash(vectors: Iterable[bytes]) -> str:
    """SHA-256 over the sorted records, each with its length before it."""
    digest = hashlib.sha256(b"mvote/records/1\x00")
    for vector in vectors:
        digest.update(len(vector).to_bytes(2, "big") + vector)
    return digest.hexdigest()


def program_hash() -> str:
    """SHA-256 over the source of the counting program, file by file."""
    digest = hashlib.sha256()
    for name in PROGRAM:
        digest.update(name.encode() + b"\x00" + (Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()


def records_public(poll: FrozenPoll, ballots: int) -> bool:
    """Vectors are shown if frozen so, if enough came, and never few unusual ones."""
    several_marks = poll.question.max_selections > 1
    least = SMALLEST_FULL_RECORDS if several_marks else 0
    return poll.records == "full" and ballots >= max(poll.publish_from, least)


def agrees(poll: FrozenPoll, count: Count, recount: Recount) -> bool:
    """Whether other code, which is given nothing but the records, finds the same."""
    counted = count_marks(poll.question, count.vectors)
    try:
        found = recount(poll.document, in_order(count.vectors))
    except ValueError:
        return False  # it does not even take them for ballots
    return (found["totals"], found["blank"], found["records"], found["records_hash"]) == (
        dict(zip(poll.question.options, counted.totals, strict=True)),
        counted.blank,
        count.ballots,
        records_hash(in_order(count.vectors)),
    )


def statement_of(
    poll: FrozenPoll, count: Count, figures: Mapping[str, Any], *, is_public: bool
) -> dict[str, Any]:
    """What the counter attests. Totals only if enough ballots came to hide each voter in.

    The records' hash stands beside public records only: of few ballots with few options all
    possible lists could be tried until one gives the hash.
    """
    counted = count_marks(poll.question, count.vectors)
    statement: dict[str, Any] = {
        "format": "mvote-statement/1",
        "poll_id": str(poll.poll_id),
        "definition_hash": poll.hash.hex(),
        **figures,
        "spoilt": 0,
        "program_hash": program_hash(),
        "too_few": count.ballots < poll.publish_from,
    }
    if not statement["too_few"]:
        statement["valid"] = count.ballots - counted.blank
        statement["blank"] = counted.blank
        statement["totals"] = dict(zip(poll.question.options, counted.totals, strict=True))
    if is_public:
        statement["records_hash"] = records_hash(in_order(count.vectors))
    return statement
