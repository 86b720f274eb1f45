"""Where the demo's voters stand, and how they prove it: by a fix, or by scanning a site's code."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.demo.polls import GWANGHWAMUN
from api.wiring import wiring
from geo.sites import site_of
from mvote.base import utc_now
from mvote.polls.definition import FrozenPoll
from mvote.polls.onsite.scanning import Scan, scan
from mvote.polls.presence import Position
from mvote.polls.proving import Evidence
from mvote.polls.site_codes import SiteCode

METRES_PER_DEGREE = 111_320
FARTHEST_M = 800
"""Voters stand up to so far from the square: well within the kilometre."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One voter's turn in one poll; `place` counts from 0."""

    poll: FrozenPoll
    place: int
    citizen_id: uuid.UUID


def evidence_of(session: Session, turn: Turn) -> Evidence:
    """What the voter offers as proof of presence, as far as the poll asks for one."""
    return _EVIDENCE[turn.poll.presence](session, turn)


def fraction(seed: str) -> float:
    """From 0 up to 1, always the same for the same *seed*."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6], "big") / 2**48


def _near_the_square(_: Session, turn: Turn) -> Evidence:
    """A fix somewhere around the square, as good as phones give it."""
    away = FARTHEST_M * math.sqrt(fraction(f"away/{turn.place}"))
    direction = math.tau * fraction(f"direction/{turn.place}")
    shrink = math.cos(math.radians(GWANGHWAMUN["lat"]))
    return Evidence(
        position=_fix(
            GWANGHWAMUN["lat"] + away * math.cos(direction) / METRES_PER_DEGREE,
            GWANGHWAMUN["lon"] + away * math.sin(direction) / METRES_PER_DEGREE / shrink,
            accuracy_m=5 + 45 * fraction(f"accuracy/{turn.place}"),
        )
    )


def _at_a_site(session: Session, turn: Turn) -> Evidence:
    """A scan of the code that hangs at one of the poll's sites."""
    hanging = select(SiteCode).where(SiteCode.poll_id == turn.poll.poll_id, SiteCode.kind == "link")
    codes = session.scalars(hanging.order_by(SiteCode.created_at)).all()
    code = codes[turn.place % len(codes)]
    site = site_of(session, code.site_id)
    position = _fix(site.lat, site.lon, accuracy_m=20)
    tried = Scan(code=code, citizen_id=turn.citizen_id, position=position)
    answer = scan(session, gate=wiring().gate, scan=tried, now=utc_now())
    return Evidence(presence_token=answer["presence_token"] if answer else None)


def _fix(lat: float, lon: float, *, accuracy_m: float) -> Position:
    return Position(lat=lat, lon=lon, accuracy_m=accuracy_m, captured_at=utc_now())


_EVIDENCE: dict[str, Callable[[Session, Turn], Evidence]] = {
    "none": lambda *_: Evidence(),
    "area": _near_the_square,
    "site": _at_a_site,
}
