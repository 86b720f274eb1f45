"""The voter as casting sees them: an anchor and attributes; many voters read in one statement."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Uuid, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from mvote.driver import Connection, driver_sql, rows_of
from mvote.people.attributes import Attribute
from mvote.people.citizens import Anchor, Citizen


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
    #: 32 bytes: the same for one person in all that a poll's time saw of them; none for whoever
    #: has confirmed neither a number nor an identity
    anchor: bytes
    attributes: Mapping[str, VoterAttribute]
    #: whether they are among those whom the poll asks by name; looked up only where it does
    is_on_roll: bool = False


Wanted = tuple[uuid.UUID, dt.datetime]
"""A citizen, and when the poll opened in which they are a voter."""

# An account's anchors, nearly always one, each with all its attributes as one JSON object. No ORM
# and no second statement, because every cast goes through here.
_NAMED = func.json_object_agg(
    Attribute.__table__.c.name,
    func.json_build_array(
        Attribute.__table__.c.value,
        Attribute.__table__.c.lineage,
        Attribute.__table__.c.verified_at.is_not(None),
    ),
    type_=JSON,
)
_ROWS = (
    select(
        Citizen.__table__.c.id,
        Anchor.__table__.c.since,
        Anchor.__table__.c.anchor,
        select(_NAMED)
        .where(Attribute.__table__.c.citizen_id == Citizen.__table__.c.id)
        .scalar_subquery(),
    )
    .select_from(Citizen.__table__.outerjoin(Anchor.__table__))
    .where(Citizen.__table__.c.id == any_(bindparam("citizen_ids", type_=ARRAY(Uuid()))))
    .order_by(Anchor.__table__.c.since)
)
_ROWS_OF_DRIVER = driver_sql(_ROWS)


def voter_of(session: Session, citizen_id: uuid.UUID, *, opened_at: dt.datetime) -> Voter | None:
    """The voter that a citizen is in a poll opened at *opened_at*; None if the account is gone.

    The anchor is the one in force at that instant; an account made later votes by its first.
    """
    return voters_of(session, [(citizen_id, opened_at)])[0]


def voters_of(session: Session, wanted: Sequence[Wanted]) -> list[Voter | None]:
    """The voters *wanted*, in their order: see `voter_of`."""
    citizen_ids = [citizen_id for citizen_id, _ in wanted]
    rows = session.connection().execute(_ROWS, {"citizen_ids": citizen_ids})
    return _voters_in(rows, wanted)


def voters_seen(connection: Connection, wanted: Sequence[Wanted]) -> list[Voter | None]:
    """As `voters_of`, straight from the driver."""
    citizen_ids = [citizen_id for citizen_id, _ in wanted]
    return _voters_in(rows_of(connection, _ROWS_OF_DRIVER, {"citizen_ids": citizen_ids}), wanted)


def _voters_in(rows: Iterable[Sequence[Any]], wanted: Sequence[Wanted]) -> list[Voter | None]:
    found: dict[uuid.UUID, list[Sequence[Any]]] = {citizen_id: [] for citizen_id, _ in wanted}
    for row in rows:
        found[row[0]].append(row[1:])
    return [
        Voter(citizen_id, anchor_at(mine, opened_at), _attributes(mine[0][2]))
        if (mine := found[citizen_id])
        else None
        for citizen_id, opened_at in wanted
    ]


def _attributes(named: Mapping[str, Sequence[Any]] | None) -> dict[str, VoterAttribute]:
    return {name: VoterAttribute(*known) for name, known in (named or {}).items()}


def anchors_of(session: Session, citizen_id: uuid.UUID) -> Sequence[Any]:
    """(since, anchor) of each anchor of an account, in order of time."""
    mine = select(Anchor.since, Anchor.anchor).where(Anchor.citizen_id == citizen_id)
    return session.execute(mine.order_by(Anchor.since)).all()


def anchor_at(anchors: Sequence[Sequence[Any]], opened_at: dt.datetime) -> bytes:
    """The anchor that counts in a poll opened at *opened_at*: the last one not after it, else the
    first. *anchors* begin with (since, anchor) each and come in order of time; no bytes for none.
    """
    anchor: bytes = anchors[0][1] or b""
    for since, each, *_ in anchors:
        if since is not None and since <= opened_at:
            anchor = each
    return anchor
