"""The rules of allocation that can be broken."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say, say_number


class SourceMissing(DomainError):
    """A source that the blend needs did not come about; fact `sources` names them."""

    code = "source-missing"
    title: ClassVar[Message] = say(
        "A source that the result is blended from is missing or too small."
    )

    def __init__(self, sources: tuple[str, ...]) -> None:
        super().__init__(say("missing: {sources}", sources=sources), sources=list(sources))
        self.sources = sources


class AllocationImpossible(DomainError):
    """The contest contradicts itself: the detail says how."""

    code = "allocation-impossible"
    title: ClassVar[Message] = say("The money cannot be allocated by this rule.")


class TooMuchWork(DomainError):
    """More steps than one request may take; fact `steps` says how many those are."""

    code = "too-much-work"
    title: ClassVar[Message] = say("The allocation needs more work than one request may take.")
    next_step: ClassVar[Message] = say(
        "Ask an operator to run `flask cycles allocate`, or `flask cycles import`."
    )

    def __init__(self, steps: int) -> None:
        super().__init__(
            say_number("more than {number} step", "more than {number} steps", steps), steps=steps
        )
