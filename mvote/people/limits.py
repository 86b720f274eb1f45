"""Limits: how often something may be done in a span of time, counted in the database.

Counted there, because many processes serve the same number or address at once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import math
import uuid
from dataclasses import dataclass

from sqlalchemy import case, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.notation import h
from mvote.base import Base
from mvote.errors import TooManyRequests
from mvote.people.anchors import accounts_of_one
from mvote.people.citizens import Citizen, hash_check

ADDRESS_KEY = "address-hash"
IPV6_HOME_BITS = 64
"""How much of an IPv6 address is one household's: the rest, its devices choose as they like."""


class Allowance(Base):
    """How much of a limit one subject has used in its present span."""

    __tablename__ = "allowance"
    __table_args__ = (hash_check("subject_hash"),)

    #: which limit it is
    name: Mapped[str] = mapped_column(primary_key=True)
    #: the number or address that it counts for, as a keyed hash
    subject_hash: Mapped[bytes] = mapped_column(primary_key=True)
    span_ends_at: Mapped[dt.datetime] = mapped_column(index=True)
    used: Mapped[int]


@dataclass(frozen=True)
class Limit:
    """At most *most* times in each *span* that begins with a first use."""

    name: str
    most: int
    span: dt.timedelta


def use_up(session: Session, limit: Limit, *, subject_hash: bytes, now: dt.datetime) -> None:
    """Use *limit* once for the subject. Raises TooManyRequests when nothing of it is left.

    Uses at the same moment wait for each other, so that never more than allowed get through.
    """
    statement = insert(Allowance).values(
        name=limit.name, subject_hash=subject_hash, span_ends_at=now + limit.span, used=1
    )
    is_over = Allowance.span_ends_at <= literal(now)
    statement = statement.on_conflict_do_update(
        index_elements=[Allowance.name, Allowance.subject_hash],
        set_={
            "used": case((is_over, 1), else_=Allowance.used + 1),
            "span_ends_at": case(
                (is_over, statement.excluded.span_ends_at), else_=Allowance.span_ends_at
            ),
        },
    )
    returned = statement.returning(Allowance.used, Allowance.span_ends_at)
    used, span_ends_at = session.execute(returned).one()
    if used > limit.most:
        left = math.ceil((span_ends_at - now).total_seconds())
        raise TooManyRequests(retry_after_s=max(1, left))


def use_up_for_person(
    session: Session, limit: Limit, *, citizen_id: uuid.UUID, label: str, now: dt.datetime
) -> None:
    """Use *limit* once for a person, by whichever account, number or identity they come.

    Raises TooManyRequests when nothing of it is left to one of them.
    """
    for subject_hash in hashes_of_person(session, citizen_id, label):
        use_up(session, limit, subject_hash=subject_hash, now=now)


def is_used_up(session: Session, limit: Limit, *, subject_hash: bytes, now: dt.datetime) -> bool:
    """Whether nothing of *limit* is left to the subject; nothing is used by asking."""
    found = session.get(Allowance, (limit.name, subject_hash), populate_existing=True)
    return found is not None and found.used >= limit.most and found.span_ends_at > now


def give_back(session: Session, limit: Limit, *, subject_hash: bytes) -> None:
    """It does not count after all, or it is over."""
    counted = update(Allowance).where(
        Allowance.name == limit.name, Allowance.subject_hash == subject_hash, Allowance.used > 0
    )
    session.execute(counted.values(used=Allowance.used - 1))


def hashes_of_person(session: Session, citizen_id: uuid.UUID, label: str) -> list[bytes]:
    """32 bytes under *label* for each number and identity of a person, in one order for all.

    Whoever comes back after deleting the account, or by another one of theirs, begins with nothing
    new.
    """
    accounts = accounts_of_one(session, citizen_id)
    found = select(Citizen.identity_hash, Citizen.phone_hash).where(Citizen.id.in_(accounts))
    bearers = {each for both in session.execute(found) for each in both if each is not None}
    return sorted(h(label, each) for each in bearers or {citizen_id.bytes})


def hash_of_address(keystore: Keystore, address: str) -> bytes:
    """32 bytes that stand for an IP address; all of one IPv6 household are one."""
    content = b"mvote/address/1\x00" + _home_of(address).encode()
    return hmac.new(keystore.get(ADDRESS_KEY), content, hashlib.sha256).digest()


def _home_of(address: str) -> str:
    """The network that counts as one: an IPv4 address alone, an IPv6 household."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # whatever a proxy wrote there still counts for itself
        return address
    bits = parsed.max_prefixlen if parsed.version == 4 else IPV6_HOME_BITS
    return str(ipaddress.ip_network((parsed, bits), strict=False))
