"""Keys in trustees' custody, as the server knows them: imported after a drill, one for one poll.

The private half is nowhere until the box is opened: then enough trustees type their shares at the
counter's machine, the counter counts, and the key is destroyed at once.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.ballotbox.ceremony_record import CeremonyRecord, read_record
from mvote.ballotbox.drill import (
    ID_BYTES,
    Challenge,
    DrillFailed,
    answered_challenge,
    challenge_of,
    check_answer,
)
from mvote.ballotbox.keystore import KeyMissing, Keystore
from mvote.ballotbox.shares import TypedShare, private_key_of
from mvote.ballotbox.stock import sealing_key_name
from mvote.base import Base
from mvote.journal import Event, write_down
from mvote.polls.hindrances import Hindrance
from mvote.polls.poll import Poll

SECRET_BYTES = 32
COUNTED = ("counted", "published", "voided")


class TrusteeKey(Base):
    """A key whose trustees have passed the drill. Nothing of it changes but the poll it serves."""

    __tablename__ = "trustee_key"
    __table_args__ = (
        CheckConstraint("length(public_key) = 32", name="x25519"),
        UniqueConstraint("poll_id", name="uq_trustee_key_poll_id"),
    )

    public_key: Mapped[bytes] = mapped_column(primary_key=True)
    #: the record of the ceremony, its canonical bytes
    record: Mapped[bytes]
    drilled_at: Mapped[dt.datetime]
    #: the one poll that it seals, for good
    poll_id: Mapped[uuid.UUID | None]

    @property
    def ceremony(self) -> CeremonyRecord:
        """The record, read."""
        return read_record(self.record)


@dataclass(frozen=True, kw_only=True)
class TrusteesDrilled(Event):
    """Every group of trustees that may open a key has shown that it can."""

    kind: ClassVar[str] = "trustees:drilled"
    public_key: str
    ceremony: str


@dataclass(frozen=True, kw_only=True)
class TrusteeKeyErased(Event):
    """After the count the counter holds the trustees' key no more; their shares still exist."""

    kind: ClassVar[str] = "trustees:key-erased"
    public_key: str


class AlreadyImported(ValueError):
    """The key is known already."""


class NothingToOpen(ValueError):
    """The poll has no box that trustees could open now; the message says why."""


def challenge_trustees(keystore: Keystore, record: CeremonyRecord) -> Challenge:
    """A new challenge to the trustees of *record*; its secret is kept until they answer."""
    challenge_id, secret = os.urandom(ID_BYTES), os.urandom(SECRET_BYTES)
    keystore.put(_drill_name(challenge_id), secret)
    return challenge_of(record, challenge_id=challenge_id, secret=secret)


def import_drilled_key(
    session: Session, keystore: Keystore, *, record: CeremonyRecord, answer: bytes
) -> str:
    """Take a key whose trustees have answered the challenge; the challenge's name in the keystore.

    The caller destroys that once all is durable. Raises DrillFailed, AlreadyImported.
    """
    challenge_id = answered_challenge(answer)
    try:
        secret = keystore.get(_drill_name(challenge_id))
    except KeyMissing:
        raise DrillFailed("the answer is to no challenge that waits for one") from None
    check_answer(answer, record=record, challenge_id=challenge_id, secret=secret)
    if session.get(TrusteeKey, record.public_key) is not None:
        raise AlreadyImported("this key was imported before")
    now: dt.datetime = session.scalars(select(func.clock_timestamp())).one()
    session.add(TrusteeKey(public_key=record.public_key, record=record.content, drilled_at=now))
    event = TrusteesDrilled(public_key=record.public_key.hex(), ceremony=record.hash.hex())
    write_down(session, event, actor_id=None, subject_id=None)
    return _drill_name(challenge_id)


def _drill_name(challenge_id: bytes) -> str:
    return f"drill/{challenge_id.hex()}"


