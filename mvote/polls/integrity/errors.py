"""The rules of nonces and attestation that can be broken, each with its reason and next step."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say


class AttestationRequired(DomainError):
    """The poll takes positions only from apps that their platform vouches for."""

    code = "attestation-required"
    title: ClassVar[Message] = say("This poll asks your phone to vouch for the app.")
    next_step: ClassVar[Message] = say(
        "Vote with the app, or scan the site's screen, or ask the steward."
    )


class AttestationInvalid(DomainError):
    """What came as an attestation is none of this request, this app and this phone.

    *why* names the check for our log; whoever forges one is not told it.
    """

    code = "attestation-invalid"
    title: ClassVar[Message] = say("What vouches for the app is not valid.")
    next_step: ClassVar[Message] = say(
        "Try again with the app from the store, or scan the site's screen, or ask the steward."
    )

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class AttestorAway(DomainError):
    """The platform that vouches cannot be asked just now. Certainly nothing was recorded."""

    code = "attestor-away"
    title: ClassVar[Message] = say("Who vouches for your phone cannot be reached just now.")
    next_step: ClassVar[Message] = say("Try again in a moment, or scan the site's screen.")

    def __init__(self, *, retry_after_s: int = 5) -> None:
        super().__init__(retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class PositionNonceInvalid(DomainError):
    """The nonce beside a position is missing where one is asked for, used, foreign or expired."""

    code = "position-nonce-invalid"
    title: ClassVar[Message] = say("The nonce of your position is missing or no longer valid.")
    next_step: ClassVar[Message] = say("Ask for a new nonce, take a new fix, and send both.")


ALL = (PositionNonceInvalid, AttestationRequired, AttestationInvalid, AttestorAway)
"""What a position may be refused for beside its place."""
