"""The rules of a draw that can be broken."""

from __future__ import annotations

from typing import Any, ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say


class QuotasImpossible(DomainError):
    """No choice of people meets all quotas; fact `conflicts` names what contradicts each other.

    Each conflict is minimal: without any one of its demands the rest of it could be met. Fact
    `all_named` says whether these are all conflicts there are.
    """

    code = "quotas-impossible"
    title: ClassVar[Message] = say("The pool cannot meet the quotas.")
    next_step: ClassVar[Message] = say(
        "Let more people apply; or two officers lower a quota publicly before the seed."
    )

    def __init__(
        self, conflicts: list[list[dict[str, Any]]], *, detail: Message, all_named: bool
    ) -> None:
        super().__init__(detail, conflicts=conflicts, all_named=all_named)
        self.conflicts = conflicts


class SecretNotCommitted(DomainError):
    """The secret is not the one whose hash was published before."""

    code = "secret-not-committed"
    title: ClassVar[Message] = say("This is not the secret that was committed to.")
