"""One class for each rule that can be broken: a stable code, a title in two languages, facts.

Nothing here knows HTTP. `api/problems.py` holds the one table class → status.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

Text = dict[str, str]
"""A text in several languages: `{"ko": …, "en": …}`."""


class DomainError(Exception):
    """A rule was broken. `code` is stable, `facts` may be shown to the caller."""

    code: ClassVar[str]
    title: ClassVar[Text]
    next_step: ClassVar[Text | None] = None

    def __init__(self, detail: str | None = None, **facts: Any) -> None:
        super().__init__(detail or self.title["en"])
        self.detail = detail
        self.facts = facts


class Fault:
    """One wrong place in a request: *pointer* is a JSON pointer (RFC 6901) into its body.

    *detail* says in English what is wrong there; *korean* in Korean, where no table knows it.
    *code* names what is wrong, where clients may want to tell.
    """

    def __init__(
        self, pointer: str, detail: str, *, korean: str | None = None, code: str | None = None
    ) -> None:
        self.pointer = pointer
        self.detail = detail
        self.korean = korean
        self.code = code


class InvalidRequest(DomainError):
    """The content does not make sense, though its shape may be right."""

    code = "invalid-request"
    title: ClassVar[Text] = {
        "ko": "요청 내용이 올바르지 않습니다.",
        "en": "The request is not valid.",
    }

    def __init__(self, *faults: Fault, detail: str | None = None) -> None:
        super().__init__(detail)
        self.faults = faults


class NotFound(DomainError):
    """There is no such thing, or none that the caller may know of."""

    code = "not-found"
    title: ClassVar[Text] = {"ko": "찾을 수 없습니다.", "en": "There is no such thing."}


class NotAllowed(DomainError):
    """The caller is known, but may not do this."""

    code = "not-allowed"
    title: ClassVar[Text] = {"ko": "허용되지 않은 동작입니다.", "en": "You may not do this."}


class TokenMissing(DomainError):
    code = "token-missing"
    title: ClassVar[Text] = {"ko": "로그인이 필요합니다.", "en": "An access token is needed."}


class TokenInvalid(DomainError):
    code = "token-invalid"
    title: ClassVar[Text] = {
        "ko": "로그인 정보가 올바르지 않거나 만료되었습니다.",
        "en": "The token is not valid or no longer valid.",
    }


class TooManyRequests(DomainError):
    """A limit was reached; `retry_after_s` says when to come back."""

    code = "too-many-requests"
    title: ClassVar[Text] = {"ko": "요청이 너무 많습니다.", "en": "Too many requests."}

    def __init__(self, *, retry_after_s: int) -> None:
        super().__init__(retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class RequestKeyReused(DomainError):
    """A key that stands for one request of the caller's came with another."""

    code = "idempotency-key-reused"
    title: ClassVar[Text] = {
        "ko": "같은 키로 다른 요청을 보냈습니다.",
        "en": "This key was used with another request.",
    }


class StaleVersion(DomainError):
    code = "stale-version"
    title: ClassVar[Text] = {
        "ko": "그 사이에 내용이 바뀌었습니다.",
        "en": "It has changed since you read it.",
    }


class ImpossibleTransition(DomainError):
    """A verb that the thing's state does not allow; facts `state` and `verb`."""

    code = "impossible-transition"
    title: ClassVar[Text] = {
        "ko": "지금 상태에서는 할 수 없습니다.",
        "en": "This cannot be done in the present state.",
    }

    def __init__(self, *, state: str, verb: str) -> None:
        super().__init__(f"{verb} is not possible while {state}", state=state, verb=verb)


class Overloaded(DomainError):
    """Too much at once. Certainly nothing was recorded."""

    code = "overloaded"
    title: ClassVar[Text] = {
        "ko": "접속이 많습니다. 투표는 기록되지 않았습니다.",
        "en": "Too busy just now. Nothing was recorded.",
    }


class OutcomeUnknown(DomainError):
    """The answer of the database was lost; the same key tells the truth."""

    code = "outcome-unknown"
    title: ClassVar[Text] = {
        "ko": "결과를 확인하지 못했습니다. 같은 키로 다시 시도해 주세요.",
        "en": "The outcome is not known. Try again with the same key.",
    }


_ERRORS_OF_CONSTRAINTS: dict[str, Callable[[], DomainError]] = {}


def stands_for(constraint: str, make: Callable[[], DomainError]) -> None:
    """Let *make* give the domain error of a violated *constraint* (by its name)."""
    _ERRORS_OF_CONSTRAINTS[constraint] = make


def error_of_constraint(name: str) -> DomainError | None:
    """The domain error that a violation of the constraint *name* means, if it means one."""
    make = _ERRORS_OF_CONSTRAINTS.get(name)
    return make() if make else None
