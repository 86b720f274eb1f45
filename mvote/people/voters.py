"""The voter as casting sees them: an anchor and attributes, read in one statement."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from mvote.people.attributes import Attribute
from mvote.people.citizens import Anchor


@dataclass(frozen=True, slots=True)
class VoterAttribute:
    """One attribute's value; of an area also the codes of all areas that contain it."""

    value: Any
    lineage: Sequence[str]
    verified: bool


@dataclass(frozen=True, slots=True)
class Voter:
    """Who votes, at the moment of one cast in one poll."""

    id: uuid.UUID
    #: 32 bytes: the same for one person in all that a poll's time saw of them
    anchor: bytes
    attributes: Mapping[str, VoterAttribute]


# An account's rows, one for each pair of anchor and attribute: nearly always a single anchor.
# No ORM objects and no second statement, because every cast goes through here.
_ROWS = (
    select(
        Anchor.__table__.c.since,
        Anchor.__table__.c.anchor,
        Attribute.__table__.c.name,
        Attribute.__table__.c.value,
        Attribute.__table__.c.lineage,
        Attribute.__table__.c.verified_at.is_not(None),
    )
    .select_from(Anchor.__table__)
    .outerjoin(
        Attribute.__table__, Attribute.__table__.c.citizen_id == Anchor.__table__.c.citizen_id
    )
    .where(Anchor.__table__.c.citizen_id == bindparam("citizen_id"))
    .order_by(Anchor.__table__.c.since)
)


def voter_of(session: Session, citizen_id: uuid.UUID, *, opened_at: dt.datetime) -> Voter | None:
    """The voter that a citizen is in a poll opened at *opened_at*; None if the account is gone.

    The anchor is the one in force at that instant; an account made later votes by its first.
    """
    rows: Sequence[Any] = session.connection().execute(_ROWS, {"citizen_id": citizen_id}).all()
    if not rows:
        return None
    return Voter(citizen_id, _anchor_at(rows, opened_at), _attributes(rows))


def _anchor_at(rows: Sequence[Sequence[Any]], opened_at: dt.datetime) -> bytes:
    """*rows* come in order of time, so the last one not after the opening was in force."""
    anchor: bytes = rows[0][1]
    for row in rows:
        if row[0] <= opened_at:
            anchor = row[1]
    return anchor


def _attributes(rows: Sequence[Sequence[Any]]) -> dict[str, VoterAttribute]:
    return {
        name: VoterAttribute(value, lineage, verified)
        for _, _, name, value, lineage, verified in rows
        if name is not None
    }


def anchors_of(session: Session, citizen_id: uuid.UUID) -> Sequence[Any]:
    """(since, anchor) of each anchor of an account, in order of time."""
    mine = select(Anchor.since, Anchor.anchor).where(Anchor.citizen_id == citizen_id)
    return session.execute(mine.order_by(Anchor.since)).all()


def anchor_at(anchors: Sequence[Any], opened_at: dt.datetime) -> bytes:
    """The anchor that counts in a poll opened at *opened_at*; *anchors* as `anchors_of` gives."""
    return _anchor_at(anchors, opened_at)
