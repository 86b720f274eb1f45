"""Tallying: totals and records, all from how often each vector came."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from mvote.ballotbox.unsealing import Count
from mvote.ballotbox.vectors import is_spoilt, marks_in
from mvote.polls.definition import FrozenPoll, Question

Recount = Callable[[dict[str, Any], Iterable[bytes]], Mapping[str, Any]]
"""A second count by other code: definition, records in order → totals, blank, spoilt, and more."""


@dataclass(frozen=True)
class Tally:
    """Totals in the order of the options; how many ballots mark none, and how many are spoilt."""

    totals: tuple[int, ...]
    blank: int
    spoilt: int = 0


def count_marks(question: Question, vectors: Iterable[bytes]) -> Tally:
    """Add up the marks of *vectors* (a Counter of them, or each); equal ones together.

    Of a spoilt ballot no mark counts, and it is not blank.
    """
    totals = [0] * len(question.options)
    blank = spoilt = 0
    for vector, ballots in Counter(vectors).items():
        marks = marks_in(question, vector)
        if is_spoilt(question, marks):
            spoilt += ballots
            continue
        blank += ballots * (not any(marks))
        for place, mark in enumerate(marks):
            totals[place] += ballots * mark
    return Tally(tuple(totals), blank, spoilt)


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
    names = ("totals", "blank", "spoilt", "records", "records_hash")
    return tuple(found[name] for name in names) == (
        dict(zip(poll.question.options, counted.totals, strict=True)),
        counted.blank,
        counted.spoilt,
        count.ballots,
        records_hash(in_order(count.vectors)),
    )
