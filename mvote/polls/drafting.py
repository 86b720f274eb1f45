"""Drafting a poll: by a citizen within the quota, or by an officer for a department."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Select, not_, or_, select, text
from sqlalchemy.orm import Session

from mvote.approvals import one_at_a_time
from mvote.base import database_time
from mvote.errors import (
    Fault,
    ImpossibleTransition,
    InvalidRequest,
    NotAllowed,
    NotFound,
    stands_for,
)
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.polls.places import Places
from mvote.polls.poll import Origin, Poll, after
from mvote.polls.quota import check_drafting
from mvote.wording import say

stands_for(
    "ck_poll_opens_before_it_closes",
    lambda: InvalidRequest(Fault("/closes_at", say("Must be later than opens_at."))),
)


@dataclass(frozen=True, kw_only=True)
class Author:
    """On whose behalf a poll is made: a citizen's own, or a department's."""

    citizen_id: uuid.UUID
    department_id: uuid.UUID | None = None

    @classmethod
    def of(cls, citizen: Citizen) -> Author:
        """An officer acts for their (first) department, anyone else for themselves."""
        departments = sorted(citizen.department_ids)
        return cls(
            citizen_id=citizen.id,
            department_id=departments[0] if citizen.is_officer and departments else None,
        )

    @property
    def origin(self) -> Origin:
        return "government" if self.department_id else "citizen"


@dataclass(frozen=True, kw_only=True)
class PollDrafted(Event):
    kind: ClassVar[str] = "poll:drafted"
    origin: str


@dataclass(frozen=True, kw_only=True)
class PollCancelled(Event):
    kind: ClassVar[str] = "poll:cancelled"


def draft_poll(
    session: Session,
    *,
    author: Author,
    content: dict[str, Any],
    opens_at: dt.datetime | None,
    closes_at: dt.datetime | None,
    places: Places,
    quota: int,
) -> Poll:
    """A new draft. Raises QuotaReached for a citizen with *quota* polls in the last seven days,
    TooManyDrafts for one who leaves them lying.
    """
    if author.origin == "citizen":
        check_drafting(session, author_id=author.citizen_id, quota=quota)
    poll = Poll(
        author_id=author.citizen_id,
        department_id=author.department_id,
        origin=author.origin,
        content=content,
        opens_at=opens_at,
        closes_at=closes_at,
    )
    session.add(poll)
    session.flush()  # the area refers to the poll
    _save_area(session, poll, places)
    event = PollDrafted(origin=author.origin)
    write_down(session, event, actor_id=author.citizen_id, subject_id=poll.id)
    return poll


def revise_draft(session: Session, *, poll: Poll, changes: dict[str, Any], places: Places) -> None:
    """Change a draft: *changes* holds members of the content, `opens_at`, `closes_at`."""
    if poll.state != "draft":
        raise ImpossibleTransition(state=poll.state, verb="revise")
    for name in ("opens_at", "closes_at"):
        if name in changes:
            setattr(poll, name, changes[name])
    content = {key: changes[key] for key in changes if key not in ("opens_at", "closes_at")}
    poll.content = {
        key: value for key, value in (poll.content | content).items() if value is not None
    }
    poll.version += 1
    poll.revised_at = database_time(session)
    session.flush()
    if "presence" in changes:
        _save_area(session, poll, places)


def _save_area(session: Session, poll: Poll, places: Places) -> None:
    presence = poll.content.get("presence") or {}
    area = presence.get("area") if presence.get("rule") == "area" else None
    places.save_area(
        session, poll_id=poll.id, area=area, max_accuracy_m=presence.get("max_accuracy_m")
    )


def cancel_poll(session: Session, *, poll: Poll, actor_id: uuid.UUID, places: Places) -> None:
    """Cancel a draft, or a frozen poll before voting begins. Raises ImpossibleTransition."""
    now = _time_after_casts_in_flight(session, poll)
    if poll.status_at(now) not in ("draft", "scheduled"):
        raise ImpossibleTransition(state=poll.status_at(now), verb="cancel")
    poll.state = after(poll.state, "cancel")
    poll.cancelled_at = now
    session.flush()
    places.hide(session, poll_id=poll.id)
    write_down(session, PollCancelled(), actor_id=actor_id, subject_id=poll.id)


def _time_after_casts_in_flight(session: Session, poll: Poll) -> dt.datetime:
    """The database's clock, once nobody casts in the poll any more; nobody begins until commit."""
    session.execute(text("SELECT pg_advisory_xact_lock(poll_lock(:id))"), {"id": poll.id})
    return database_time(session)


def may_know_of(poll: Poll, citizen: Citizen | None) -> bool:
    """Everyone may know of a public poll that was frozen; of others only its own people."""
    is_public = poll.frozen_at is not None and not poll.is_private
    return is_public or (citizen is not None and is_own(poll, citizen))


def is_own(poll: Poll, citizen: Citizen) -> bool:
    """The author's own, or an officer's of the same department."""
    if poll.department_id is None:
        return poll.author_id == citizen.id
    return citizen.is_officer and poll.department_id in citizen.department_ids


def behind_doors(officer: Citizen) -> Select[uuid.UUID]:
    """The ids of private polls that are not the officer's own department's."""
    private = select(Poll.id).where(Poll.is_private)
    own = Poll.department_id.in_(officer.department_ids)
    return private.where(or_(Poll.department_id.is_(None), not_(own)))


def private_among(session: Session, ids: Iterable[uuid.UUID | None]) -> frozenset[uuid.UUID]:
    """Those of the polls that are private."""
    return frozenset(session.scalars(select(Poll.id).where(Poll.id.in_(ids), Poll.is_private)))


def poll_known_to(
    session: Session, poll_id: uuid.UUID, citizen: Citizen | None, *, has_pass: bool = False
) -> Poll:
    """The poll, if *citizen* may know of it or *has_pass* for its room. Raises NotFound."""
    poll = session.get(Poll, poll_id)
    if poll is None:
        raise NotFound
    if not (may_know_of(poll, citizen) or (has_pass and poll.frozen_at is not None)):
        raise NotFound
    return poll


def own_poll(session: Session, poll_id: uuid.UUID, citizen: Citizen) -> Poll:
    """The poll, locked for change, if it is *citizen*'s own. Raises NotFound, NotAllowed."""
    one_at_a_time(session, poll_id)
    poll = session.get(Poll, poll_id, with_for_update=True, populate_existing=True)
    if poll is None or not may_know_of(poll, citizen):
        raise NotFound
    if not is_own(poll, citizen):
        raise NotAllowed
    return poll
