"""The rules of the participatory budget that can be broken."""

from __future__ import annotations

from typing import ClassVar

from mvote.errors import DomainError
from mvote.wording import Message, say


class PhaseNotOpen(DomainError):
    """It is not the time for this in the cycle.

    Facts: `phase`, the one that is open or null; `wanted`, those in which it may be done;
    `opens_at`, when the next of them opens, if one does.
    """

    code = "phase-not-open"
    title: ClassVar[Message] = say("This is not the time for it in the cycle.")
    next_step: ClassVar[Message] = say("See the dates of the cycle's phases.")
