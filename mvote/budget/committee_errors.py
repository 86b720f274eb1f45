"""The rules of committees that can be broken, each with its reason."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say


class NotAnApplicant(DomainError):
    """The citizen is not among those who may sit; fact `rule`: `basis` or `excluded`."""

    code = "not-eligible"
    title: ClassVar[Message] = say("Other people may sit in this committee.")
    next_step: ClassVar[Message] = say(
        "See in your profile whether your home, work, business or study is entered."
    )

    def __init__(self, rule: str) -> None:
        super().__init__(rule=rule)


class ApplicationsClosed(DomainError):
    """Fact `closed_at`; null where nobody is drawn at all."""

    code = "applications-closed"
    title: ClassVar[Message] = say("No applications are taken.")


class DrawNotDue(DomainError):
    """Fact `due_at`: when the public value is known; null where nothing is drawn by lot."""

    code = "draw-not-due"
    title: ClassVar[Message] = say("The draw waits for the public value.")


class AlreadyDrawn(DomainError):
    code = "already-drawn"
    title: ClassVar[Message] = say("The draw was held.")


class TargetsFixed(DomainError):
    """The public value is known: from here on a change of quotas would choose people."""

    code = "targets-fixed"
    title: ClassVar[Message] = say("Quotas no longer change: the public value is known.")


class AlreadySeated(DomainError):
    code = "already-seated"
    title: ClassVar[Message] = say("This person sits there already, or the chair is taken.")


class NothingToDivide(DomainError):
    """There are no subcommittees, or every member sits in one."""

    code = "nothing-to-divide"
    title: ClassVar[Message] = say("There are no subcommittees, or every member sits in one.")
