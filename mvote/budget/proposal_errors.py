"""The rules of proposals that can be broken, each with its reason."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.polls.errors import TooManyDrafts
from mvote.wording import Message, say


class NotAProposer(DomainError):
    """The citizen is not among those who may propose; fact `rule`: `basis` or `excluded`."""

    code = "not-eligible"
    title: ClassVar[Message] = say("This cycle takes proposals of other people.")
    next_step: ClassVar[Message] = say(
        "See in your profile whether your home, work, business or study is entered."
    )

    def __init__(self, rule: str) -> None:
        super().__init__(rule=rule)


class NotReadyToSubmit(DomainError):
    """Fact `missing`: JSON pointers to all that must still be said."""

    code = "not-ready-to-submit"
    title: ClassVar[Message] = say("It cannot be submitted yet: something is missing.")


class NothingRevised(DomainError):
    """It was returned, and nothing was changed since."""

    code = "nothing-revised"
    title: ClassVar[Message] = say("Nothing was changed since it was returned.")


class AppealOver(DomainError):
    """The one appeal was made, its time is over, or nobody judges any; fact `why`."""

    code = "appeal-over"
    title: ClassVar[Message] = say("There is no appeal any more.")


class CannotCarryOver(DomainError):
    """It has not ended, or it is of the same cycle, or of other authors."""

    code = "cannot-carry-over"
    title: ClassVar[Message] = say("This proposal cannot be carried over.")


class TooManyProposalDrafts(TooManyDrafts):
    """A citizen has left too many drafts of proposals lying in one cycle; fact `most`."""

    title: ClassVar[Message] = say("You have as many drafts in this cycle as a citizen may.")
    next_step: ClassVar[Message] = say("Submit or withdraw one of your drafts.")
