"""The rules of deciding that can be broken."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say


class SealingOver(DomainError):
    """The first poll of the contest has opened: a statement made now could follow its result."""

    code = "sealing-over"
    title: ClassVar[Message] = say(
        "The first poll has opened: no statement can be sealed any more."
    )


class AlreadyAllocated(DomainError):
    """The contest is allocated, and nothing that it rests on has changed since."""

    code = "already-allocated"
    title: ClassVar[Message] = say("The contest is allocated already.")


class AllocationOutdated(DomainError):
    """Projects were struck since; fact `references` names them."""

    code = "allocation-outdated"
    title: ClassVar[Message] = say("Projects were struck after the allocation.")
    next_step: ClassVar[Message] = say("Allocate again.")


class NoDecidingBody(DomainError):
    """No committee of the cycle is the body that its definition names; fact `body`."""

    code = "no-deciding-body"
    title: ClassVar[Message] = say("There is no committee that could confirm the allocation.")
    next_step: ClassVar[Message] = say("Form the committee that the cycle's decision names.")


class MotionPending(DomainError):
    """A motion on this contest is being voted on, or was carried."""

    code = "motion-pending"
    title: ClassVar[Message] = say("A motion on it is being voted on, or was carried already.")


class OnlyTotalsKept(DomainError):
    """Single ballots of the contest are not public, so there is no file that holds them."""

    code = "only-totals-kept"
    title: ClassVar[Message] = say(
        "Only totals of this contest are public: there are no single ballots to export."
    )
    next_step: ClassVar[Message] = say("`inputs` of the allocation hold the totals of each source.")
