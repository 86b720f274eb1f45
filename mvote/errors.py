"""One class for each rule that can be broken: a stable code, a title, facts.

Nothing here knows HTTP. `api/problems.py` holds the one table class → status.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from mvote.verbs import not_possible
from mvote.wording import Message, say

Text = dict[str, str]
"""A text in several languages: `{"ko": …, "en": …}`."""


class DomainError(Exception):
    """A rule was broken. `code` is stable, `facts` may be shown to the caller."""

    code: ClassVar[str]
    title: ClassVar[Message]
    next_step: ClassVar[Message | None] = None

    def __init__(self, detail: Message | None = None, **facts: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.facts = facts


class Fault:
    """One wrong place in a request: *pointer* is a JSON pointer (RFC 6901) into its body.

    *detail* says what is wrong there, *code* names it, where clients may want to tell.
    """

    def __init__(self, pointer: str, detail: Message, *, code: str | None = None) -> None:
        self.pointer = pointer
        self.detail = detail
        self.code = code


class InvalidRequest(DomainError):
    """The content does not make sense, though its shape may be right."""

    code = "invalid-request"
    title: ClassVar[Message] = say("The request is not valid.")

    def __init__(self, *faults: Fault, detail: Message | None = None) -> None:
        super().__init__(detail)
        self.faults = faults


class NotFound(DomainError):
    """There is no such thing, or none that the caller may know of."""

    code = "not-found"
    title: ClassVar[Message] = say("There is no such thing.")


class NotAllowed(DomainError):
    """The caller is known, but may not do this."""

    code = "not-allowed"
    title: ClassVar[Message] = say("You may not do this.")


class TokenMissing(DomainError):
    code = "token-missing"
    title: ClassVar[Message] = say("An access token is needed.")


class TokenInvalid(DomainError):
    code = "token-invalid"
    title: ClassVar[Message] = say("The token is not valid or no longer valid.")


class TooManyRequests(DomainError):
    """A limit was reached; `retry_after_s` says when to come back."""

    code = "too-many-requests"
    title: ClassVar[Message] = say("Too many requests.")

    def __init__(self, *, retry_after_s: int) -> None:
        super().__init__(retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class RequestKeyReused(DomainError):
    """A key that stands for one request of the caller's came with another."""

    code = "idempotency-key-reused"
    title: ClassVar[Message] = say("This key was used with another request.")


class StaleVersion(DomainError):
    code = "stale-version"
    title: ClassVar[Message] = say("It has changed since you read it.")


class ImpossibleTransition(DomainError):
    """A verb that the thing's state does not allow; facts `state` and `verb`."""

    code = "impossible-transition"
    title: ClassVar[Message] = say("This cannot be done in the present state.")

    def __init__(self, *, state: str, verb: str) -> None:
        super().__init__(not_possible(verb, state), state=state, verb=verb)


class Overloaded(DomainError):
    """Too much at once. Certainly nothing was recorded."""

    code = "overloaded"
    title: ClassVar[Message] = say("Too busy just now. Nothing was recorded.")


class OutcomeUnknown(DomainError):
    """The answer of the database was lost; the same key tells the truth."""

    code = "outcome-unknown"
    title: ClassVar[Message] = say("The outcome is not known. Try again with the same key.")


_ERRORS_OF_CONSTRAINTS: dict[str, Callable[[], DomainError]] = {}


def stands_for(constraint: str, make: Callable[[], DomainError]) -> None:
    """Let *make* give the domain error of a violated *constraint* (by its name)."""
    _ERRORS_OF_CONSTRAINTS[constraint] = make


def error_of_constraint(name: str) -> DomainError | None:
    """The domain error that a violation of the constraint *name* means, if it means one."""
    make = _ERRORS_OF_CONSTRAINTS.get(name)
    return make() if make else None
