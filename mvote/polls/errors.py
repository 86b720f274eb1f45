"""The rules of polls and ballots that can be broken, each with its reason and next step."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from mvote.base import instant, utc_now
from mvote.errors import DomainError
from mvote.wording import Message, say, say_number


class NotEligible(DomainError):
    """The voter is not among those who are asked; fact `rule` says by which rule."""

    code = "not-eligible"
    title: ClassVar[Message] = say("This poll asks other people.")
    next_step: ClassVar[Message] = say(
        "See in your profile whether that fact is missing, wrong or not yet verified."
    )

    def __init__(self, rule: str) -> None:
        super().__init__(rule=rule)
        self.rule = rule


class NotOnRoll(NotEligible):
    """The poll asks those on a list of numbers; nothing in a profile changes that."""

    next_step: ClassVar[Message] = say(
        "Sign in with the number that the organiser has on the list, or ask them."
    )

    def __init__(self) -> None:
        super().__init__("roll")


class NotInRoom(NotEligible):
    """The poll is private, and the password of its room was not given, or another one."""

    next_step: ClassVar[Message] = say("Check the number and the password of the room.")

    def __init__(self) -> None:
        super().__init__("room_password")


class NotConfirmed(NotEligible):
    """Nothing says yet who it is: one person could have many such accounts."""

    title: ClassVar[Message] = say("Voting needs a confirmed number or a verified identity.")
    next_step: ClassVar[Message] = say(
        "Confirm your number, or link a verified identity to your account."
    )

    def __init__(self) -> None:
        super().__init__("confirmed")


class OpenerNotConfirmed(NotConfirmed):
    """The quota is a person's: who may have many accounts opens no poll with any of them."""

    title: ClassVar[Message] = say("Opening polls needs a confirmed number or a verified identity.")


class PresenceRequired(DomainError):
    code = "presence-required"
    title: ClassVar[Message] = say("This poll is for people on the spot.")
    next_step: ClassVar[Message] = say("Be there, and send your position or scan the site's code.")


class ScanRequired(PresenceRequired):
    """The same where people vote at sites: a ballot's position proves nothing there."""

    next_step: ClassVar[Message] = say(
        "Scan the code on the site's screen or on a slip; or that of the poster, and let the app"
        " send your position with it."
    )


class PositionRequired(PresenceRequired):
    """A poster's code was scanned, and nothing says that it was scanned there."""

    next_step: ClassVar[Message] = say(
        "Let the app send your position: the code of a poster alone admits nobody."
    )


class OutsideArea(DomainError):
    code = "outside-area"
    title: ClassVar[Message] = say("You are outside the poll's area.")
    next_step: ClassVar[Message] = say("Go into the area and try again.")


class PositionTooCoarse(DomainError):
    code = "position-too-coarse"
    title: ClassVar[Message] = say("The position is not precise enough.")
    next_step: ClassVar[Message] = say(
        "Step under the open sky, allow precise location, or scan the site's code."
    )


class PositionAmbiguous(DomainError):
    code = "position-ambiguous"
    title: ClassVar[Message] = say("It is not certain that you are inside the area.")
    next_step: ClassVar[Message] = say("Go further in, get a better fix, or ask the steward.")


class PositionStale(DomainError):
    code = "position-stale"
    title: ClassVar[Message] = say("The position is too old, or from the future.")
    next_step: ClassVar[Message] = say("Take a new fix; check the phone's clock.")


class PresenceTokenInvalid(DomainError):
    code = "presence-token-invalid"
    title: ClassVar[Message] = say("The presence token is not valid here or no longer valid.")
    next_step: ClassVar[Message] = say("Scan the site's code again.")


class AlreadyVoted(DomainError):
    code = "already-voted"
    title: ClassVar[Message] = say("You have voted in this poll.")


class PollNotOpen(DomainError):
    code = "poll-not-open"
    title: ClassVar[Message] = say("The poll is not open for voting.")


class IdempotencyKeyReused(DomainError):
    code = "idempotency-key-reused"
    title: ClassVar[Message] = say("This key was used with another ballot.")


SELECTIONS: dict[str, Message] = {
    "unknown-option": say("A selection is none of the question's options."),
    "repeated-option": say("An option is selected more than once."),
    "min_selections": say("Select more options; the fewest allowed: {min_selections}."),
    "max_selections": say("Select fewer options; the most allowed: {max_selections}."),
    "points-missing": say("Each selection names an option and the points it gets."),
    "points-not-whole": say("Points are whole numbers from {least} to {most}."),
    "max_points": say("An option gets too many points; the most allowed: {max_points}."),
    "points": say("Too many points are given: {given} of {points}."),
}
"""What is wrong with selections, by the broken limit; of project ballots `broken` says it."""


class InvalidSelection(DomainError):
    """The selections break a limit of the question; fact `limit` names it.

    Of a project ballot *said* tells of the first, `broken` names all of them, and `may_spoil` is
    true where it may be cast all the same.
    """

    code = "invalid-selection"
    title: ClassVar[Message] = say("The selections break a rule of the question.")

    def __init__(self, limit: str, said: Message | None = None, **facts: Any) -> None:
        known = said or SELECTIONS.get(limit)
        super().__init__(known and known.format(**facts), limit=limit, **facts)


class ResultsNotAvailable(DomainError):
    """Fact `available_at`: when, as far as that is known."""

    code = "results-not-available"
    title: ClassVar[Message] = say("There is no result to be seen yet.")


class BundleNotReady(DomainError):
    """The result is published, its bundle not signed yet: that is a matter of seconds."""

    code = "bundle-not-ready"
    title: ClassVar[Message] = say("The file for the verifier is being made.")
    next_step: ClassVar[Message] = say("Download it again in a moment.")

    def __init__(self) -> None:
        super().__init__(retry_after_s=1)


class NotReadyToOpen(DomainError):
    """Everything that still hinders the opening, at once, in fact `hindrances`."""

    code = "not-ready-to-open"
    title: ClassVar[Message] = say("The poll cannot be opened yet.")


class NoTie(DomainError):
    """There is nothing to draw between; fact `winners`: the keys of those who won."""

    code = "no-tie"
    title: ClassVar[Message] = say("There is no tie to be broken by lot.")


class QuotaReached(DomainError):
    """A citizen's polls of this week are used up; facts `per_week`, and `next_at` for the next."""

    code = "too-many-requests"
    title: ClassVar[Message] = say("You have made as many polls this week as a citizen may.")

    def __init__(self, *, per_week: int, retry_after_s: int) -> None:
        next_at = (utc_now() + dt.timedelta(seconds=retry_after_s)).replace(microsecond=0)
        super().__init__(
            say_number(
                "You have made as many polls this week as a citizen may. The next is possible in"
                " {number} hour at the latest.",
                "You have made as many polls this week as a citizen may. The next is possible in"
                " {number} hours at the latest.",
                -(-retry_after_s // 3600),
            ),
            per_week=per_week,
            retry_after_s=retry_after_s,
            next_at=instant(next_at),
        )


class TooManyDrafts(DomainError):
    """A citizen has left too many drafts lying; fact `most`."""

    code = "too-many-drafts"
    title: ClassVar[Message] = say("You have as many drafts as a citizen may.")
    next_step: ClassVar[Message] = say("Open or cancel one of your drafts.")
