"""Slips that a steward hands out: numbered packages of single-use values, printed once.

Until its slips are printed a package holds them wrapped; afterwards only hashes are left, keyed
with the package's own secret, which the keystore's key wraps: whoever steals the database can
neither print a slip nor find one by trying. Which hash belongs to which number is kept nowhere.
"""

from __future__ import annotations

import datetime as dt
import hmac
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, insert, null, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.ballotbox.notation import h
from mvote.base import Base, new_id, utc_now
from mvote.errors import ImpossibleTransition, NotFound, stands_for
from mvote.journal import Event, write_down
from mvote.people.limits import Limit, give_back, use_up
from mvote.polls.onsite.errors import ScanValueUsed, SlipsGone
from mvote.polls.onsite.wrapping import CodeSecrets
from mvote.polls.site_codes import SiteCode

MOST_SLIPS, MOST_PACKAGES = 1_000, 50
SECRET_BYTES, SLIP_LENGTH = 32, 12
PRINTING = Limit("slips-printing", 1, dt.timedelta(seconds=90))
"""One at a time prints a package; longer than that no rendering lasts, turn and all."""

stands_for("slip_used_once", ScanValueUsed)


class SlipPackage(Base):
    """So many slips for one site of one poll, numbered from 1."""

    __tablename__ = "slip_package"
    __table_args__ = (
        CheckConstraint(f"size BETWEEN 1 AND {MOST_SLIPS}", name="size_in_range"),
        CheckConstraint(f"number BETWEEN 1 AND {MOST_PACKAGES}", name="number_in_range"),
        CheckConstraint(
            "(sealed_slips IS NULL) = (exported_at IS NOT NULL OR revoked_at IS NOT NULL)",
            name="plaintext_until_export",
        ),
        Index("uq_slip_package_code_number", "code", "number", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    poll_id: Mapped[uuid.UUID]
    code: Mapped[str] = mapped_column(ForeignKey("site_code.code"))
    #: 1 for the first package of a code; it stands on every slip
    number: Mapped[int]
    size: Mapped[int]
    #: what the slips' hashes are keyed with, wrapped
    sealed_secret: Mapped[bytes]
    #: the slips themselves, wrapped; gone once they are printed
    sealed_slips: Mapped[bytes | None] = mapped_column(deferred=True)
    created_by: Mapped[uuid.UUID]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    exported_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class Slip(Base):
    """One slip as the database knows it: a keyed hash, and whether it was used. Never when."""

    __tablename__ = "slip"
    __table_args__ = (CheckConstraint("octet_length(slip_hash) = 32", name="slip_hash_length"),)

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    slip_hash: Mapped[bytes] = mapped_column(primary_key=True)
    package_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("slip_package.id"), index=True)
    used: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True, kw_only=True)
class SlipsMade(Event):
    kind: ClassVar[str] = "slips:made"
    package_id: uuid.UUID
    size: int


@dataclass(frozen=True, kw_only=True)
class SlipsExported(Event):
    kind: ClassVar[str] = "slips:exported"
    package_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class SlipsRevoked(Event):
    kind: ClassVar[str] = "slips:revoked"
    package_id: uuid.UUID


def make_package(
    session: Session,
    *,
    code: SiteCode,
    slips: Sequence[str],
    secrets: CodeSecrets,
    actor_id: uuid.UUID,
) -> SlipPackage:
    """A package of these *slips*, the first with number 1.

    Raises ImpossibleTransition for a code that is none of a steward's or over, or that has as many
    packages as it may.
    """
    session.refresh(code, with_for_update=True)  # one package at a time: they are numbered
    number = _last_number(session, code) + 1
    if code.kind != "steward" or code.is_over_at(utc_now()) or number > MOST_PACKAGES:
        raise ImpossibleTransition(state=code.kind, verb="make slips")
    id_, secret = new_id(), os.urandom(SECRET_BYTES)
    package = SlipPackage(
        id=id_,
        poll_id=code.poll_id,
        code=code.code,
        number=number,
        size=len(slips),
        sealed_secret=secrets.wrap(secret, purpose=f"slip-secret/{id_}"),
        sealed_slips=secrets.wrap("".join(slips).encode(), purpose=f"slips/{id_}"),
        created_by=actor_id,
    )
    session.add(package)
    session.flush()
    hashes = sorted(_hash_of(secret, slip) for slip in slips)  # the order tells no number
    rows = [{"poll_id": code.poll_id, "slip_hash": each, "package_id": id_} for each in hashes]
    session.execute(insert(Slip), rows)
    event = SlipsMade(package_id=id_, size=len(slips))
    write_down(session, event, actor_id=actor_id, subject_id=code.site_id)
    return package


