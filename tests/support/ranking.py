"""Ranked ballots made up for tests of methods."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from mvote.ballotbox.methods.pairwise import Marks
from mvote.polls.definition import Question
from verifier.mvote_verify import recount


def asked(method: str, keys: Iterable[str]) -> Question:
    """A question that takes any ranking, a blank one too."""
    options = tuple(keys)
    return Question(
        kind="ranking",
        options=options,
        min_selections=0,
        max_selections=len(options),
        method=method,
    )


def document_of(question: Question) -> dict[str, Any]:
    """The question as a definition holds it."""
    return {
        "kind": question.kind,
        "method": question.method,
        "min_selections": question.min_selections,
        "max_selections": question.max_selections,
        "options": [{"key": key} for key in question.options],
    }


def marks_of(order: Sequence[str], options: Sequence[str]) -> Marks:
    """The marks of a ballot that ranks these options in this order."""
    return tuple(order.index(key) + 1 if key in order else 0 for key in options)


@st.composite
def profiles(draw: st.DrawFn, most: int = 6) -> Counter[Marks]:
    """Valid ballots, none blank, of 2 to *most* options; few of them, so that ties are common."""
    n = draw(st.integers(2, most))
    orders = st.permutations(range(n)).flatmap(
        lambda order: st.integers(1, n).map(lambda length: order[:length])
    )
    ballots = draw(st.lists(st.tuples(orders, st.integers(1, 3)), min_size=1, max_size=12))
    profile: Counter[Marks] = Counter()
    for order, times in ballots:
        profile[tuple(order.index(x) + 1 if x in order else 0 for x in range(n))] += times
    return profile


def outcome_by_verifier(
    question: Question, profile: Mapping[Marks, int], seed: bytes
) -> dict[str, Any]:
    """What the verifier counts from the vectors of these ballots."""
    vectors = [
        struct.pack(f">BBH{len(marks)}H", 1, 3, len(marks), *marks)
        for marks, times in sorted(profile.items())
        for _ in range(times)
    ]
    return recount({"question": document_of(question)}, vectors, seed)
