"""A screen in the demo's library: a code that rotates there, and a new key for whoever tries it."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.demo.asking import hang_code
from api.demo.ledger import made
from api.demo.polls import AT_LIBRARIES
from api.wiring import wiring
from mvote.polls.onsite.displays import OVER, displays_of, make_display, revoke_display
from mvote.polls.poll import Poll
from mvote.polls.site_codes import SiteCode

NAME = "demo"


def new_screen(session: Session) -> str | None:
    """The address to open on a tablet; screens of the demo before it go dark. None without a demo,
    or once its poll is over."""
    known = made(session)
    poll_id, site_id = (
        known.get(name) for name in (f"poll:{AT_LIBRARIES.key}", f"site:{AT_LIBRARIES.sites[0]}")
    )
    poll = session.get(Poll, poll_id) if poll_id else None
    if poll is None or site_id is None or poll.state in OVER:
        return None
    _hang_code(session, poll, site_id)
    for each in displays_of(session, site_id):
        if each.name == NAME:
            revoke_display(session, display=each, actor_id=poll.author_id)
    _, key = make_display(
        session, site_id=site_id, poll_id=poll.id, name=NAME, actor_id=poll.author_id
    )
    return f"{wiring().settings.public_url}/display#{key}"


def _hang_code(session: Session, poll: Poll, site_id: uuid.UUID) -> None:
    """A rotating code, if none is there yet."""
    there = select(SiteCode.code).where(
        SiteCode.poll_id == poll.id, SiteCode.site_id == site_id, SiteCode.kind == "rotating"
    )
    if session.scalars(there.limit(1)).first() is None:
        hang_code(session, poll, site_id, kind="rotating")
