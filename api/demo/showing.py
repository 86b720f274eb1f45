"""What there is to try in the demo, for people and for scripts."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.codes.views import url_of
from api.demo.budget.showing import cycles_to_try
from api.demo.ledger import made
from api.demo.polls import AT_LIBRARIES, CLOSED, GWANGHWAMUN, NEAR_GWANGHWAMUN, POLLS
from api.wiring import wiring
from mvote.base import database_time
from mvote.polls.poll import Poll
from mvote.polls.site_codes import SiteCode


def what_to_try(session: Session) -> dict[str, Any]:
    """Addresses of the demo's polls by key, of a site code, a place to stand; {} without a demo."""
    known = made(session)
    names = {poll.key: known.get(f"poll:{poll.key}") for poll in POLLS}
    if None in names.values():
        return {}
    ids = {key: poll_id for key, poll_id in names.items() if poll_id}
    return {
        "polls": {key: _poll(session, poll_id) for key, poll_id in ids.items()},
        "results": f"{_address(ids[CLOSED.key])}/results",
        "site_code": _code(session, ids[AT_LIBRARIES.key]),
        "cycles": cycles_to_try(session),
        "nearby": {"poll": NEAR_GWANGHWAMUN.key, "position": GWANGHWAMUN},
    }


def _poll(session: Session, poll_id: uuid.UUID) -> dict[str, Any]:
    poll = session.get_one(Poll, poll_id)
    return {
        "id": str(poll_id),
        "title": poll.content["title"],
        "status": poll.status_at(database_time(session)),
        "options": [option["key"] for option in poll.content["question"]["options"]],
        "url": _address(poll_id),
    }


def _address(poll_id: uuid.UUID) -> str:
    return f"{wiring().settings.public_url}/v1/polls/{poll_id}"


def _code(session: Session, poll_id: uuid.UUID) -> str:
    hanging = select(SiteCode).where(SiteCode.poll_id == poll_id).order_by(SiteCode.created_at)
    return url_of(session.scalars(hanging.limit(1)).one())
