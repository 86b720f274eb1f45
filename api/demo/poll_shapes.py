"""What a poll of the demo is made of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from mvote.errors import Text

WEEKS = (dt.timedelta(weeks=4),)
MOMENTS = tuple(dt.timedelta(seconds=seconds) for seconds in (5, 20, 80))
"""How long a closed poll is open: as short as this machine can cast its ballots in."""


@dataclass(frozen=True, kw_only=True)
class DemoPoll:
    """One poll of the demo."""

    key: str
    #: a key of `api.demo.people.DEPARTMENTS`, or `citizen`
    author: str
    content: dict[str, Any]
    ballots: int
    #: out of so many marks, how many go to each option; what is left over, to none (a blank ballot)
    leaning: tuple[int, ...]
    #: for how long it is open: the next one is tried if a machine is too slow for the one before
    periods: tuple[dt.timedelta, ...] = WEEKS
    #: sites where a link code hangs
    sites: tuple[str, ...] = field(default=())
    #: so many slips for a steward at the first of its sites
    slips: int = 0
    #: so many are on its roll, its voters first; nobody is where it has none
    listed: int = 0

    @property
    def ends_at_once(self) -> bool:
        """This is one that is closed, counted and published."""
        return self.periods == MOMENTS

    @property
    def password(self) -> str | None:
        """What opens its private room; None where everybody finds it."""
        return self.content.get("room_password")


def texts(ko: str, en: str) -> Text:
    return {"ko": ko, "en": en}


def question(ko: str, en: str, *options: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    listed = [{"key": key, "title": texts(*title)} for key, *title in options]
    return {"text": texts(ko, en), "options": listed, **more}
