"""What many threads ask at the same moment is asked of the database once.

There is no thread of its own for that: whoever finds nobody at it asks for all who wait by then,
and hands the task on to one of those who came meanwhile. A lone question goes straight through;
under load one statement serves dozens.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

Question = TypeVar("Question")
Answer = TypeVar("Answer")
MOST = 64
Pause = Callable[[], None]
"""Lets those in who are about to come, so that they are served together; short, and bounded."""
log = logging.getLogger("mvote.gathering")


def let_others_run() -> None:
    """The pause of threads: whichever is ready may go first."""
    time.sleep(0)


class _Asked(Generic[Question, Answer]):
    """A question, and whoever waits for its answer, woken by the release of a lock."""

    __slots__ = ("answers", "is_settled", "question", "woken")

    def __init__(self, question: Question) -> None:
        self.question = question
        #: one answer; none, if those who asked together got none and each must ask alone
        self.answers: Sequence[Answer] | None = None
        #: false when woken only to ask for those who wait
        self.is_settled = False
        self.woken = threading.Lock()
        self.woken.acquire()


class Gathered(Generic[Question, Answer]):
    """Answers questions together: *answer_all* gets up to *most* and answers in their order.

    If the database fails it, each of them is asked alone, so that one question harms no other.
    Whoever asks must hold nothing that *answer_all* needs, such as a connection of the same pool.
    """

    def __init__(
        self,
        answer_all: Callable[[Sequence[Question]], Sequence[Answer]],
        *,
        most: int = MOST,
        pause: Pause = let_others_run,
    ) -> None:
        self._answer_all = answer_all
        self._most = most
        self._pause = pause
        self._waiting: deque[_Asked[Question, Answer]] = deque()
        self._is_asking = False
        self._turn = threading.Lock()

    def ask(self, question: Question) -> Answer:
        """The answer to *question*; raises what *answer_all* raises."""
        mine: _Asked[Question, Answer] = _Asked(question)
        with self._turn:
            self._waiting.append(mine)
            is_first, self._is_asking = not self._is_asking, True
        if not is_first:
            mine.woken.acquire()
        while not mine.is_settled:
            self._settle_those_who_wait()
            mine.woken.acquire()  # settled by now, or else by whoever the task was handed on to
        if mine.answers is None:
            return self._answer_all([question])[0]
        return mine.answers[0]

    def _settle_those_who_wait(self) -> None:
        try:
            self._pause()
        finally:  # whatever became of the pause, others count on this one to ask
            self._settle(self._next_together())

    def _next_together(self) -> list[_Asked[Question, Answer]]:
        with self._turn:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]

    def _settle(self, together: Sequence[_Asked[Question, Answer]]) -> None:
        try:
            answers = self._answer_all([each.question for each in together])
            for each, answer in zip(together, answers, strict=True):
                each.answers = [answer]
        except SQLAlchemyError as error:
            log.warning("gathered in vain", extra={"error": type(error).__name__})
        finally:
            self._hand_on(together)

    def _hand_on(self, together: Sequence[_Asked[Question, Answer]]) -> None:
        """Wake those who were asked for, and one of those who wait to do the same for them."""
        for each in together:
            each.is_settled = True
            each.woken.release()
        with self._turn:
            self._is_asking = bool(self._waiting)
            if self._waiting:
                self._waiting[0].woken.release()
