"""What many threads ask at the same moment is asked of the database once.

There is no thread of its own for that: whoever finds nobody at it asks for all who wait by then.
A lone question goes straight through; under load one statement serves dozens.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

Question = TypeVar("Question")
Answer = TypeVar("Answer")
MOST = 64
log = logging.getLogger("mvote.gathering")


@dataclass(eq=False, slots=True)
class _Asked(Generic[Question, Answer]):
    question: Question
    #: one answer; none, if those who asked together got none and each must ask alone
    answers: Sequence[Answer] | None = None
    is_settled: bool = False


class Gathered(Generic[Question, Answer]):
    """Answers questions together: *answer_all* gets up to *most* and answers in their order.

    If the database fails it, each of them is asked alone, so that one question harms no other.
    Whoever asks must hold nothing that *answer_all* needs, such as a connection of the same pool.
    """

    def __init__(
        self, answer_all: Callable[[Sequence[Question]], Sequence[Answer]], *, most: int = MOST
    ) -> None:
        self._answer_all = answer_all
        self._most = most
        self._waiting: deque[_Asked[Question, Answer]] = deque()
        self._turn = threading.Lock()

    def ask(self, question: Question) -> Answer:
        """The answer to *question*; raises what *answer_all* raises."""
        mine: _Asked[Question, Answer] = _Asked(question)
        self._waiting.append(mine)
        with self._turn:
            while not mine.is_settled:
                self._settle_those_who_wait()
        [answer] = mine.answers or self._answer_all([question])
        return answer

    def _settle_those_who_wait(self) -> None:
        time.sleep(0)  # whoever is just about to ask may do so first
        together = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
        try:
            answers = self._answer_all([each.question for each in together])
            for each, answer in zip(together, answers, strict=True):
                each.answers = [answer]
        except SQLAlchemyError as error:
            log.warning("gathered in vain", extra={"error": type(error).__name__})
        finally:
            for each in together:
                each.is_settled = True
