"""Every rule that can be broken has a code, a status, and words in two languages."""

from __future__ import annotations

import gc
import re

from flask import Flask

from api.problems import InternalError, status_of
from api.statuses import STATUSES
from mvote.errors import DomainError
from mvote.languages import said
from tests.support.errors import named_errors

#: 6-api.md's table
PROMISED_CODES = {
    400: {"malformed-json"},
    401: {"token-missing", "token-invalid"},
    403: {"not-allowed", "not-eligible", "outside-area", "position-too-coarse",
          "position-ambiguous", "position-stale", "presence-required", "presence-token-invalid",
          "recused"},
    404: {"not-found"},
    405: {"method-not-allowed"},
    406: {"not-acceptable"},
    409: {"already-voted", "poll-not-open", "results-not-available", "not-ready-to-open",
          "impossible-transition", "quorum-not-reached"},
    412: {"stale-version"},
    413: {"too-large"},
    415: {"unsupported-media-type"},
    422: {"invalid-request", "invalid-selection", "idempotency-key-reused"},
    428: {"version-required"},
    429: {"too-many-requests"},
    500: {"internal-error"},
    503: {"overloaded", "outcome-unknown"},
}  # fmt: skip
HANGUL = re.compile(r"[가-힣]")


def test_every_rule_that_can_be_broken_has_a_status(app: Flask) -> None:
    without = [error for error in named_errors() if status_of(error) == 500]
    assert without == [InternalError]


def test_a_rule_that_nobody_gave_a_status_is_found() -> None:
    made_up = type("MadeUp", (DomainError,), {"code": "made-up", "title": {}})
    try:
        assert status_of(made_up) == 500
        assert made_up in named_errors()
    finally:
        del made_up
        gc.collect()  # or the other tests would find it, too


def test_a_code_has_one_status_whoever_raises_it(app: Flask) -> None:
    statuses: dict[str, set[int]] = {}
    for error in named_errors():
        statuses.setdefault(error.code, set()).add(status_of(error))
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


def test_every_promised_code_exists_with_its_status(app: Flask) -> None:
    found: dict[int, set[str]] = {}
    for error in named_errors():
        found.setdefault(status_of(error), set()).add(error.code)
    missing = {s: codes - found.get(s, set()) for s, codes in PROMISED_CODES.items()}
    assert {status: codes for status, codes in missing.items() if codes} == {}


def test_every_error_speaks_korean_and_english(app: Flask) -> None:
    for error in named_errors():
        for text in filter(None, (error.title, error.next_step)):
            assert HANGUL.search(said(text, "ko")), error
            assert said(text, "en").isascii(), error


def test_the_table_of_statuses_holds_no_class_that_only_http_knows() -> None:
    assert all(cls.__module__ != "api.problems" for cls in STATUSES)
