"""Site codes: a code joins a site to a poll. Its twelve characters never admit anyone alone."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from sqlalchemy import CheckConstraint, Index, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, state_check, utc_now
from mvote.errors import Fault, InvalidRequest, NotFound, stands_for
from mvote.journal import Event, write_down
from mvote.polls.onsite.rotation import new_rotation
from mvote.polls.onsite.wrapping import CodeSecrets
from mvote.polls.poll import Poll
from mvote.polls.presence import Position, Verdict
from mvote.wording import say

CodeKind = Literal["link", "rotating", "steward"]
KINDS: tuple[CodeKind, ...] = ("link", "rotating", "steward")

stands_for(
    "ck_site_code_valid_from_before_until",
    lambda: InvalidRequest(Fault("/valid_until", say("Must be later than valid_from."))),
)


class SiteCode(Base):
    """One printed code: 12 characters that lead from a site to a poll."""

    __tablename__ = "site_code"
    __table_args__ = (
        state_check("kind", KINDS),
        CheckConstraint("valid_from < valid_until", name="valid_from_before_until"),
        CheckConstraint("code ~ '^[0-9A-HJKMNP-TV-Z]{12}$'", name="crockford"),
        Index("ix_site_code_poll_id", "poll_id"),
        Index("ix_site_code_site_id", "site_id"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    poll_id: Mapped[uuid.UUID]
    site_id: Mapped[uuid.UUID]
    kind: Mapped[CodeKind]
    valid_from: Mapped[dt.datetime]
    #: None: as long as the poll runs
    valid_until: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    created_by: Mapped[uuid.UUID]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    def is_active_at(self, now: dt.datetime) -> bool:
        """Neither revoked, nor too early, nor expired."""
        return self.valid_from <= now and not self.is_over_at(now)

    def is_over_at(self, now: dt.datetime) -> bool:
        """Revoked or expired: it will never be good again."""
        ended = self.valid_until is not None and self.valid_until <= now
        return self.revoked_at is not None or ended


@dataclass(frozen=True, kw_only=True)
class SiteCodeMade(Event):
    kind: ClassVar[str] = "site_code:made"
    poll_id: uuid.UUID
    code_kind: str


@dataclass(frozen=True, kw_only=True)
class SiteCodeRevoked(Event):
    kind: ClassVar[str] = "site_code:revoked"
    poll_id: uuid.UUID


class Sites(Protocol):
    """What site codes ask of the places."""

    def knows_site(self, session: Session, *, site_id: uuid.UUID) -> bool:
        """Whether there is such a site."""

    def verdict_at_site(
        self, session: Session, *, site_id: uuid.UUID, position: Position
    ) -> Verdict:
        """Whether *position* proves presence within the site's radius."""

    def join_site(self, session: Session, *, poll_id: uuid.UUID, site_id: uuid.UUID) -> None:
        """Let the poll be found by those who are near the site."""

    def part_site(self, session: Session, *, poll_id: uuid.UUID, site_id: uuid.UUID) -> None:
        """Let it no longer be found there."""


@dataclass(frozen=True, kw_only=True)
class WantedCode:
    """What a new code is to be."""

    poll: Poll
    site_id: uuid.UUID
    kind: CodeKind
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None


def make_site_code(
    session: Session,
    *,
    wanted: WantedCode,
    actor_id: uuid.UUID,
    sites: Sites,
    draw: Callable[[], str],
    secrets: CodeSecrets,
) -> SiteCode:
    """Join a site to a poll by a code that *draw* gives. Raises NotFound for an unknown site."""
    if not sites.knows_site(session, site_id=wanted.site_id):
        raise NotFound
    code = SiteCode(
        code=draw(),
        poll_id=wanted.poll.id,
        site_id=wanted.site_id,
        kind=wanted.kind,
        valid_from=wanted.valid_from or utc_now(),
        valid_until=wanted.valid_until,
        created_by=actor_id,
    )
    session.add(code)
    session.flush()
    if code.kind == "rotating":
        session.add(new_rotation(code.code, secrets))
    sites.join_site(session, poll_id=code.poll_id, site_id=code.site_id)
    event = SiteCodeMade(poll_id=code.poll_id, code_kind=code.kind)
    write_down(session, event, actor_id=actor_id, subject_id=code.site_id)
    return code


def revoke_site_code(
    session: Session, *, code: SiteCode, actor_id: uuid.UUID, sites: Sites
) -> None:
    """End a code for good; a second time changes nothing."""
    if code.revoked_at is not None:
        return
    code.revoked_at = utc_now()
    session.flush()
    if not _others_join(session, code):
        sites.part_site(session, poll_id=code.poll_id, site_id=code.site_id)
    event = SiteCodeRevoked(poll_id=code.poll_id)
    write_down(session, event, actor_id=actor_id, subject_id=code.site_id)


def _others_join(session: Session, code: SiteCode) -> bool:
    """Whether another code still joins the same site to the same poll."""
    others = select(SiteCode.code).where(
        SiteCode.poll_id == code.poll_id,
        SiteCode.site_id == code.site_id,
        SiteCode.revoked_at.is_(None),
    )
    return session.scalars(others.limit(1)).first() is not None


def site_code(session: Session, code: str) -> SiteCode:
    """The site code in its stored form. Raises NotFound."""
    found = session.get(SiteCode, code)
    if found is None:
        raise NotFound
    return found


def codes_to_hang(
    session: Session, *, poll_id: uuid.UUID, now: dt.datetime, limit: int, offset: int = 0
) -> list[SiteCode]:
    """One code for each site of the poll, of those that are good now or will be, by their sites.

    A link before the others; of those of one kind the newest.
    """
    others = (SiteCode.kind != "link", SiteCode.created_at.desc(), SiteCode.code)
    wanted = (
        select(SiteCode)
        .ext(distinct_on(SiteCode.site_id))
        .where(
            SiteCode.poll_id == poll_id,
            SiteCode.revoked_at.is_(None),
            or_(SiteCode.valid_until.is_(None), SiteCode.valid_until > now),
        )
        .order_by(SiteCode.site_id, *others)
    )
    return list(session.scalars(wanted.limit(limit).offset(offset)))
