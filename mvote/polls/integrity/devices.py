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
from dataclasses import dataclass, replace

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Select,
    UniqueConstraint,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.ballotbox.keystore import Keystore
from mvote.base import Base, random_id, state_check
from mvote.errors import TokenInvalid
from mvote.people.citizens import Citizen, hash_check
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
_ONE_OF_AN_ACCOUNT = text("SELECT pg_advisory_xact_lock(hashtextextended(:owner, 13))")
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

    def phone(self, digest: bytes) -> bytes:
        """32 bytes in the place of a phone's *digest*, so that who has the phone does not find it
        in a dump. Not for keys that count: their public key stands beside them."""
        content = b"mvote/device-name/1\x00" + digest
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


def use_device_of(
    session: Session, *, vouched: Vouched, citizen_id: uuid.UUID, owners: Owners, now: dt.datetime
) -> int:
    """`use_device` for an account that is there. Raises TokenInvalid for one that was deleted
    since, AttestationInvalid.

    A lock that leaves no trace on disk: a locked row of the account would tie it to the ballot
    that is recorded next.
    """
    tag = owners.tag(citizen_id)
    _hold(session, tag)
    if session.scalar(select(Citizen.id).where(Citizen.id == citizen_id)) is None:
        raise TokenInvalid
    if vouched.counter is None:
        vouched = replace(vouched, device_key=owners.phone(vouched.device_key))
    return use_device(session, vouched=vouched, owner_tag=tag, now=now)


def _hold(session: Session, owner_tag: bytes) -> None:
    """Wait for who uses or forgets the same account's phones."""
    session.execute(_ONE_OF_AN_ACCOUNT, {"owner": owner_tag.hex()})


def note_use(session: Session, *, vouched: Vouched, owner_tag: bytes, now: dt.datetime) -> None:
    """Write down that the account uses the key, if today does not stand there yet: what is written
    just before a ballot stands beside it in the database's own log."""
    today = now.date()
    its = (Device.key_digest == vouched.device_key, Device.owner_tag == owner_tag)
    if session.scalar(select(Device.id).where(*its, Device.last_used_on >= today)) is not None:
        return
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
    """One statement raises the counter, where it is lower and the account uses the key."""
    its = (Device.key_digest == digest, Device.owner_tag == owner_tag)
    raised = (
        update(DeviceKey)
        .where(DeviceKey.digest == digest, DeviceKey.counter < counter)
        .where(select(Device.id).where(*its).exists())
        .values(counter=counter)
        .returning(DeviceKey.digest)
    )
    unseen = {"synchronize_session": False}
    if session.execute(raised, execution_options=unseen).first() is None:
        raise AttestationInvalid("counter")
    today = now.date()
    first_today = update(Device).where(*its, Device.last_used_on < today)
    session.execute(first_today.values(last_used_on=today), execution_options=unseen)


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
    """Forget that an account which is deleted used any phone. Call it in the same transaction."""
    _hold(session, owner_tag)
    _unlink(session, Device.owner_tag == owner_tag)


def forget_old_devices(session: Session, *, now: dt.datetime) -> None:
    """Forget what was used last so long ago that it is no reason for anybody to look."""
    is_old = Device.last_used_on < now.date() - KEPT
    digests = session.scalars(select(Device.key_digest).where(is_old).distinct()).all()
    keys = select(DeviceKey.digest).where(DeviceKey.digest.in_(digests))
    # keys before uses and both in order, as whoever registers or votes: or two would wait in a
    # circle; and who registers a key again just now is done with it
    held = session.scalars(keys.order_by(DeviceKey.digest).with_for_update()).all()
    old = session.scalars(_in_order(is_old, Device.key_digest.in_(digests))).all()
    session.execute(delete(Device).where(Device.id.in_(old)))
    is_used = select(Device.id).where(Device.key_digest == DeviceKey.digest).exists()
    session.execute(delete(DeviceKey).where(DeviceKey.digest.in_(held), ~is_used))


def _unlink(session: Session, *which: ColumnElement[bool]) -> bool:
    """Put somebody who is nobody in the account's place: that so many use the phone counts on.

    Else one phone would vote for any number of accounts that forget it, one after the other.
    """
    mine = session.scalars(_in_order(*which))
    kept = (Device.key_digest, Device.platform, Device.registered_on, Device.last_used_on)
    gone = session.execute(delete(Device).where(Device.id.in_(mine.all())).returning(*kept)).all()
    for row in gone:
        session.add(Device(owner_tag=secrets.token_bytes(OWNER_TAG_BYTES), **row._asdict()))
    session.flush()
    return bool(gone)


def _in_order(*which: ColumnElement[bool]) -> Select[uuid.UUID]:
    return select(Device.id).where(*which).order_by(Device.id).with_for_update()
