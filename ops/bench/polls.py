"""The poll that the bench votes in: for residents of a gu, of age, on the spot; everything on."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from unittest.mock import patch

from flask import Flask
from sqlalchemy.orm import Session

from api.wiring import wiring
from mvote.ballotbox.stock import fill_stock
from mvote.base import new_id, utc_now
from mvote.polls.drafting import Author, draft_poll
from mvote.polls.opening import open_poll
from ops.bench.stage import Installation

AT_ONCE = 100
GU = "11110"
CENTER = {"lat": 37.5720, "lon": 126.9769}
OPTIONS = ("plant", "fountain", "benches", "stage", "nothing")
CIRCLE = {"rule": "area", "area": {"center": CENTER, "radius_m": 1000}}
RESIDENTS = {"areas": [GU], "area_basis": ["home"], "min_age": 18}


def content(**more: Any) -> dict[str, Any]:
    """A poll's content: five options, one to choose."""
    question = {
        "text": {"ko": "광장에 무엇을 둘까요?", "en": "What shall stand on the square?"},
        "kind": "single",
        "options": [{"key": key, "title": {"ko": key, "en": key}} for key in OPTIONS],
        "min_selections": 1,
        "max_selections": 1,
    }
    return {"title": {"ko": "광장 꾸미기", "en": "The square"}, "question": question, **more}


def open_a_poll(installation: Installation, app: Flask, **more: Any) -> uuid.UUID:
    """A government's poll that is open for a day."""
    with app.app_context(), installation.acting_as("api") as session:
        return _opened(session, more)


def open_many_polls(
    installation: Installation, app: Flask, count: int, **more: Any
) -> list[uuid.UUID]:
    """So many polls. Their keys need not outlive a fall of the power, so no disk is waited for."""
    opened: list[uuid.UUID] = []
    with patch("os.fsync"):
        with installation.acting_as("counter") as session:
            fill_stock(session, installation.keystore("counter"), wanted=count + 2)
        while len(opened) < count:
            with app.app_context(), installation.acting_as("api") as session:
                some = range(min(AT_ONCE, count - len(opened)))
                opened += [_opened(session, more) for _ in some]
    return opened


def _opened(session: Session, more: dict[str, Any]) -> uuid.UUID:
    author = Author(citizen_id=new_id(), department_id=new_id())
    poll = draft_poll(
        session,
        author=author,
        content=content(**more),
        opens_at=None,
        closes_at=utc_now() + dt.timedelta(days=1),
        places=wiring().places,
        quota=1,
    )
    open_poll(session, poll=poll, actor_id=author.citizen_id, around=wiring().around)
    return poll.id
