"""When a poll is open, as people read it on paper: in the city's time zone, in two languages."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from mvote.errors import Text

KOREAN_DAYS = "월화수목금토일"
ENGLISH_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ENGLISH_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun",
                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # fmt: skip


def period(opens_at: dt.datetime | None, closes_at: dt.datetime | None, zone: str) -> Text | None:
    """From when to when, as far as it is known; None where nothing is known yet."""
    ends = [at and at.astimezone(ZoneInfo(zone)) for at in (opens_at, closes_at)]
    if not any(ends):
        return None
    return {
        "ko": " – ".join(_korean(at) if at else "" for at in ends).strip(),
        "en": " – ".join(_english(at) if at else "" for at in ends).strip(),
    }


def _korean(at: dt.datetime) -> str:
    return f"{at.year}년 {at.month}월 {at.day}일({KOREAN_DAYS[at.weekday()]}) {at:%H:%M}"


def _english(at: dt.datetime) -> str:
    day = f"{ENGLISH_DAYS[at.weekday()]} {at.day} {ENGLISH_MONTHS[at.month - 1]} {at.year}"
    return f"{day}, {at:%H:%M}"
