"""Admission: how many requests a process works at once. Those beyond are refused at the door.

A process that takes on more than it can work at makes everyone wait, and in the end answers those
who have left. So whoever comes when it is full is told at once to come again, before anything was
done for them: what is refused here is certainly not recorded. Signs of life always get in.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from api.languages import preferred, read_of
from api.problems import CONTENT_TYPE
from api.system import count
from mvote.errors import Overloaded
from mvote.languages import languages, said

Environ: TypeAlias = dict[str, Any]
Wsgi: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})
RETRY_AFTER_S = 1
LOG_EVERY_S = 1.0
log = logging.getLogger("mvote.admission")


class Admission:
    """Lets at most *most* requests in at the same time; *headers* go with every refusal.

    *language* is the one of the city.
    """

    def __init__(self, onward: Wsgi, *, most: int, headers: dict[str, str], language: str) -> None:
        self._onward = onward
        self._most = most
        self._language = language
        self._inside = 0
        self._door = threading.Lock()
        self._headers = [
            *headers.items(),
            ("Cache-Control", "no-store"),
            ("Content-Type", CONTENT_TYPE),
            ("Retry-After", str(RETRY_AFTER_S)),
            ("Vary", "Accept-Language"),
        ]
        self._refused = 0
        self._logged_at = 0.0

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._door:
            is_full = self._inside >= self._most and environ["PATH_INFO"] not in ALWAYS
            self._inside += not is_full
        if is_full:
            return self._refuse(environ, start_response)
        try:
            return self._onward(environ, start_response)
        finally:
            with self._door:
                self._inside -= 1

    def _refuse(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        accepted = read_of(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        body = _refusal(accepted, self._language)
        self._note()
        start_response(
            "503 SERVICE UNAVAILABLE", [*self._headers, ("Content-Length", str(len(body)))]
        )
        return [body]

    def _note(self) -> None:
        """Count each, but write a line for all of a second: a flood must not become one of logs."""
        count("refused at the door", 503, None)
        self._refused += 1
        now = time.monotonic()
        if now >= self._logged_at + LOG_EVERY_S:
            log.warning("overloaded", extra={"refused": self._refused, "at_work": self._inside})
            self._logged_at, self._refused = now, 0


@lru_cache(maxsize=256)
def _refusal(accepted: str, default: str) -> bytes:
    """The problem (RFC 9457), in the language that is preferred."""
    spoken = preferred(accepted, languages(), default)
    title = said(Overloaded.title, spoken)
    problem = {
        "type": f"/docs/problems#{Overloaded.code}",
        "title": title,
        "status": 503,
        "detail": title,
        "code": Overloaded.code,
    }
    if Overloaded.next_step:
        problem["next_step"] = said(Overloaded.next_step, spoken)
    return orjson.dumps(problem)
