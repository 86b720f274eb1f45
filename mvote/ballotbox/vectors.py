"""A ballot as a vector of constant length: what is sealed, and what a cast vote record shows.

0x01 ‖ kind (1 byte) ‖ n (uint16) ‖ n × uint16, big-endian, in the order of the options: 0 or 1,
the rank from 1 on, or points.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from mvote.ballotbox.ballot_marks import keeps_its_kind, marks_given
from mvote.budget.balloting.rules import BallotRules
from mvote.languages import side_by_side
from mvote.polls.definition import Kind, Question
from mvote.polls.errors import InvalidSelection

FORMAT = 1
KINDS: dict[Kind, int] = {"single": 1, "multiple": 2, "ranking": 3, "points": 4}
HEAD = struct.Struct(">BBH")
PACK = 256
"""So many records stand in a row of the database."""


class NoVector(ValueError):
    """Bytes that are no ballot of this question."""


def vector_of(question: Question, selections: list[Any], *, accept_spoilt: bool = False) -> bytes:
    """The vector of *selections* (option keys; for points `{"key", "points"}`).

    With *accept_spoilt* it may break limits, where the question counts such a ballot as spoilt.
    Raises InvalidSelection with the broken limit.
    """
    given = marks_given(question, selections)
    if question.rules is not None:
        _check_limits(question.rules, given, accept_spoilt=accept_spoilt)
    else:
        _check_numbers(question, given)
    return _packed(question, [given.get(key, 0) for key in question.options])


def _check_numbers(question: Question, given: Mapping[str, int]) -> None:
    if len(given) < question.min_selections:
        raise InvalidSelection("min_selections", min_selections=question.min_selections)
    if len(given) > question.max_selections:
        raise InvalidSelection("max_selections", max_selections=question.max_selections)


def _check_limits(rules: BallotRules, given: Mapping[str, int], *, accept_spoilt: bool) -> None:
    broken = rules.broken_by(given)
    if broken and not (accept_spoilt and rules.may_spoil):
        facts: dict[str, Any] = {"may_spoil": True} if rules.may_spoil else {}
        listed = [each.shown() | {"text": side_by_side(each.text)} for each in broken]
        raise InvalidSelection(broken[0].over, broken[0].text, broken=listed, **facts)


def _packed(question: Question, marks: list[int]) -> bytes:
    head = HEAD.pack(FORMAT, KINDS[question.kind], len(marks))
    return head + struct.pack(f">{len(marks)}H", *marks)


def marks_in(question: Question, vector: bytes) -> tuple[int, ...]:
    """The marks of a *vector*, one for each option. Raises NoVector if it cannot be one."""
    n = len(question.options)
    if len(vector) != HEAD.size + 2 * n:
        raise NoVector("length")
    if HEAD.unpack_from(vector) != (FORMAT, KINDS[question.kind], n):
        raise NoVector("head")
    marks: tuple[int, ...] = struct.unpack_from(f">{n}H", vector, HEAD.size)
    if not keeps_its_kind(question, marks):
        raise NoVector("mark")
    if question.rules is None:
        if not question.min_selections <= n - marks.count(0) <= question.max_selections:
            raise NoVector("limit")
    elif not question.rules.may_spoil and _breaks(question, question.rules, marks):
        raise NoVector("limit")
    return marks


def is_spoilt(question: Question, marks: Sequence[int]) -> bool:
    """Whether a ballot with these *marks* breaks a limit that spoils it."""
    rules = question.rules
    return rules is not None and rules.may_spoil and _breaks(question, rules, marks)


def _breaks(question: Question, rules: BallotRules, marks: Sequence[int]) -> bool:
    return bool(rules.broken_by(_marked(question, marks)))


def _marked(question: Question, marks: Sequence[int]) -> dict[str, int]:
    return {key: mark for key, mark in zip(question.options, marks, strict=True) if mark}


def marked_in(question: Question, vector: bytes) -> dict[str, int]:
    """The marks in *vector* by option key, in the question's order. Raises NoVector."""
    return _marked(question, marks_in(question, vector))


def selections_in(question: Question, vector: bytes) -> list[Any]:
    """The selections that *vector* holds, as a ballot gives them. Raises NoVector."""
    marked = marked_in(question, vector)
    match question.kind:
        case "ranking":
            return sorted(marked, key=marked.__getitem__)
        case "points":
            return [{"key": key, "points": points} for key, points in marked.items()]
    return [*marked]
