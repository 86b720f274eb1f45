"""Asked together, answered together: each gets their own answer, and bad luck is not shared."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import SQLAlchemyError

from mvote.gathering import Gathered
from tests.support.ballots import at_once
from tests.support.waiting import PATIENCE_SECONDS, wait_until

UNBEARABLE = 99


class NoAnswer(SQLAlchemyError):
    """What the database says to a question that it cannot bear."""


class Oracle:
    """Doubles numbers; cannot bear 99; remembers how many were asked at a time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def answer(self, numbers: Sequence[int]) -> list[int]:
        self.sizes.append(len(numbers))
        self.may_answer.wait(PATIENCE_SECONDS)
        if UNBEARABLE in numbers:
            raise NoAnswer
        return [2 * number for number in numbers]


def asked_while_busy(oracle: Oracle, numbers: Sequence[int], *, most: int = 64) -> list[object]:
    """What came of *numbers*, asked when somebody had just begun to ask about 0."""
    gathered = Gathered(oracle.answer, most=most)
    oracle.may_answer.clear()
    first = threading.Thread(target=gathered.ask, args=[0])
    first.start()
    wait_until(lambda: oracle.sizes == [1])
    waiting = gathered._waiting

    def release_when_all_wait() -> None:
        wait_until(lambda: len(waiting) == len(numbers))
        oracle.may_answer.set()

    release = threading.Thread(target=release_when_all_wait)
    release.start()

    def ask(number: int) -> object:
        try:
            return gathered.ask(number)
        except NoAnswer as error:
            return error

    answers = at_once(ask, numbers, threads=len(numbers))
    first.join(PATIENCE_SECONDS)
    release.join(PATIENCE_SECONDS)
    return answers


def test_a_lone_question_is_asked_alone_and_at_once() -> None:
    oracle = Oracle()
    assert Gathered(oracle.answer).ask(4) == 8
    assert oracle.sizes == [1]


def test_those_who_wait_are_asked_for_together_and_each_gets_their_own_answer() -> None:
    oracle = Oracle()
    assert asked_while_busy(oracle, range(1, 21)) == [2 * number for number in range(1, 21)]
    assert oracle.sizes == [1, 20]


def test_no_more_are_asked_for_together_than_may_be() -> None:
    oracle = Oracle()
    assert asked_while_busy(oracle, range(1, 21), most=8) == [2 * n for n in range(1, 21)]
    assert max(oracle.sizes) == 8


@pytest.mark.parametrize("place", [0, 7, 19])
def test_a_question_that_cannot_be_answered_harms_no_other(place: int) -> None:
    numbers = list(range(20, 40))
    numbers[place] = UNBEARABLE
    answers = asked_while_busy(Oracle(), numbers)
    assert isinstance(answers.pop(place), NoAnswer)
    numbers.pop(place)
    assert answers == [2 * number for number in numbers]


def test_after_a_failure_the_next_question_is_answered() -> None:
    gathered = Gathered(Oracle().answer)
    with pytest.raises(NoAnswer):
        gathered.ask(UNBEARABLE)
    assert gathered.ask(5) == 10


def test_a_pause_that_fails_stops_nobody_who_asks_afterwards() -> None:
    faults: list[Exception] = [MemoryError()]

    def pause() -> None:
        if faults:
            raise faults.pop()

    gathered = Gathered(Oracle().answer, pause=pause)
    with pytest.raises(MemoryError):
        gathered.ask(1)
    assert gathered.ask(5) == 10


def test_many_who_ask_at_once_are_all_answered_though_few_may_be_asked_for_together() -> None:
    gathered = Gathered(Oracle().answer, most=2)
    numbers = [number for number in range(200) if number != UNBEARABLE]
    assert at_once(gathered.ask, numbers, threads=24) == [2 * number for number in numbers]
    assert not gathered._waiting
    assert not gathered._is_asking
