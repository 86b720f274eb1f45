"""The rules of reporting and moderation that can be broken."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.polls.errors import NotEligible
from mvote.wording import Message, say


class AlreadyReported(DomainError):
    code = "already-reported"
    title: ClassVar[Message] = say("You have reported this poll.")
    next_step: ClassVar[Message] = say("An officer will look at it; nothing more is needed.")


class OwnPollReported(DomainError):
    code = "own-poll"
    title: ClassVar[Message] = say("This poll is your own.")


class ReporterNotConfirmed(NotEligible):
    """Nothing says yet who it is: one person could have many such accounts."""

    title: ClassVar[Message] = say("Reporting needs a confirmed number or a verified identity.")
    next_step: ClassVar[Message] = say(
        "Confirm your number, or link a verified identity to your account."
    )

    def __init__(self) -> None:
        super().__init__("confirmed")


class NotImpartial(DomainError):
    """An officer made the poll, or reported it: somebody else decides."""

    code = "not-impartial"
    title: ClassVar[Message] = say("You made this poll or reported it; another officer decides.")


class CaseChanged(DomainError):
    """An officer would answer reports that they have not read, or overrule a decision unseen."""

    code = "case-changed"
    title: ClassVar[Message] = say(
        "More was reported, or another officer has decided, since you read this case."
    )
    next_step: ClassVar[Message] = say("Read the case again, then decide with its new `version`.")


class NeverHeldBack(DomainError):
    """The city's polls stay in the lists; private ones are in none."""

    code = "never-held-back"
    title: ClassVar[Message] = say("Only public polls of citizens are kept out of the lists.")
    next_step: ClassVar[Message] = say(
        "Decide `release` with a reason; a poll is ended by voiding it."
    )
