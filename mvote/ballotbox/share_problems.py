"""What can be wrong with a trustee's share, said in Korean and English without saying any word."""

from __future__ import annotations

from typing import Any

from mvote.ballotbox.ceremony_record import SharePlace
from mvote.languages import at_once
from mvote.wording import say

TEXTS = {
    "wrong-word": say("word {word} is not a word of the list."),
    "wrong-length": say("words given: {words}; a share has {needed}."),
    "wrong-checksum": say("at least one word is wrong, or two are in the wrong order."),
    "other-ceremony": say("this share is of another ceremony."),
    "other-share": say("this is share {found}."),
    "altered": say("this is not the share that was made at the ceremony."),
    "duplicate": say("this share was given before."),
    "too-few": say("shares given: only {given}; needed: {needed}."),
    "wrong-key": say("the shares together do not give the key of the record."),
    "no-such-share": say("there is no share of that number."),
}


class ShareProblem(ValueError):
    """A share is not what it must be; names the trustee, never a word of the share."""

    def __init__(self, code: str, place: SharePlace | None, **facts: Any) -> None:
        whose = f"{place.number}. {place.name}: " if place else ""
        super().__init__(whose + at_once(TEXTS[code].format(**facts)))
        self.code, self.place, self.facts = code, place, facts
