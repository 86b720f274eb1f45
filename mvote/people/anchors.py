"""What becomes of anchors: no number or identity that changes hands votes twice in one poll.

An anchor is what a person's ballots are counted once by. In a poll counts the one that the account
had when the poll opened. So whatever changes anchors takes effect for polls opened from an instant
on, and no poll may open at that very moment: both sides take one lock.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import LargeBinary, any_, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from mvote.people.citizens import HASH_BYTES, Anchor, Citizen, Tombstone
from mvote.people.voters import anchor_at, anchors_of

LastPollEnds = Callable[[Session], dt.datetime | None]
"""When the last poll that now lives will have ended; None if none lives."""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('anchors', 9))")
# A poll that begins while the change is not yet committed would be cast in under both anchors:
# those of the next minute count as opened before.
_FROM_NOW_ON = text(
    "SELECT greatest(clock_timestamp(), max(opens_at) + interval '1 microsecond') FROM poll"
    " WHERE state = 'open'"
    " AND opens_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '1 minute'"
)
# Of the polls in which votes may be cast at this moment.
_LIVING = text(
    "SELECT opens_at FROM poll WHERE state = 'open'"
    " AND opens_at <= clock_timestamp() AND closes_at > clock_timestamp()"
)
_COUNTS = Tombstone.until > func.clock_timestamp()
MOMENT = dt.timedelta(microseconds=1)


def hold_still(session: Session) -> None:
    """Let no anchor change, and no poll open, but in this transaction. Taken before row locks."""
    session.execute(_LOCK)


def from_now_on(session: Session) -> dt.datetime:
    """The instant from which polls that open have changed anchors; after `hold_still` only."""
    since: dt.datetime = session.scalars(_FROM_NOW_ON).one()
    return since.astimezone(dt.UTC)


def write_first(
    session: Session,
    new: Mapping[uuid.UUID, bytes],
    first: Mapping[uuid.UUID, bytes],
    now: dt.datetime,
) -> None:
    """Give accounts the anchors that their number or identity had before, else its own.

    *new*: the hash of what each was made with; *first*: what it begins with by itself. Where that
    counts for somebody else by now, as after a change of number, it begins with a new one.
    """
    _forget_expired(session, list(new.values()))
    remembered = _remembered(session, list(new.values())) if new else {}
    strangers = {id_: first[id_] for id_, bearer in new.items() if bearer not in remembered}
    taken = _taken(session, list(strangers.values())) if strangers else set()
    rows = [
        {"citizen_id": citizen_id, "since": since, "anchor": anchor}
        for citizen_id, bearer in new.items()
        for since, anchor in remembered.get(bearer)
        or [(now, os.urandom(HASH_BYTES) if first[citizen_id] in taken else first[citizen_id])]
    ]
    if rows:
        session.execute(insert(Anchor), rows)


def firsts_at(
    session: Session, first: Mapping[bytes, bytes], opens_at: dt.datetime
) -> dict[bytes, bytes]:
    """By which anchors whoever registers with these numbers will vote in a poll opening then.

    *first*: by the hash of each number, what it begins with by itself. Those are missing for whom
    that is not yet known, as it counts for somebody else by now: see `write_first`.
    """
    remembered = _remembered(session, list(first))
    taken = _taken(session, list(first.values()))
    known = {each: anchor_at(sorted(rows), opens_at) for each, rows in remembered.items()}
    return {each: own for each, own in first.items() if own not in taken} | known


def remember_until(session: Session, bearers: Sequence[bytes], until: dt.datetime) -> None:
    """Let what was given up, and still counts, mean the same until then at least: a poll has put it
    on its roll, and whoever registers with it later is to be found there."""
    still = (_COUNTS, Tombstone.until < until)
    left = update(Tombstone).where(Tombstone.bearer_hash == _any(bearers), *still)
    session.execute(left.values(until=until))


def has_anchor(session: Session, citizen_id: uuid.UUID) -> bool:
    """Whether the account can vote at all: a number or a verified identity was ever proved."""
    mine = select(Anchor.citizen_id).where(Anchor.citizen_id == citizen_id).limit(1)
    return session.scalar(mine) is not None


def leave_behind(
    session: Session,
    *,
    citizen_id: uuid.UUID,
    bearer: bytes,
    until: dt.datetime | None,
    taken_at: dt.datetime | None = None,
    new_from: dt.datetime | None = None,
) -> None:
    """Let a number or identity that is given up keep the account's anchors, while polls live.

    What it meant before the account took it, at *taken_at*, it means again in polls of that time:
    who had it then may have voted. For polls opened after *new_from* it is somebody else's, with an
    anchor that nobody had.
    """
    _forget_expired(session, [bearer])
    if until is None:
        return
    anchors = {row.since: row.anchor for row in anchors_of(session, citizen_id)}
    if anchors and taken_at is not None and _was_left_behind(session, bearer):
        # what followed since then whoever gave it up before was not this account's
        followed = (Tombstone.bearer_hash == bearer, Tombstone.since > taken_at)
        session.execute(delete(Tombstone).where(*followed))
        known = list(anchors.items())
        anchors = {since: each for since, each in known if since > taken_at}
        again = new_from or from_now_on(session)
        anchors |= {taken_at: anchor_at(known, taken_at), again: known[-1][1]}
    if new_from is not None:
        anchors[new_from] = os.urandom(HASH_BYTES)
    for since, anchor in anchors.items():
        row = {"bearer_hash": bearer, "since": since, "anchor": anchor, "until": until}
        _keep(session, upsert(Tombstone).values(**row))
    session.execute(
        update(Tombstone).where(Tombstone.bearer_hash == bearer, Tombstone.until < until),
        {"until": until},
    )


def _was_left_behind(session: Session, bearer: bytes) -> bool:
    there = select(Tombstone.bearer_hash).where(Tombstone.bearer_hash == bearer).limit(1)
    return session.scalar(there) is not None


def is_anothers(session: Session, citizen_id: uuid.UUID, bearer: bytes) -> bool:
    """Whether what was given up still counts for somebody else in a poll that is open.

    They may have voted in it with what was proved by it. After `hold_still` only.
    """
    left = select(Tombstone.since, Tombstone.anchor).where(Tombstone.bearer_hash == bearer, _COUNTS)
    theirs = session.execute(left.order_by(Tombstone.since)).all()
    mine = anchors_of(session, citizen_id)
    if not (theirs and mine):
        return bool(theirs)
    opened = session.scalars(_LIVING).all()
    return any(anchor_at(theirs, each) != anchor_at(mine, each) for each in opened)


def accounts_of_one(session: Session, citizen_id: uuid.UUID) -> set[uuid.UUID]:
    """The account and all others that vote as one person with it in polls opened from now on."""
    return {citizen_id, *_bearers_of(session, _present(session, citizen_id))}


def is_shared(session: Session, citizen_id: uuid.UUID) -> bool:
    """Whether another account votes by an anchor of this one."""
    mine = select(Anchor.anchor).where(_of(citizen_id))
    others = select(Anchor.citizen_id).where(
        Anchor.citizen_id != citizen_id, Anchor.anchor.in_(mine)
    )
    return session.scalar(others.limit(1)) is not None


def become_one(session: Session, one: Citizen, other: Citizen) -> None:
    """Two accounts are of one person: the younger takes the elder's anchor from now on.

    So does whoever shares the younger's. Both rows are locked, and anchors held still.
    """
    elder, younger = sorted((one, other), key=lambda each: (each.created_at, each.id))
    anchor, given_up = _present(session, elder.id), _present(session, younger.id)
    if anchor is None:
        elder, younger, anchor, given_up = younger, elder, given_up, None
    if anchor is None or anchor == given_up:
        return
    since = from_now_on(session)
    for each in sorted({younger.id, *_bearers_of(session, given_up)}):
        last = session.scalar(select(func.max(Anchor.since)).where(_of(each)))
        after = max(since, last + MOMENT) if last else since
        session.add(Anchor(citizen_id=each, since=after, anchor=anchor))
    session.flush()
    if given_up is not None:
        _follow(session, given_up, anchor, since)


def _follow(session: Session, given_up: bytes, anchor: bytes, since: dt.datetime) -> None:
    """What was left behind with the younger's anchor last comes back with the elder's."""
    bearers = select(Tombstone.bearer_hash).where(Tombstone.anchor == given_up)
    theirs = select(Tombstone).where(Tombstone.bearer_hash.in_(bearers))
    found = session.scalars(theirs.order_by(Tombstone.since)).all()
    for left in {each.bearer_hash: each for each in found}.values():
        if left.anchor == given_up:
            after = max(since, left.since + MOMENT)
            followed = {"bearer_hash": left.bearer_hash, "since": after, "anchor": anchor}
            _keep(session, upsert(Tombstone).values(**followed, until=left.until))


def _present(session: Session, citizen_id: uuid.UUID) -> bytes | None:
    """The anchor that the account will have in polls opened from now on."""
    mine = select(Anchor.anchor).where(_of(citizen_id)).order_by(Anchor.since.desc()).limit(1)
    return session.scalar(mine)


def _bearers_of(session: Session, anchor: bytes | None) -> Iterable[uuid.UUID]:
    """Whose present anchor it is."""
    if anchor is None:
        return ()
    ever = session.scalars(select(Anchor.citizen_id).where(Anchor.anchor == anchor).distinct())
    return [each for each in ever.all() if _present(session, each) == anchor]


def _of(citizen_id: uuid.UUID) -> Any:
    return Anchor.citizen_id == citizen_id


def _keep(session: Session, statement: Any) -> None:
    """What was left behind before keeps the later term."""
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Tombstone.bearer_hash, Tombstone.since],
            set_={"until": func.greatest(Tombstone.until, statement.excluded.until)},
        )
    )


def _forget_expired(session: Session, bearers: Sequence[bytes]) -> None:
    """What counts no longer, though nobody has swept it yet, is not to count again."""
    expired = Tombstone.until <= func.clock_timestamp()
    session.execute(delete(Tombstone).where(Tombstone.bearer_hash == _any(bearers), expired))


def _remembered(
    session: Session, bearers: Sequence[bytes]
) -> dict[bytes, list[tuple[dt.datetime, bytes]]]:
    """The anchors of what was given up that still count, by its hash.

    As everywhere here, the database's clock says what does: it closes the polls.
    """
    left = select(Tombstone.bearer_hash, Tombstone.since, Tombstone.anchor)
    found = session.execute(left.where(Tombstone.bearer_hash == _any(bearers), _COUNTS))
    remembered: dict[bytes, list[tuple[dt.datetime, bytes]]] = {}
    for bearer, since, anchor in found:
        remembered.setdefault(bearer, []).append((since, anchor))
    return remembered


def _taken(session: Session, anchors: Sequence[bytes]) -> set[bytes]:
    """Those of *anchors* that count for an account, or for something else that was given up."""
    held = select(Anchor.anchor).where(Anchor.anchor == _any(anchors))
    kept = select(Tombstone.anchor).where(Tombstone.anchor == _any(anchors), _COUNTS)
    return set(session.scalars(held)) | set(session.scalars(kept))


def _any(values: Sequence[bytes]) -> Any:
    return any_(bindparam(None, values, type_=ARRAY(LargeBinary)))
