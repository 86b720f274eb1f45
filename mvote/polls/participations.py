"""The polls a citizen took part in: *that*, never what, and only while the roll keys live."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.poll_keys import PollKeyring
from mvote.ballotbox.sealing import voter_tag_of
from mvote.people.citizens import Citizen
from mvote.people.voters import anchor_at, anchors_of
from mvote.polls.poll import Poll

CHUNK = 200
MOST_LOOKED_AT = 1000
"""Polls in one page of a list: each costs a look into the keystore and a hash."""
_AMONG = text(
    "SELECT p FROM unnest(CAST(:polls AS uuid[]), CAST(:tags AS bytea[])) AS t (p, tag)"
    " WHERE took_part(p, tag)"
)


@dataclass(frozen=True)
class TookPart:
    """Some of the polls, newest first; behind `next` more may be, if it is not None."""

    polls: Sequence[Poll]
    next: uuid.UUID | None


def polls_took_part_in(
    session: Session,
    *,
    citizen_id: uuid.UUID,
    keyring: PollKeyring,
    before: uuid.UUID | None,
    limit: int,
) -> TookPart:
    """Up to *limit* polls, newest first, older than *before*; fewer, if they lie far apart.

    No table joins citizens with participations: each poll's tag is computed and looked up. Nobody
    sees where somebody else took part who had their number or identity before them: not in polls
    that ended before the account was made, nor, if it began with anchors that were remembered, in
    those that had opened.
    """
    found: list[Poll] = []
    looked_at = 0
    for chunk, mine in _search(session, citizen_id, keyring, before):
        found += mine
        looked_at += len(chunk)
        if len(found) > limit:
            return TookPart(found[:limit], found[limit - 1].id)
        if len(chunk) < CHUNK:
            break
        if looked_at >= MOST_LOOKED_AT:
            return TookPart(found, chunk[-1].id)
    return TookPart(found, None)


def all_polls_took_part_in(
    session: Session, *, citizen_id: uuid.UUID, keyring: PollKeyring
) -> list[Poll]:
    """Every one, newest first, however many polls there were since the account was made."""
    chunks = _search(session, citizen_id, keyring, None)
    return [poll for _, mine in chunks for poll in mine]


def _search(
    session: Session, citizen_id: uuid.UUID, keyring: PollKeyring, before: uuid.UUID | None
) -> Iterator[tuple[Sequence[Poll], Sequence[Poll]]]:
    """Polls that have begun, chunk by chunk, and those among them in which they took part."""
    made_at = session.scalar(select(Citizen.created_at).where(Citizen.id == citizen_id))
    if made_at is None:  # gone at this moment
        return
    anchors = anchors_of(session, citizen_id)
    is_heir = any(each.since < made_at for each in anchors)
    since = (Poll.opens_at if is_heir else Poll.closes_at) >= made_at
    while chunk := _begun_polls(session, before, since):
        yield chunk, _among(session, chunk, anchors, keyring)
        before = chunk[-1].id


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
