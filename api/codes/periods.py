"""When a poll is open, as people read it: in the city's time zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from mvote.errors import Text
from mvote.languages import TEXT_LANGUAGES, moment_in


def period(opens_at: dt.datetime | None, closes_at: dt.datetime | None, zone: str) -> Text | None:
    """From when to when, as far as it is known, for paper; None where nothing is known yet."""
    if opens_at is None and closes_at is None:
        return None
    return {each: period_in(each, opens_at, closes_at, zone) for each in TEXT_LANGUAGES}


def period_in(
    language: str, opens_at: dt.datetime | None, closes_at: dt.datetime | None, zone: str
) -> str:
    """The same in one language."""
    ends = [
        at and moment_in(language, at.astimezone(ZoneInfo(zone))) for at in (opens_at, closes_at)
    ]
    return " – ".join(each or "" for each in ends).strip()
