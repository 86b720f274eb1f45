"""The marks that selections give the options, by the kind of the question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mvote.budget.definition.ballots import MOST_POINTS
from mvote.polls.definition import Question
from mvote.polls.errors import InvalidSelection


def marks_given(question: Question, selections: list[Any]) -> dict[str, int]:
    """The mark of each selected option: 1, its rank, or its points.

    Raises InvalidSelection for what no limit is about: the form of the selections.
    """
    if question.kind == "points":
        return _points_given(question, selections)
    given = _each_once(question, selections)
    if question.kind == "ranking":
        return {key: rank for rank, key in enumerate(selections, 1)}
    return given


def _each_once(question: Question, keys: list[Any]) -> dict[str, int]:
    known = set(question.options)
    for key in keys:
        if not isinstance(key, str) or key not in known:
            raise InvalidSelection("unknown-option")
    given = dict.fromkeys(keys, 1)
    if len(given) != len(keys):
        raise InvalidSelection("repeated-option")
    return given


def _points_given(question: Question, selections: list[Any]) -> dict[str, int]:
    for each in selections:
        if not isinstance(each, dict) or each.keys() != {"key", "points"}:
            raise InvalidSelection("points-missing")
        points = each["points"]
        if type(points) is not int or not 1 <= points <= MOST_POINTS:
            raise InvalidSelection("points-not-whole", least=1, most=MOST_POINTS)
    _each_once(question, [each["key"] for each in selections])
    given: dict[str, int] = {each["key"]: each["points"] for each in selections}
    _check_points(question, given)
    return given


def _check_points(question: Question, given: dict[str, int]) -> None:
    if question.max_points is not None and max(given.values(), default=0) > question.max_points:
        raise InvalidSelection("max_points", max_points=question.max_points)
    if question.points is not None and sum(given.values()) > question.points:
        raise InvalidSelection("points", points=question.points, given=sum(given.values()))


def keeps_its_kind(question: Question, marks: Sequence[int]) -> bool:
    """Whether *marks* are such as the kind knows: 0 and 1, ranks without a gap, points to give."""
    match question.kind:
        case "ranking":
            ranks = sorted(mark for mark in marks if mark)
            return ranks == [*range(1, len(ranks) + 1)]
        case "points":
            try:
                _check_points(question, {str(place): mark for place, mark in enumerate(marks)})
            except InvalidSelection:
                return False
            return True
    return set(marks) <= {0, 1}
