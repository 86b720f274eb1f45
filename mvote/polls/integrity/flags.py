"""Flags: reasons for a human to look. They change no ballot, no count, nobody's right to vote.

A flag names nobody. Whoever holds the poll's roll key could tell whose it is; the database cannot,
and with the key the flags go.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    UniqueConstraint,
    delete,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.ballotbox.keystore import Keystore, KeystoreAway
from mvote.ballotbox.poll_keys import PollKeyring, key_name
from mvote.base import Base, random_id, state_check, utc_now
from mvote.errors import NotAllowed, NotFound
from mvote.journal import Event, write_down
from mvote.people.anchors import accounts_of_one
from mvote.people.citizens import Citizen, hash_check
from mvote.people.voters import anchor_at, anchors_of
from mvote.polls.drafting import is_own, poll_known_to
from mvote.polls.poll import Poll

Kind = Literal["mock", "stale", "repeated-coordinates", "impossible-travel", "shared-device"]
KINDS: tuple[Kind, ...] = (
    "mock", "stale", "repeated-coordinates", "impossible-travel", "shared-device",
)  # fmt: skip
Finding = Literal["harmless", "suspicious"]
FINDINGS: tuple[Finding, ...] = ("harmless", "suspicious")
LONGEST_NOTE = 1000
ENDED = ("closed", "counted", "published", "voided", "cancelled")


class Flag(Base):
    """That something of one kind was noticed of one voter in one poll on one day, and how often.

    No instant stands here: beside the log it would lead to a tracker.
    """

    __tablename__ = "flag"
    __table_args__ = (
        hash_check("pseudonym"),
        state_check("kind", KINDS),
        state_check("finding", FINDINGS),
        CheckConstraint("times > 0", name="happened"),
        CheckConstraint(
            "(finding IS NULL) = (found_by IS NULL)"
            " AND (finding IS NULL) = (found_at IS NULL) AND (finding IS NULL) <= (note IS NULL)",
            name="finding_by_somebody",
        ),
        UniqueConstraint("poll_id", "pseudonym", "kind", "day"),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=random_id)
    kind: Mapped[str]
    #: HMAC by the poll's roll key: the same for all flags of one voter in this poll
    pseudonym: Mapped[bytes]
    #: the city's
    day: Mapped[dt.date]
    times: Mapped[int]
    finding: Mapped[str | None]
    note: Mapped[str | None]
    found_by: Mapped[uuid.UUID | None]
    found_at: Mapped[dt.datetime | None]


@dataclass(frozen=True, kw_only=True)
class FlagLookedAt(Event):
    kind: ClassVar[str] = "flag:looked-at"
    flag: uuid.UUID
    finding: str


def pseudonym_of(roll_key: bytes, anchor: bytes) -> bytes:
    """32 bytes that stand for a voter in the flags of one poll."""
    return hmac.new(roll_key, b"mvote/flag/1\x00" + anchor, hashlib.sha256).digest()


class Noticed(NamedTuple):
    """That something of one kind was noticed of one voter in one poll."""

    poll_id: uuid.UUID
    pseudonym: bytes
    kind: Kind


def raise_flags(session: Session, noticed: Sequence[Noticed], day: dt.date) -> None:
    """Write down what was *noticed*."""
    times = Counter(noticed)
    rows = [
        {
            "poll_id": each.poll_id,
            "id": random_id(),
            "kind": each.kind,
            "pseudonym": each.pseudonym,
            "day": day,
            "times": times[each],
        }
        for each in sorted(times)
    ]
    if not rows:
        return
    statement = insert(Flag).values(rows)
    again = Flag.times + statement.excluded.times
    key = [Flag.poll_id, Flag.pseudonym, Flag.kind, Flag.day]
    session.execute(statement.on_conflict_do_update(index_elements=key, set_={"times": again}))


def poll_to_watch(session: Session, poll_id: uuid.UUID, officer: Citizen) -> Poll:
    """The poll, if *officer* may see its flags: of the department whose poll it is, and of a
    citizen's poll any but its author, whatever accounts they have. Raises NotFound, NotAllowed."""
    poll = poll_known_to(session, poll_id, officer)
    if poll.department_id is None:
        may_see = poll.author_id not in accounts_of_one(session, officer.id)
    else:
        may_see = is_own(poll, officer)
    if not may_see:
        raise NotAllowed
    return poll


def own_pseudonym(
    session: Session, poll: Poll, citizen_id: uuid.UUID, keyring: PollKeyring
) -> bytes | None:
    """What stands for them in the flags of the poll; None if nothing can."""
    keys = keyring.of(poll.id)
    if keys is None or poll.opens_at is None:
        return None
    anchor = anchor_at(anchors_of(session, citizen_id), poll.opens_at)
    return pseudonym_of(keys.V, anchor) if anchor else None


def hidden_from(poll: Poll, now: dt.datetime, zone: dt.tzinfo) -> dt.date | None:
    """The day whose flags are not shown yet; None once voting is over.

    Else whoever asks each second would see when a flag comes up, and beside the log's entries it
    would lead to a tracker.
    """
    return now.astimezone(zone).date() if poll.closed_by(now) is None else None


def counted_by_kind(
    session: Session, poll_id: uuid.UUID, *, before: dt.date | None
) -> dict[str, int]:
    """How many flags there are of each kind, of the days *before* that one."""
    counted = select(Flag.kind, func.count()).where(Flag.poll_id == poll_id, _shown(before))
    counted = counted.group_by(Flag.kind)
    found = {kind: count for kind, count in session.execute(counted)}  # noqa: C416  # rows
    return {kind: found.get(kind, 0) for kind in KINDS}


def flags_of(
    session: Session,
    poll_id: uuid.UUID,
    *,
    before: dt.date | None,
    after: uuid.UUID | None,
    limit: int,
) -> list[Flag]:
    """Flags of a poll of the days *before* that one, in the order of their ids, which tells
    nothing."""
    wanted = (
        select(Flag).where(Flag.poll_id == poll_id, _shown(before)).order_by(Flag.id).limit(limit)
    )
    return list(session.scalars(wanted.where(Flag.id > after) if after else wanted))


def _shown(before: dt.date | None) -> ColumnElement[bool]:
    return true() if before is None else Flag.day < before


def look_at(
    session: Session,
    *,
    poll: Poll,
    flag_id: uuid.UUID,
    finding: Finding,
    note: str | None,
    officer_id: uuid.UUID,
    own: bytes | None,
) -> Flag:
    """Keep what an officer found, who is *own* in the poll's flags; the journal keeps each. Raises
    NotFound; NotAllowed of a flag of their own."""
    flag = session.get(Flag, (poll.id, flag_id), with_for_update=True)
    if flag is None:
        raise NotFound
    if flag.pseudonym == own:
        raise NotAllowed
    flag.finding, flag.note = finding, note
    flag.found_by, flag.found_at = officer_id, utc_now()
    session.flush()
    event = FlagLookedAt(flag=flag_id, finding=finding)
    write_down(session, event, actor_id=officer_id, subject_id=poll.id)
    return flag


def forget_flags(session: Session, keystore: Keystore) -> None:
    """Delete the flags of polls whose roll key nobody holds any more."""
    ended = select(Poll.id).where(Poll.state.in_(ENDED))
    polls = select(Flag.poll_id).where(Flag.poll_id.in_(ended)).distinct()
    for poll_id in session.scalars(polls).all():
        try:
            is_held = keystore.is_held(key_name(poll_id, "V"))
        except KeystoreAway:  # another time
            return
        if not is_held:
            session.execute(delete(Flag).where(Flag.poll_id == poll_id))
