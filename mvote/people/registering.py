"""Making accounts: one confirmed number, one citizen, and the anchor that number ever had."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from mvote.base import new_id, utc_now
from mvote.people.anchors import write_first
from mvote.people.citizens import Citizen
from mvote.people.phones import Phones


def register(session: Session, *, number: str, phones: Phones) -> uuid.UUID:
    """The citizen whose confirmed *number* (E.164) this is; made now, if there is none yet."""
    return register_many(session, numbers=[number], phones=phones)[0]


def register_many(session: Session, *, numbers: Sequence[str], phones: Phones) -> list[uuid.UUID]:
    """The citizens of confirmed *numbers* (E.164), in their order; made now, if not yet there.

    Two who confirm one number at once get one account: the later waits for the earlier. Rows are
    written in the order of their hashes, so that two such calls cannot wait for each other.
    """
    now = utc_now()
    hashes = [phones.hash_of(number) for number in numbers]
    number_of = dict(sorted(zip(hashes, numbers, strict=True)))
    proposed = {phone_hash: new_id() for phone_hash in number_of}
    kept = _write_citizens(session, proposed, number_of, phones, now)
    new = {kept[key]: key for key, id_ in proposed.items() if kept[key] == id_}
    first = {id_: phones.anchor_of(number_of[phone_hash]) for id_, phone_hash in new.items()}
    write_first(session, new, first, now)
    return [kept[phone_hash] for phone_hash in hashes]


def _write_citizens(
    session: Session,
    proposed: Mapping[bytes, uuid.UUID],
    number_of: Mapping[bytes, str],
    phones: Phones,
    now: dt.datetime,
) -> dict[bytes, uuid.UUID]:
    """Insert accounts, or lock those that are there; which id each number has."""
    rows = [
        {
            "id": id_,
            "created_at": now,
            "phone_hash": phone_hash,
            "phone_sealed": phones.seal(number_of[phone_hash]),
        }
        for phone_hash, id_ in proposed.items()
    ]
    statement = upsert(Citizen)
    statement = statement.on_conflict_do_update(
        index_elements=[Citizen.phone_hash],
        set_={"phone_sealed": statement.excluded.phone_sealed},
    )
    found = session.execute(statement.returning(Citizen.phone_hash, Citizen.id), rows)
    return {phone_hash: id_ for phone_hash, id_ in found if phone_hash is not None}
