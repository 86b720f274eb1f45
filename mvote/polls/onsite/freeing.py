"""Freeing a site of what an officer may not know of: the codes of private polls of others."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mvote.budget.telling.bulletin import Bulletin
from mvote.errors import Text
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.polls.drafting import behind_doors
from mvote.polls.poll import Poll
from mvote.polls.site_codes import SiteCode, Sites, revoke_site_code


@dataclass(frozen=True, kw_only=True)
class SiteFreed(Event):
    """Names no poll and no number of codes: who reads it learns no more than who did it."""

    kind: ClassVar[str] = "site:freed"
    reason: dict[str, str]


def free_site(
    session: Session, *, site_id: uuid.UUID, name: Text, reason: Text, by: Citizen, sites: Sites
) -> None:
    """Revoke every code at the site of private polls that *by* may not know of.

    Whether there was any is not said. The polls' authors are told, with *reason* and the *name* of
    the site.
    """
    codes = _unknown_codes(session, site_id, by)
    for code in codes:
        revoke_site_code(session, code=code, actor_id=by.id, sites=sites)
    for poll_id in sorted({code.poll_id for code in codes}):
        facts = {"reason": reason, "site": name}
        session.add(Bulletin(kind="poll_codes_revoked", poll_id=poll_id, facts=facts))
    session.flush()
    write_down(session, SiteFreed(reason=reason), actor_id=by.id, subject_id=site_id)


def _unknown_codes(session: Session, site_id: uuid.UUID, by: Citizen) -> Sequence[SiteCode]:
    """Locked, and in one order for all who do this.

    First the rows of the polls, which the news to their authors locks in any case; places follow.
    So do those who open or cancel a poll: the other way round each would wait for the other.
    """
    unknown = (
        SiteCode.site_id == site_id,
        SiteCode.revoked_at.is_(None),
        SiteCode.poll_id.in_(behind_doors(by)),
    )
    polls = select(Poll.id).where(Poll.id.in_(select(SiteCode.poll_id).where(*unknown)))
    held_still = polls.order_by(Poll.id).with_for_update(read=True, key_share=True)
    poll_ids = session.scalars(held_still).all()
    codes = select(SiteCode).where(*unknown, SiteCode.poll_id.in_(poll_ids))
    return session.scalars(codes.order_by(SiteCode.code).with_for_update()).all()
