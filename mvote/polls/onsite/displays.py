"""Screens at a site: each has a key of its own, which shows the site's rotating codes only."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import CheckConstraint, Select, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, new_id, utc_now
from mvote.journal import Event, write_down
from mvote.polls.poll import Poll
from mvote.polls.site_codes import SiteCode

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KEY_LENGTH, GROUP = 24, 4
"""120 random bits in Crockford's base 32: a tablet without a camera is typed into."""
MOST_DISPLAYS = 100
MOST_CODES = 20
"""On one screen: so many buttons are more than anybody reads."""
OVER = ("cancelled", "closed", "counted", "published", "voided")


class Display(Base):
    """A screen that may show the rotating codes of one site, perhaps of one poll only."""

    __tablename__ = "display"
    __table_args__ = (CheckConstraint("octet_length(key_hash) = 32", name="key_hash_length"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    site_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: None: an officer's, for every public poll of the city that is held at the site
    poll_id: Mapped[uuid.UUID | None]
    #: what people call the tablet
    name: Mapped[str]
    #: SHA-256 of the key; the key itself is shown once, when it is made
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    created_by: Mapped[uuid.UUID]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    revoked_at: Mapped[dt.datetime | None]
    last_seen_at: Mapped[dt.datetime | None]


@dataclass(frozen=True, kw_only=True)
class DisplayMade(Event):
    kind: ClassVar[str] = "display:made"
    display_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class DisplayRevoked(Event):
    kind: ClassVar[str] = "display:revoked"
    display_id: uuid.UUID


def make_display(
    session: Session,
    *,
    site_id: uuid.UUID,
    poll_id: uuid.UUID | None,
    name: str,
    actor_id: uuid.UUID,
) -> tuple[Display, str]:
    """A new display and its key, as people type it; the key is known to nobody afterwards."""
    key = "".join(secrets.choice(ALPHABET) for _ in range(KEY_LENGTH))
    display = Display(
        site_id=site_id, poll_id=poll_id, name=name, key_hash=_hash_of(key), created_by=actor_id
    )
    session.add(display)
    session.flush()
    event = DisplayMade(display_id=display.id)
    write_down(session, event, actor_id=actor_id, subject_id=site_id)
    return display, "-".join(key[at : at + GROUP] for at in range(0, KEY_LENGTH, GROUP))


def revoke_display(session: Session, *, display: Display, actor_id: uuid.UUID) -> None:
    """End a display's key for good; a second time changes nothing."""
    if display.revoked_at is not None:
        return
    display.revoked_at = utc_now()
    event = DisplayRevoked(display_id=display.id)
    write_down(session, event, actor_id=actor_id, subject_id=display.site_id)


def displays_of(session: Session, site_id: uuid.UUID) -> Sequence[Display]:
    """The site's newest displays, the revoked ones too."""
    wanted = select(Display).where(Display.site_id == site_id).order_by(Display.id.desc())
    return session.scalars(wanted.limit(MOST_DISPLAYS)).all()


def display_of_key(session: Session, key: str) -> Display | None:
    """The display whose key this is, as somebody may have typed it; None if revoked or unknown."""
    found = select(Display).where(Display.key_hash == _hash_of(key), Display.revoked_at.is_(None))
    return session.scalars(found).one_or_none() if looks_like_a_key(key) else None


def looks_like_a_key(text: str) -> bool:
    """Whether this has the shape of a display's key."""
    plain = _plain(text)
    return len(plain) == KEY_LENGTH and not set(plain) - set(ALPHABET)


def note_seen(session: Session, *, display_id: uuid.UUID, now: dt.datetime) -> None:
    """Keep that the screen was there just now."""
    there = update(Display).where(Display.id == display_id, Display.revoked_at.is_(None))
    session.execute(there.values(last_seen_at=now))


def codes_on(session: Session, *, display: Display, now: dt.datetime) -> Sequence[SiteCode]:
    """The rotating codes that the display may show now, of polls that are not over.

    Those of the poll that opened first come first, so that no later one takes the screen; of one
    poll's codes the newest.
    """
    shown = _on_screen(display, now).order_by(
        Poll.opens_at, SiteCode.poll_id, SiteCode.created_at.desc(), SiteCode.code
    )
    return session.scalars(shown.limit(MOST_CODES)).all()


def may_show(session: Session, *, display: Display, code: SiteCode, now: dt.datetime) -> bool:
    """Whether the display may show this very code now."""
    this = _on_screen(display, now).where(SiteCode.code == code.code)
    return session.scalars(this).one_or_none() is not None


def _on_screen(display: Display, now: dt.datetime) -> Select[SiteCode]:
    """The city's own screens show no citizen's poll, which would speak in its name, and none of a
    private room, whose title is nobody's business: these need a screen of their own."""
    wanted = (
        select(SiteCode)
        .join(Poll, Poll.id == SiteCode.poll_id)
        .where(
            SiteCode.site_id == display.site_id,
            SiteCode.kind == "rotating",
            SiteCode.revoked_at.is_(None),
            SiteCode.valid_from <= now,
            or_(SiteCode.valid_until.is_(None), SiteCode.valid_until > now),
            Poll.frozen_at.is_not(None),
            Poll.state.not_in(OVER),
        )
    )
    if display.poll_id is not None:
        return wanted.where(SiteCode.poll_id == display.poll_id)
    return wanted.where(Poll.origin == "government", Poll.is_private.is_(False))


def _plain(key: str) -> str:
    return key.upper().replace("-", "").replace(" ", "") if key.isascii() else ""


def _hash_of(key: str) -> bytes:
    return hashlib.sha256(_plain(key).encode()).digest()
