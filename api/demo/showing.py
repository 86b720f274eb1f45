"""What there is to try in the demo, for people and for scripts."""

from __future__ import annotations

import uuid
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.codes.views import url_of
from api.demo.budget.showing import cycles_to_try
from api.demo.ledger import made
from api.demo.named_polls import IN_A_ROOM, ON_A_LIST
from api.demo.people import FIRST_VOTER, number
from api.demo.polls import AT_LIBRARIES, CLOSED, GWANGHWAMUN, NEAR_GWANGHWAMUN, POLLS
from api.wiring import wiring
from mvote.base import database_time
from mvote.people.registering import register
from mvote.polls.onsite.slips import SlipPackage
from mvote.polls.poll import Poll
from mvote.polls.rooms import Room
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
        "posters": f"{_address(ids[AT_LIBRARIES.key])}/posters.pdf",
        "slips": _slips(session, ids[AT_LIBRARIES.key]),
        "room": room_to_try(session),
        "cycles": cycles_to_try(session),
        "nearby": {"poll": NEAR_GWANGHWAMUN.key, "position": GWANGHWAMUN},
    }


def room_to_try(session: Session) -> dict[str, str]:
    """What opens the demo's private room: its number and its password; {} without a demo."""
    room = session.get(Room, made(session).get(f"poll:{IN_A_ROOM.key}"))
    if room is None or IN_A_ROOM.password is None:
        return {}
    return {"room_number": room.number, "room_password": IN_A_ROOM.password}


def on_the_list(session: Session) -> uuid.UUID:
    """Somebody on the demo's list who has not voted; made when first asked for."""
    phone = number(FIRST_VOTER + ON_A_LIST.listed - 1)
    return register(session, number=phone, phones=current_app.extensions["phones"])


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
    hanging = (
        select(SiteCode)
        .where(SiteCode.poll_id == poll_id, SiteCode.kind == "link")
        .order_by(SiteCode.created_at)
    )
    return url_of(session.scalars(hanging.limit(1)).one())


def _slips(session: Session, poll_id: uuid.UUID) -> dict[str, str]:
    """Where the demo's package of slips is printed, once."""
    first = select(SlipPackage.id).where(SlipPackage.poll_id == poll_id)
    package_id = session.scalars(first.order_by(SlipPackage.created_at).limit(1)).one()
    url = f"{wiring().settings.public_url}/v1/slips/{package_id}/print"
    return {"id": str(package_id), "url": url}
