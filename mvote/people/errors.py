"""Rules about people that can be broken, and have a name of their own."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say


class OneTimeCodeInvalid(DomainError):
    """Wrong, spent, expired, or guessed at too often: which of these is not said."""

    code = "one-time-code-invalid"
    title: ClassVar[Message] = say("The one-time code is wrong or no longer valid.")
    next_step: ClassVar[Message | None] = say("Check the code, or ask for a new one.")


class MessageNotSent(DomainError):
    """The gateway of text messages did not take a message. Nobody was signed in or out.

    *is_certain*: it said so itself, or was never reached; else the message may be on its way.
    *is_for_good*: it said that it will never reach this number; others it may.
    """

    code = "message-not-sent"
    title: ClassVar[Message] = say(
        "The text message could not be sent. Please try again in a moment."
    )

    def __init__(self, *, is_certain: bool = False, is_for_good: bool = False) -> None:
        super().__init__()
        self.is_certain, self.is_for_good = is_certain or is_for_good, is_for_good


class IdentityInvalid(DomainError):
    """Forged, expired, not for us, or answering no question of ours: which is not said."""

    code = "identity-invalid"
    title: ClassVar[Message] = say("The proof of identity is not valid or no longer valid.")
    next_step: ClassVar[Message | None] = say("Begin again with a new nonce.")


class IdentityProviderAway(DomainError):
    """The provider's keys cannot be had. Nothing was done."""

    code = "identity-provider-away"
    title: ClassVar[Message] = say(
        "The identity provider cannot be reached. Please try again in a moment."
    )

    def __init__(self) -> None:
        super().__init__(retry_after_s=60)


class IdentityInUse(DomainError):
    """An identity belongs to another account."""

    code = "identity-in-use"
    title: ClassVar[Message] = say("This identity belongs to another account.")
    next_step: ClassVar[Message | None] = say("If both accounts are yours, send `merge: true`.")


class AnotherIdentity(DomainError):
    """The account has a verified identity already, another one."""

    code = "identity-in-use"
    title: ClassVar[Message] = say("This account has another verified identity.")
    next_step: ClassVar[Message | None] = say("Give that one up first: `DELETE /me/identity`.")


class IdentityRests(DomainError):
    """Another account gave the identity up, and may have voted with it in a poll that is open."""

    code = "identity-in-use"
    title: ClassVar[Message] = say(
        "Another account had this identity in polls that are still open."
    )
    next_step: ClassVar[Message | None] = say("Link it again when those polls are over.")


class NumberInUse(DomainError):
    """A number that was confirmed belongs to another account."""

    code = "number-in-use"
    title: ClassVar[Message] = say("This number belongs to another account.")
    next_step: ClassVar[Message | None] = say(
        "If both accounts are yours, send `merge: true`. If it is a former holder's, sign in with"
        " the number and delete that account."
    )


class LastWayIn(DomainError):
    """Without it nobody could sign in to the account any more."""

    code = "last-way-in"
    title: ClassVar[Message] = say("It is the only way into this account.")
    next_step: ClassVar[Message | None] = say("Confirm a number first, or delete the account.")
