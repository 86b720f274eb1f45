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
    """The gateway of text messages did not take a message. Nobody was signed in or out."""

    code = "message-not-sent"
    title: ClassVar[Message] = say(
        "The text message could not be sent. Please try again in a moment."
    )
