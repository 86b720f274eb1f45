"""Voters who cast over HTTP and do not give up: each tries again, with the same key, until told."""

from __future__ import annotations

import http.client
import json
import random
import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus

from mvote.base import utc_now
from mvote.people.tokens import Tokens
from ops.bench.polls import OPTIONS
from ops.torture.scene import Caster, Receipt

AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY)
SOON = 0.05  # seconds before asking again, if the server does not say when
TIMEOUT = 30.0


def one_option(caster: Caster) -> str:
    """A ballot for one of the bench's options, the same one each time."""
    return json.dumps({"selections": [random.Random(caster.key).choice(OPTIONS)]})  # noqa: S311


@dataclass
class Load:
    """So many voters at once; what they were answered."""

    port: int
    poll_id: uuid.UUID
    tokens: Tokens
    at_once: int = 32
    #: what a voter sends
    body: Callable[[Caster], str] = one_option
    #: who was acknowledged, and with what
    given: dict[Caster, Receipt] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    #: answers that are neither a receipt nor a wish to be asked again
    refusals: list[str] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _stop: threading.Event = field(default_factory=threading.Event)

    def begin(self, casters: Sequence[Caster]) -> Future[None]:
        """Let them cast; the future is done when each has been told yes or no."""
        waiting, done = deque(casters), Future[None]()
        pool = ThreadPoolExecutor(self.at_once)
        workers = [pool.submit(self._work, waiting) for _ in range(self.at_once)]

        def finish() -> None:
            try:
                for each in workers:
                    each.result()
            except BaseException as error:
                done.set_exception(error)
                raise
            finally:
                pool.shutdown()
            done.set_result(None)

        threading.Thread(target=finish, daemon=True).start()
        return done

    def wait_for(self, acknowledged: int, patience: float = 120) -> None:
        """Return once so many were acknowledged in all."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.given) >= acknowledged, patience):
                raise TimeoutError(f"{len(self.given)} of {acknowledged} acknowledged")

    def wait_for_answers(self, what: str, times: int, patience: float = 120) -> None:
        """Return once so many were answered so."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.answers[what] >= times, patience):
                raise TimeoutError(f"nobody was answered {what}: {self.answers}")

    def give_up(self) -> None:
        """Let nobody ask again."""
        self._stop.set()

    def _work(self, waiting: deque[Caster]) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        while not self._stop.is_set():
            try:
                caster = waiting.popleft()
            except IndexError:
                break
            self._cast(line, caster)
        line.close()

    def _cast(self, line: http.client.HTTPConnection, caster: Caster) -> None:
        body = self.body(caster)
        while not self._stop.is_set():
            try:
                status, text, pause = self._ask(line, caster, body)
            except (OSError, http.client.HTTPException):
                line.close()
                self._note("no answer")
                self._stop.wait(SOON)
                continue
            self._note(str(status))
            if status == HTTPStatus.CREATED:
                self._keep(caster, text)
                return
            if status not in AGAIN:
                self.refusals.append(f"{status} {text[:200]!r}")
                return
            self._stop.wait(pause)

    def _ask(
        self, line: http.client.HTTPConnection, caster: Caster, body: str
    ) -> tuple[int, bytes, float]:
        """Status, body, and after how many seconds to ask again."""
        token = self.tokens.issue(caster.citizen_id, now=utc_now())
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": caster.key,
        }
        line.request("POST", f"/v1/polls/{self.poll_id}/ballots", body, headers)
        answer = line.getresponse()
        wait = answer.getheader("Retry-After") or ""
        return answer.status, answer.read(), float(wait) if wait.isdigit() else SOON

    def _keep(self, caster: Caster, text: bytes) -> None:
        told = json.loads(text)
        with self._changed:
            self.given[caster] = Receipt(told["tracker"], told["envelope_hash"])
            self._changed.notify_all()

    def _note(self, what: str) -> None:
        with self._changed:
            self.answers[what] += 1
            self._changed.notify_all()
