"""How much may be made for one poll on the spot by its author; officers make more."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from mvote.polls.onsite.displays import Display
from mvote.polls.onsite.errors import TooManyOnSite
from mvote.polls.onsite.slips import SlipPackage
from mvote.polls.site_codes import SiteCode

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:poll_id AS text), 11))")


@dataclass(frozen=True)
class Cap:
    """At most so many; `made` counts those there are, revoked ones too, by their poll."""

    most: int
    made: Select[int]
    poll: Any


CODES = Cap(100, select(func.count()).select_from(SiteCode), SiteCode.poll_id)
DISPLAYS = Cap(20, select(func.count()).select_from(Display), Display.poll_id)
SLIPS = Cap(10_000, select(func.coalesce(func.sum(SlipPackage.size), 0)), SlipPackage.poll_id)


def check_room(session: Session, cap: Cap, *, poll_id: uuid.UUID, more: int = 1) -> None:
    """See that *more* can be made for the poll; who asks makes them next. Raises TooManyOnSite.

    One at a time for each poll, or two at once would both find room.
    """
    session.execute(_ONE_AT_A_TIME, {"poll_id": poll_id})
    if session.scalars(cap.made.where(cap.poll == poll_id)).one() + more > cap.most:
        raise TooManyOnSite(most=cap.most)
