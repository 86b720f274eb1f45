"""The end of the key that sealed the numbers of a poll's invitations."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from mvote.polls.inviting.invitation import Invitation
from mvote.polls.poll import Poll


def without_numbers(session: Session, poll_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Those of *poll_ids* whose numbers are all sent or given up, if they ever had any, and that
    get no more: only a draft may be given another roll.

    It asks nobody whether sending was ever started: what was not is given up when voting ends.
    """
    left = exists().where(Invitation.poll_id == Poll.id, Invitation.sealed.is_not(None))
    over = select(Poll.id).where(Poll.id.in_(poll_ids), Poll.state != "draft", ~left)
    return list(session.scalars(over)) if poll_ids else []
