"""Keys of phones that a platform vouches for, and that accounts use them: never whose.

An account stands there as a keyed hash of its id, a use as a day. So whoever reads the database
learns that a phone is shared, but not by whom.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    UniqueConstraint,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.ballotbox.keystore import Keystore
from mvote.base import Base, random_id, state_check
from mvote.people.citizens import hash_check
from mvote.people.limits import Limit
from mvote.polls.integrity.attesting import PLATFORMS, Vouched
from mvote.polls.integrity.errors import AttestationInvalid

OWNER_KEY = "device-owner"
DEVICES_OF_A_CITIZEN = Limit("devices-of-a-citizen", 20, dt.timedelta(days=1))
KEPT = dt.timedelta(days=30)
"""So long it is known that an account used a phone."""
POINT_BYTES = 65
OWNER_TAG_BYTES = 32
LARGEST_COUNTER = 2**32 - 1
ENVIRONMENTS = ("development", "production")


class DeviceKey(Base):
    """A key that Apple vouched for, by its digest; its counter only grows."""

    __tablename__ = "device_key"
    __table_args__ = (
        hash_check("digest"),
        state_check("environment", ENVIRONMENTS),
        CheckConstraint(f"octet_length(point) = {POINT_BYTES}", name="point_uncompressed"),
        CheckConstraint(f"counter BETWEEN 0 AND {LARGEST_COUNTER}", name="counter_in_range"),
    )

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    #: the public key: a point of P-256, uncompressed
    point: Mapped[bytes]
    counter: Mapped[int] = mapped_column(BigInteger)
    environment: Mapped[str]


class Device(Base):
    """That an account uses a phone's key, on any platform."""

    __tablename__ = "device"
    __table_args__ = (
        hash_check("key_digest"),
        hash_check("owner_tag"),
        state_check("platform", PLATFORMS),
        CheckConstraint("registered_on <= last_used_on", name="used_since_registered"),
        UniqueConstraint("key_digest", "owner_tag"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=random_id)
    key_digest: Mapped[bytes]
    owner_tag: Mapped[bytes] = mapped_column(index=True)
    platform: Mapped[str]
    registered_on: Mapped[dt.date]
    last_used_on: Mapped[dt.date] = mapped_column(index=True)


@dataclass(frozen=True)
class Owners:
    """Knows accounts by what stands for them beside their phones."""

    keystore: Keystore

    def tag(self, citizen_id: uuid.UUID) -> bytes:
        """32 bytes; only whoever has the key finds the account's phones by it."""
        content = b"mvote/device-owner/1\x00" + citizen_id.bytes
        return hmac.new(self.keystore.get(OWNER_KEY), content, hashlib.sha256).digest()


def use_device(session: Session, *, vouched: Vouched, owner_tag: bytes, now: dt.datetime) -> int:
    """Write down that the account used the key today; how many accounts did within 30 days.

    Where the key counts, its counter is raised by the same statement that finds it lower: of two
    who come with one assertion at the same moment one is refused. Belongs into the transaction
    that uses the nonce. Raises AttestationInvalid.
    """
    if vouched.counter is None:
        note_use(session, vouched=vouched, owner_tag=owner_tag, now=now)
    else:
        _count_use(session, vouched.device_key, vouched.counter, owner_tag, now)
    return accounts_of(session, vouched.device_key, now=now)


def note_use(session: Session, *, vouched: Vouched, owner_tag: bytes, now: dt.datetime) -> None:
    """Write down that the account uses the key, today for the first time or again."""
    today = now.date()
    statement = insert(Device).values(
        id=random_id(),
        key_digest=vouched.device_key,
        owner_tag=owner_tag,
        platform=vouched.platform,
        registered_on=today,
        last_used_on=today,
    )
    latest = func.greatest(Device.last_used_on, statement.excluded.last_used_on)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Device.key_digest, Device.owner_tag], set_={"last_used_on": latest}
        )
    )


def _count_use(
    session: Session, digest: bytes, counter: int, owner_tag: bytes, now: dt.datetime
) -> None:
    raised = (
        update(DeviceKey)
        .where(DeviceKey.digest == digest, DeviceKey.counter < counter)
        .values(counter=counter)
        .returning(DeviceKey.digest)
        .cte("raised")
    )
    used = (
        update(Device)
        .where(Device.key_digest == select(raised.c.digest).scalar_subquery())
        .where(Device.owner_tag == owner_tag)
        .values(last_used_on=func.greatest(Device.last_used_on, now.date()))
        .returning(Device.id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(used).first() is None:
        raise AttestationInvalid("counter")


def accounts_of(session: Session, digest: bytes, *, now: dt.datetime) -> int:
    """How many accounts used the key within 30 days."""
    recent = Device.last_used_on > now.date() - KEPT
    counted = select(func.count()).where(Device.key_digest == digest, recent)
    return session.scalars(counted).one()


def devices_of(session: Session, owner_tag: bytes) -> list[Device]:
    """The phones of an account, the one used last first."""
    mine = select(Device).where(Device.owner_tag == owner_tag)
    return list(session.scalars(mine.order_by(Device.last_used_on.desc(), Device.id)))


def forget_device(session: Session, *, device_id: uuid.UUID, owner_tag: bytes) -> bool:
    """Forget that the account uses this phone; false if it has none such."""
    return _unlink(session, Device.id == device_id, Device.owner_tag == owner_tag)


def forget_devices_of(session: Session, owner_tag: bytes) -> None:
    """Forget that an account which is deleted used any phone."""
    _unlink(session, Device.owner_tag == owner_tag)


def forget_old_devices(session: Session, *, now: dt.datetime) -> None:
    """Forget what was used last so long ago that it is no reason for anybody to look."""
    _forget(session, Device.last_used_on < now.date() - KEPT)


def _unlink(session: Session, *which: ColumnElement[bool]) -> bool:
    """Put somebody who is nobody in the account's place: that so many use the phone counts on.

    Else one phone would vote for any number of accounts that forget it, one after the other.
    """
    mine = session.scalars(select(Device.id).where(*which).order_by(Device.id).with_for_update())
    kept = (Device.key_digest, Device.platform, Device.registered_on, Device.last_used_on)
    gone = session.execute(delete(Device).where(Device.id.in_(mine.all())).returning(*kept)).all()
    for row in gone:
        session.add(Device(owner_tag=secrets.token_bytes(OWNER_TAG_BYTES), **row._asdict()))
    session.flush()
    return bool(gone)


def _forget(session: Session, *which: ColumnElement[bool]) -> bool:
    """Delete uses, and the keys that then nobody uses, in one order: or two who forget would wait
    for each other in a circle."""
    gone = session.scalars(delete(Device).where(*which).returning(Device.key_digest)).all()
    used = select(Device.id).where(Device.key_digest == DeviceKey.digest).exists()
    unused = select(DeviceKey.digest).where(DeviceKey.digest.in_(gone), ~used)
    for digest in session.scalars(unused.order_by(DeviceKey.digest)).all():
        session.execute(delete(DeviceKey).where(DeviceKey.digest == digest))
    return bool(gone)
