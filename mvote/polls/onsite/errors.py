"""The rules of voting on the spot that can be broken, each with its reason and next step."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say


class ScanValueInvalid(DomainError):
    """The screen never showed this value here, or no slip of this site bears it."""

    code = "scan-value-invalid"
    title: ClassVar[Message] = say("This value is not one of the site's code.")
    next_step: ClassVar[Message] = say("Scan the site's screen or your slip again.")


class ScanValueExpired(DomainError):
    """The screen showed this value, but no longer: a picture of it admits nobody."""

    code = "scan-value-expired"
    title: ClassVar[Message] = say("The screen shows another code by now.")
    next_step: ClassVar[Message] = say("Scan the code that the site's screen shows now.")


class ScanValueUsed(DomainError):
    """This citizen has used this value of a screen, or somebody has used this slip."""

    code = "scan-value-used"
    title: ClassVar[Message] = say("This value was used before.")
    next_step: ClassVar[Message] = say(
        "Scan the screen's next code, or ask the steward for another slip."
    )


class SlipsGone(DomainError):
    """The slips were printed or revoked; nobody can print them again."""

    code = "slips-gone"
    title: ClassVar[Message] = say("These slips were printed or revoked before.")
    next_step: ClassVar[Message] = say(
        "If the print is lost, revoke the package and make a new one."
    )


class TooManyOnSite(DomainError):
    """The poll has as many codes, screens or slips as its author may make; fact `most`."""

    code = "too-many-on-site"
    title: ClassVar[Message] = say("This poll has as many of them as its author may make.")
    next_step: ClassVar[Message] = say("Ask an officer to make more.")

    def __init__(self, *, most: int) -> None:
        super().__init__(most=most)
