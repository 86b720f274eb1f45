"""Drafting and opening the demo's polls, as their authors would, and hanging their codes."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.demo import people
from api.demo.ledger import DemoMade, note
from api.demo.poll_shapes import DemoPoll
from api.polls.rolls import desk
from api.polls.schemas import NewPoll
from api.wiring import wiring
from mvote.people.citizens import Citizen
from mvote.polls.drafting import Author, draft_poll
from mvote.polls.onsite.slips import make_package
from mvote.polls.opening import open_poll
from mvote.polls.poll import Poll
from mvote.polls.rolls.importing import entries_of, keep_roll, read_roll
from mvote.polls.rolls.reading import Choice
from mvote.polls.rooms import lock_room
from mvote.polls.site_codes import CodeKind, SiteCode, WantedCode, make_site_code
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
    poll = _draft(session, demo_poll, period, author)
    if demo_poll.listed:
        _put_on_roll(session, poll, people.numbers(demo_poll.listed))
    open_poll(session, poll=poll, actor_id=author.citizen_id, around=wiring().around)
    for key in demo_poll.sites:
        hang_code(session, poll, sites[key], kind="link")
    if demo_poll.slips:
        _lay_out_slips(session, poll, sites[demo_poll.sites[0]], demo_poll.slips)
    note(session, DemoMade(name=f"poll:{demo_poll.key}", made=poll.id))
    return poll.id


def _draft(session: Session, demo_poll: DemoPoll, period: dt.timedelta, author: Author) -> Poll:
    now: dt.datetime = session.scalars(select(func.clock_timestamp())).one()
    content = NewPoll().load(demo_poll.content)
    password = content.pop("room_password", None)
    poll = draft_poll(
        session,
        author=author,
        content=content,
        opens_at=None,
        closes_at=now + period,
        places=wiring().places,
        quota=WEEKLY_QUOTA,
    )
    if password is not None:
        lock_room(session, poll=poll, password=password, passwords=wiring().room_passwords)
    return poll


def _put_on_roll(session: Session, poll: Poll, numbers: Sequence[str]) -> None:
    """As its author would: from a file."""
    file = io.BytesIO("\n".join(["휴대폰", *numbers]).encode())
    found = read_roll(file, "csv", desk=desk(), choice=Choice(sheet=None, column=None))
    entries, by = entries_of(poll.id, found, desk()), session.get_one(Citizen, poll.author_id)
    keep_roll(session, poll_id=poll.id, by=by, found=found, entries=entries, desk=desk())


def hang_code(session: Session, poll: Poll, site_id: uuid.UUID, *, kind: CodeKind) -> SiteCode:
    """A code at the site, by the poll's author."""
    wanted = WantedCode(poll=poll, site_id=site_id, kind=kind, valid_from=None, valid_until=None)
    return make_site_code(
        session,
        wanted=wanted,
        actor_id=poll.author_id,
        sites=wiring().places,
        draw=new_site_code,
        secrets=wiring().gate.secrets,
    )


def _lay_out_slips(session: Session, poll: Poll, site_id: uuid.UUID, count: int) -> None:
    """A package for a steward, to be printed by whoever tries it: it can be printed once."""
    code = hang_code(session, poll, site_id, kind="steward")
    slips = [new_site_code() for _ in range(count)]
    make_package(
        session, code=code, slips=slips, secrets=wiring().gate.secrets, actor_id=poll.author_id
    )
