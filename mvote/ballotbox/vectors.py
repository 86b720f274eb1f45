"""A ballot as a vector of constant length: what is sealed, and what a cast vote record shows.

0x01 ‖ kind (1 byte) ‖ n (uint16) ‖ n × uint16, big-endian, in the order of the options.
"""

from __future__ import annotations

import struct
from typing import Any

from mvote.polls.definition import Kind, Question
from mvote.polls.errors import InvalidSelection

FORMAT = 1
KINDS: dict[Kind, int] = {"single": 1, "multiple": 2, "ranking": 3, "points": 4}
HEAD = struct.Struct(">BBH")
PACK = 256
"""So many records stand in a row of the database."""


class NoVector(ValueError):
    """Bytes that are no ballot of this question."""


def vector_of(question: Question, selections: list[Any]) -> bytes:
    """The vector of *selections* (option keys). Raises InvalidSelection with the broken limit."""
    chosen = _checked(question, selections)
    marks = [int(key in chosen) for key in question.options]
    return _packed(question, marks)


def _checked(question: Question, selections: list[Any]) -> set[Any]:
    known = set(question.options)
    for key in selections:
        if not isinstance(key, str) or key not in known:
            raise InvalidSelection("unknown-option")
    chosen = set(selections)
    if len(chosen) != len(selections):
        raise InvalidSelection("repeated-option")
    if len(chosen) < question.min_selections:
        raise InvalidSelection("min_selections", min_selections=question.min_selections)
    if len(chosen) > question.max_selections:
        raise InvalidSelection("max_selections", max_selections=question.max_selections)
    return chosen


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
    if not set(marks) <= {0, 1}:
        raise NoVector("mark")
    if not question.min_selections <= sum(marks) <= question.max_selections:
        raise NoVector("limit")
    return marks


def selections_in(question: Question, vector: bytes) -> list[str]:
    """The option keys marked in *vector*. Raises NoVector."""
    marks = marks_in(question, vector)
    return [key for key, mark in zip(question.options, marks, strict=True) if mark]
