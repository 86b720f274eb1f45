"""The rules of deliberating that can be broken, each with its reason."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say


class QuorumNotReached(DomainError):
    """Too few took part, and nothing is decided.

    Facts: `entitled` (E), `present` (P), `needed`, and `not_voted`: the seats that still may vote.
    """

    code = "quorum-not-reached"
    title: ClassVar[Message] = say("The quorum is not reached.")
    next_step: ClassVar[Message] = say("Wait for members who have not voted yet.")


class OpinionsMissing(DomainError):
    """Fact `needed`; nobody is told how many are in before their own is."""

    code = "opinions-missing"
    title: ClassVar[Message] = say("Too few opinions are in.")


class WindowNotOpen(DomainError):
    """The item is voted on online, and not now. Facts `starts_at` and `ends_at`."""

    code = "voting-window-not-open"
    title: ClassVar[Message] = say("This item is voted on online at another time.")


class WindowNotOver(DomainError):
    """Members may still vote online; fact `ends_at`."""

    code = "voting-window-not-over"
    title: ClassVar[Message] = say("The online vote is not over.")


class OnShortlist(DomainError):
    """It is voted on with a list; fact `shortlist_id`."""

    code = "on-shortlist"
    title: ClassVar[Message] = say(
        "It is voted on with a list. A member may pull it out to have it judged alone."
    )


class VotingBegan(DomainError):
    """Votes are in: what they are about no longer changes."""

    code = "voting-began"
    title: ClassVar[Message] = say("Voting has begun: the motion no longer changes.")


class ShortlistFull(DomainError):
    """The body has approved as many as its cycle allows; facts `max_projects`, `approved`.

    `approved` counts what stands on the list that is being voted on, too.
    """

    code = "shortlist-full"
    title: ClassVar[Message] = say("The committee has approved as many projects as it may.")


class PriceNotAllowed(DomainError):
    """No ballot takes it at the price that officers assessed; facts `amount` and `most`."""

    code = "price-not-allowed"
    title: ClassVar[Message] = say("At its assessed price it cannot go onto a ballot.")
    next_step: ClassVar[Message] = say("Send it back to its authors, to be assessed anew.")
