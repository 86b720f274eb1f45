"""Drafting and opening the demo's polls, as their authors would, and hanging their codes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.demo import people
from api.demo.ledger import DemoMade, note
from api.demo.poll_shapes import DemoPoll
from api.polls.schemas import NewPoll
from api.wiring import wiring
from mvote.base import utc_now
from mvote.polls.drafting import Author, draft_poll
from mvote.polls.opening import open_poll
from mvote.polls.poll import Poll
from mvote.polls.site_codes import WantedCode, make_site_code
from qr.codes import new_site_code

WEEKLY_QUOTA = 1_000
"""So many polls of the demo's one citizen are within the quota: it is meant for real ones."""


def is_open(session: Session, poll_id: uuid.UUID) -> bool:
    """Whether ballots are taken, by the database's clock."""
    found = select(Poll.id).where(
        Poll.id == poll_id, Poll.state == "open", Poll.closes_at > func.clock_timestamp()
    )
    return session.scalars(found).one_or_none() is not None


def ask(
    session: Session, demo_poll: DemoPoll, period: dt.timedelta, sites: Mapping[str, uuid.UUID]
) -> uuid.UUID:
    """Open the poll from now on for *period*; *sites*: ids by key."""
    author = people.author(session, demo_poll.author)
    now: dt.datetime = session.scalars(select(func.clock_timestamp())).one()
    poll = draft_poll(
        session,
        author=author,
        content=NewPoll().load(demo_poll.content),
        opens_at=None,
        closes_at=now + period,
        places=wiring().places,
        quota=WEEKLY_QUOTA,
    )
    open_poll(session, poll=poll, actor_id=author.citizen_id, around=wiring().around)
    for key in demo_poll.sites:
        _hang_code(session, poll, sites[key], author)
    note(session, DemoMade(name=f"poll:{demo_poll.key}", made=poll.id))
    return poll.id


def _hang_code(session: Session, poll: Poll, site_id: uuid.UUID, author: Author) -> None:
    wanted = WantedCode(
        poll=poll, site_id=site_id, kind="link", valid_from=utc_now(), valid_until=None
    )
    make_site_code(
        session,
        wanted=wanted,
        actor_id=author.citizen_id,
        sites=wiring().places,
        draw=new_site_code,
        secrets=wiring().gate.secrets,
    )