def slips_to_print(package: SlipPackage, secrets: CodeSecrets) -> list[str]:
    """The slips in the order of their numbers. Raises SlipsGone."""
    if package.sealed_slips is None:
        raise SlipsGone
    text = secrets.unwrap(package.sealed_slips, purpose=f"slips/{package.id}").decode()
    return [text[at : at + SLIP_LENGTH] for at in range(0, len(text), SLIP_LENGTH)]


def begin_printing(session: Session, *, package: SlipPackage, now: dt.datetime) -> None:
    """Let nobody else print the package meanwhile. Raises TooManyRequests if somebody does."""
    use_up(session, PRINTING, subject_hash=_printed_hash(package.id), now=now)


def end_printing(session: Session, package_id: uuid.UUID) -> None:
    """Let it be printed again, if that failed."""
    give_back(session, PRINTING, subject_hash=_printed_hash(package_id))


def finish_export(session: Session, *, package: SlipPackage, actor_id: uuid.UUID) -> None:
    """Forget the slips: they are on paper now. Of two who print at once one gets SlipsGone."""
    ended = (
        update(SlipPackage)
        .where(SlipPackage.id == package.id, SlipPackage.sealed_slips.is_not(None))
        .values(sealed_slips=null(), exported_at=func.clock_timestamp())
    )
    if session.execute(ended.returning(SlipPackage.id)).first() is None:
        raise SlipsGone
    event = SlipsExported(package_id=package.id)
    write_down(session, event, actor_id=actor_id, subject_id=package.poll_id)


def revoke_package(session: Session, *, package: SlipPackage, actor_id: uuid.UUID) -> None:
    """Let none of its slips admit any more; a second time changes nothing."""
    ended = (
        update(SlipPackage)
        .where(SlipPackage.id == package.id, SlipPackage.revoked_at.is_(None))
        .values(sealed_slips=null(), revoked_at=func.clock_timestamp())
    )
    if session.execute(ended.returning(SlipPackage.id)).first() is not None:
        event = SlipsRevoked(package_id=package.id)
        write_down(session, event, actor_id=actor_id, subject_id=package.poll_id)


def use_slip(session: Session, *, code: SiteCode, value: str, secrets: CodeSecrets) -> bool:
    """Use the slip with this value, in its stored form, up; False if there is none such here.

    Of all who come with one slip at the same moment one gets through, the others ScanValueUsed.
    """
    hashes = [
        _hash_of(secrets.unwrap(sealed, purpose=f"slip-secret/{id_}"), value)
        for id_, sealed in session.execute(_printed_packages(code))
    ]
    these = (Slip.poll_id == code.poll_id, Slip.slip_hash.in_(hashes))
    spent = update(Slip).where(*these, ~Slip.used).values(used=True).returning(Slip.package_id)
    if session.execute(spent).first() is not None:
        return True
    if session.scalars(select(Slip.used).where(*these)).first():
        raise ScanValueUsed
    return False


def packages_of(session: Session, code: SiteCode) -> list[dict[str, Any]]:
    """The code's packages, each with how many of its slips were used."""
    used = func.count().filter(Slip.used)
    wanted = (
        select(SlipPackage, used)
        .join(Slip, Slip.package_id == SlipPackage.id)
        .where(SlipPackage.code == code.code)
        .group_by(SlipPackage.id)
        .order_by(SlipPackage.number)
    )
    return [shown_package(package, count) for package, count in session.execute(wanted)]


def shown_package(package: SlipPackage, used: int = 0) -> dict[str, Any]:
    """A package as its people see it."""
    names = ("id", "code", "number", "size", "created_at", "exported_at", "revoked_at")
    return {name: getattr(package, name) for name in names} | {"used": used}


def package_of(session: Session, package_id: uuid.UUID) -> SlipPackage:
    """The package. Raises NotFound."""
    found = session.get(SlipPackage, package_id)
    if found is None:
        raise NotFound
    return found


def _printed_packages(code: SiteCode) -> Any:
    return select(SlipPackage.id, SlipPackage.sealed_secret).where(
        SlipPackage.code == code.code,
        SlipPackage.exported_at.is_not(None),
        SlipPackage.revoked_at.is_(None),
    )


def _printed_hash(package_id: uuid.UUID) -> bytes:
    return h("mvote/slips-printing/1", package_id.bytes)


def _last_number(session: Session, code: SiteCode) -> int:
    last = select(func.max(SlipPackage.number)).where(SlipPackage.code == code.code)
    return session.scalars(last).one() or 0


def _hash_of(secret: bytes, slip: str) -> bytes:
    return hmac.digest(secret, b"mvote/slip/1\x00" + slip.encode(), "sha256")
