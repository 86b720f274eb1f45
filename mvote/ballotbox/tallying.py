"""Tallying: totals and records, all from how often each vector came."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from mvote.ballotbox.unsealing import Count
from mvote.ballotbox.vectors import marks_in
from mvote.polls.definition import FrozenPoll, Question

Recount = Callable[[dict[str, Any], Iterable[bytes]], Mapping[str, Any]]
"""A second count by other code: definition, records in order → totals, blank, records_hash."""


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
