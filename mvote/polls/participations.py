"""The polls a citizen took part in: *that*, never what, and only while the roll keys live."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.poll_keys import PollKeyring
from mvote.ballotbox.sealing import voter_tag_of
from mvote.people.citizens import Citizen
from mvote.people.voters import anchor_at, anchors_of
from mvote.polls.poll import Poll

CHUNK = 200
_AMONG = text(
    "SELECT p FROM unnest(CAST(:polls AS uuid[]), CAST(:tags AS bytea[])) AS t (p, tag)"
    " WHERE took_part(p, tag)"
)


def polls_took_part_in(
    session: Session,
    *,
    citizen_id: uuid.UUID,
    keyring: PollKeyring,
    before: uuid.UUID | None,
    limit: int,
) -> list[Poll]:
    """Up to *limit* polls, newest first, older than *before*.

    No table joins citizens with participations: each poll's tag is computed and looked up. Nobody
    sees where somebody else took part who had their number or identity before them: not in polls
    that ended before the account was made, nor, if it began with anchors that were remembered, in
    those that had opened.
    """
    made_at = session.scalar(select(Citizen.created_at).where(Citizen.id == citizen_id))
    if made_at is None:  # gone at this moment
        return []
    anchors = anchors_of(session, citizen_id)
    is_heir = any(each.since < made_at for each in anchors)
    since = (Poll.opens_at if is_heir else Poll.closes_at) >= made_at
    found: list[Poll] = []
    while len(found) < limit:
        chunk = _begun_polls(session, before, since)
        found += _among(session, chunk, anchors, keyring)
        if len(chunk) < CHUNK:
            break
        before = chunk[-1].id
    return found[:limit]


def _begun_polls(
    session: Session, before: uuid.UUID | None, since: ColumnElement[bool]
) -> Sequence[Poll]:
    begun = select(Poll).where(
        since,
        Poll.frozen_at.is_not(None),
        Poll.opens_at <= func.clock_timestamp(),
        Poll.state != "cancelled",
    )
    if before is not None:
        begun = begun.where(Poll.id < before)
    return session.scalars(begun.order_by(Poll.id.desc()).limit(CHUNK)).all()


def _among(
    session: Session, polls: Sequence[Poll], anchors: Sequence[Any], keyring: PollKeyring
) -> list[Poll]:
    tags: dict[uuid.UUID, bytes] = {}
    for poll in polls:
        keys = keyring.of(poll.id, remember=False)
        if keys is not None and poll.opens_at is not None:
            anchor = anchor_at(anchors, poll.opens_at)
            tags[poll.id] = voter_tag_of(keys.V, poll.id.bytes, anchor)
    bound = {"polls": list(tags), "tags": list(tags.values())}
    took_part = set(session.scalars(_AMONG, bound)) if tags else set()
    return [poll for poll in polls if poll.id in took_part]


def last_poll_ends(session: Session) -> dt.datetime | None:
    """When the last poll that is frozen now will have closed; None if there is none.

    None of them is extended until the caller's transaction ends: an extension lets those who have
    left be known for longer, and must not miss one who is leaving.
    """
    ends: dt.datetime | None = session.scalar(select(func.last_poll_ends()))
    return ends and ends.astimezone(dt.UTC)
