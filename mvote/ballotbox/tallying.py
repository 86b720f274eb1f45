"""Tallying: totals, outcome and records, all from how often each vector came."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from mvote.ballotbox.methods.outcome import Outcome, outcome_of
from mvote.ballotbox.unsealing import Count
from mvote.ballotbox.vectors import is_spoilt, marks_in
from mvote.polls.definition import FrozenPoll, Question

Recount = Callable[[dict[str, Any], Iterable[bytes], bytes], Mapping[str, Any]]
"""A second count by other code: definition, records in order, root of the log → totals, blank,
spoilt, winners, workings, and more."""


@dataclass(frozen=True)
class Tally:
    """Totals in the order of the options; how many ballots mark none, and how many are spoilt.

    A total is of votes; of points; of ranked ballots by Borda the points of their ranks, else how
    many rank the option first.
    """

    totals: tuple[int, ...]
    blank: int
    spoilt: int = 0


def count_marks(question: Question, vectors: Iterable[bytes]) -> Tally:
    """Add up the marks of *vectors* (a Counter of them, or each); equal ones together.

    Of a spoilt ballot no mark counts, and it is not blank.
    """
    totals = [0] * len(question.options)
    blank = spoilt = 0
    worths = worths_of(question)
    for vector, ballots in Counter(vectors).items():
        marks = marks_in(question, vector)
        if is_spoilt(question, marks):
            spoilt += ballots
            continue
        blank += ballots * (not any(marks))
        for place, mark in enumerate(marks):
            totals[place] += ballots * (mark if worths is None else worths[mark])
    return Tally(tuple(totals), blank, spoilt)


def worths_of(question: Question) -> list[int] | None:
    """What each rank adds to a total, from 0 (not ranked) on; None where the mark itself does.

    By Borda a point for every option behind. On a ballot of projects the first of m places that
    there are gets m points, the last one: what `.pb` files of ordinal votes mean.
    """
    n = len(question.options)
    if question.kind != "ranking":
        return None
    if question.method == "borda":
        return [0, *range(n - 1, -1, -1)]
    if question.rules is not None:
        most = question.max_selections
        return [0, *(max(most - place, 0) for place in range(n))]
    return [0, 1, *[0] * (n - 1)]


def outcome_by(question: Question, count: Count, totals: Sequence[int], seed: bytes) -> Outcome:
    """Who won by the question's method, and how; of a ballot of projects nobody wins yet."""
    if question.rules is not None:
        return Outcome(())
    marked = ((marks_in(question, vector), ballots) for vector, ballots in count.vectors.items())
    valid = {marks: ballots for marks, ballots in marked if any(marks)}
    return outcome_of(question, valid, totals, seed)


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
    question, root = poll.question, count.root()
    counted = count_marks(question, count.vectors)
    outcome = outcome_by(question, count, counted.totals, root)
    try:
        found = recount(poll.document, in_order(count.vectors), root)
    except ValueError:
        return False  # it does not even take them for ballots
    names = ("totals", "blank", "spoilt", "winners", "workings", "records", "records_hash")
    return tuple(found[name] for name in names) == (
        dict(zip(question.options, counted.totals, strict=True)),
        counted.blank,
        counted.spoilt,
        [*outcome.winners],
        outcome.workings,
        count.ballots,
        records_hash(in_order(count.vectors)),
    )