def known_trustee_keys(
    session: Session, *, after: bytes | None, limit: int
) -> Sequence[TrusteeKey]:
    """The keys in their own order, from behind *after*."""
    found = select(TrusteeKey).order_by(TrusteeKey.public_key).limit(limit)
    return session.scalars(found.where(TrusteeKey.public_key > (after or b""))).all()


# opening a poll


def is_trusted(content: dict[str, Any]) -> bool:
    """Whether a poll's author wants trustees to hold its key."""
    return content.get("custody") == "trustees"


def custody_hindrances(session: Session, poll: Poll) -> Iterator[Hindrance]:
    """What keeps the poll from opening with the custody its author chose."""
    if not is_trusted(poll.content):
        if poll.content.get("trustee_key"):
            yield Hindrance("custody-is-server", "/trustee_key")
        return
    if poll.origin != "government":  # a citizen's poll must not use up a city's ceremony
        yield Hindrance("trustees-for-government", "/custody")
    if poll.content.get("results") == "live":
        yield Hindrance("live-with-trustees", "/results")
    if not poll.content.get("trustee_key"):
        yield Hindrance("no-trustee-key", "/trustee_key")
        return
    key = session.get(TrusteeKey, bytes.fromhex(poll.content["trustee_key"]))
    if key is None:
        yield Hindrance("unknown-trustee-key", "/trustee_key")
    elif key.poll_id is not None:
        yield Hindrance("trustee-key-used", "/trustee_key")


def take_trustee_key(session: Session, poll: Poll) -> CeremonyRecord | None:
    """The ceremony of the key that the poll names, which serves it from now on, for good.

    None if another poll has just taken it.
    """
    taken = (
        update(TrusteeKey)
        .where(
            TrusteeKey.public_key == bytes.fromhex(poll.content["trustee_key"]),
            TrusteeKey.poll_id.is_(None),
        )
        .values(poll_id=poll.id)
        .returning(TrusteeKey.record)
        .execution_options(synchronize_session=False)
    )
    record = session.scalars(taken).one_or_none()
    return None if record is None else read_record(record)


def in_definition(record: CeremonyRecord) -> dict[str, Any]:
    """What a definition says of its key: so voters see who holds it."""
    return {
        "custody": "trustees",
        "sealing_key": record.public_key.hex(),
        "trustees": {
            "threshold": record.threshold,
            "names": record.names,
            "ceremony": record.hash.hex(),
        },
    }


# opening the box


def ceremony_to_open(session: Session, poll_id: uuid.UUID) -> CeremonyRecord:
    """The ceremony whose trustees open the box of a closed poll. Raises NothingToOpen."""
    poll = session.get(Poll, poll_id)
    key = session.scalars(select(TrusteeKey).where(TrusteeKey.poll_id == poll_id)).one_or_none()
    if poll is None or key is None:
        raise NothingToOpen("there is no poll with this id whose key trustees hold")
    if poll.state != "closed":
        raise NothingToOpen(f"the poll is {poll.state}; its box is opened while it is closed")
    return key.ceremony


def open_box(keystore: Keystore, record: CeremonyRecord, shares: list[TypedShare]) -> None:
    """Give the counter the key that the shares give; it counts in its next round.

    Raises ShareProblem, and keeps nothing then. Opening twice is the same as once.
    """
    private = private_key_of(record, shares)
    name = sealing_key_name(record.public_key)
    try:
        keystore.put(name, private.private_bytes_raw())
    except FileExistsError:
        keystore.get(name)  # KeyMissing if it was counted and destroyed


def waiting_for_trustees(session: Session, keystore: Keystore) -> set[uuid.UUID]:
    """Closed polls whose trustees have not yet brought their shares: nothing is wrong with them."""
    closed = (
        select(Poll.id, TrusteeKey.public_key)
        .join(TrusteeKey, TrusteeKey.poll_id == Poll.id)
        .where(Poll.state == "closed")
    )
    held = set(keystore.names("sealing/"))
    return {
        poll_id
        for poll_id, public_key in session.execute(closed)
        if sealing_key_name(public_key) not in held
    }
