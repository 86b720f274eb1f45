"""Noticing what many positions show together: one place for many people, ways too fast to be true.

What is remembered for that is hashed and sealed under a key of the day, in UNLOGGED tables, for a
day and for six hours.
"""

from __future__ import annotations

import datetime as dt
import hmac
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import CheckConstraint, Index, delete, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base
from mvote.people.citizens import hash_check
from mvote.polls.integrity.cells import NONCE_BYTES, Fix, is_impossible, open_fix, seal_fix
from mvote.polls.integrity.flags import Kind, Noticed, pseudonym_of, raise_flags
from mvote.polls.integrity.watching import Sighting

FEW_AT_A_PLACE = 2
PLACES_OF_ONE = 20
"""So many places are remembered of one visitor of a poll within a day: nobody fills the disk."""
PLACES_KEPT = dt.timedelta(hours=24)
FIXES_KEPT = dt.timedelta(hours=6)
HOUR = dt.timedelta(hours=1)
SEALED_BYTES = 40
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('sightings', 5))")
# Capped: how many more were there than make a flag is nobody's question.
_AT_PLACES = text("""
    SELECT given.n,
        EXISTS (SELECT FROM place_seen WHERE poll_id = given.poll_id
            AND place IN (given.place, given.place_before)
            AND visitor IN (given.visitor, given.visitor_before)) AS is_known,
        (SELECT count(*) FROM (SELECT FROM place_seen WHERE poll_id = given.poll_id
            AND place IN (given.place, given.place_before) AND expires_at > :now
            LIMIT :few) AS seen) AS others,
        (SELECT count(*) FROM (SELECT FROM place_seen WHERE poll_id = given.poll_id
            AND visitor IN (given.visitor, given.visitor_before) AND expires_at > :now
            LIMIT :most) AS kept) AS of_visitor
    FROM unnest(CAST(:polls AS uuid[]), CAST(:places AS bytea[]), CAST(:places_before AS bytea[]),
        CAST(:visitors AS bytea[]), CAST(:visitors_before AS bytea[]))
        WITH ORDINALITY AS given (poll_id, place, place_before, visitor, visitor_before, n)
    ORDER BY given.n
""")
_REMEMBER_PLACES = text("""
    INSERT INTO place_seen (poll_id, place, visitor, expires_at)
    SELECT poll_id, place, visitor, :expires_at
    FROM unnest(CAST(:polls AS uuid[]), CAST(:places AS bytea[]), CAST(:visitors AS bytea[]))
        AS new (poll_id, place, visitor)
    ON CONFLICT DO NOTHING
""")
_REMEMBER_FIXES = text("""
    INSERT INTO last_fix (traveller, sealed, expires_at)
    SELECT traveller, sealed, :expires_at
    FROM unnest(CAST(:travellers AS bytea[]), CAST(:sealed AS bytea[])) AS new (traveller, sealed)
    ON CONFLICT (traveller)
        DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at
""")


class PlaceSeen(Base):
    """That somebody was at a place: both keyed hashes."""

    __tablename__ = "place_seen"
    __table_args__ = (
        hash_check("place"),
        hash_check("visitor"),
        Index("ix_place_seen_poll_id_visitor", "poll_id", "visitor"),
        {"prefixes": ["UNLOGGED"]},
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[bytes] = mapped_column(primary_key=True)
    visitor: Mapped[bytes] = mapped_column(primary_key=True)
    #: to the hour
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class LastFix(Base):
    """The last cell of somebody, sealed with its minute."""

    __tablename__ = "last_fix"
    __table_args__ = (
        hash_check("traveller"),
        CheckConstraint(f"octet_length(sealed) = {SEALED_BYTES}", name="sealed_whole"),
        {"prefixes": ["UNLOGGED"]},
    )

    traveller: Mapped[bytes] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    #: to the hour
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


@dataclass(frozen=True, kw_only=True, repr=False)
class Desk:
    """What noticing needs: the keys of today and yesterday, the polls' roll keys, the time."""

    day_keys: Sequence[bytes]
    roll_keys: Mapping[uuid.UUID, bytes]
    now: dt.datetime
    #: the city's
    day: dt.date


def write_sightings(session: Session, sightings: Sequence[Sighting], desk: Desk) -> None:
    """Remember the *sightings*, in whatever polls, and raise the flags that they are reason for.

    In the same few statements for ten thousand polls as for one, and one process at a time: of two
    who make a third at a place neither would see the other.
    """
    session.execute(_ALONE)
    noticed: list[tuple[Sighting, Kind]] = [
        (each, kind) for each in sightings for kind in each.kinds
    ]
    noticed += [(each, "repeated-coordinates") for each in _crowded(session, sightings, desk)]
    noticed += [(each, "impossible-travel") for each in _hurried(session, sightings, desk)]
    raise_flags(session, [_noticed(each, kind, desk) for each, kind in noticed], desk.day)


def _noticed(sighting: Sighting, kind: Kind, desk: Desk) -> Noticed:
    roll_key = desk.roll_keys[sighting.poll_id]
    return Noticed(sighting.poll_id, pseudonym_of(roll_key, sighting.anchor), kind)


@dataclass
class _Place:
    """Who was at one place, and how many others before."""

    others: int
    visitors: set[bytes] = field(default_factory=set)


def _crowded(session: Session, sightings: Sequence[Sighting], desk: Desk) -> list[Sighting]:
    """Those of whoever is the third or a later one at exactly one place."""
    visitors = [_tags(desk, b"visitor", each.poll_id.bytes + each.anchor) for each in sightings]
    given = {
        "polls": [each.poll_id for each in sightings],
        "now": desk.now,
        "few": FEW_AT_A_PLACE,
        "most": PLACES_OF_ONE,
        "places": [each.places[0] for each in sightings],
        "places_before": [each.places[-1] for each in sightings],
        "visitors": [tags[0] for tags in visitors],
        "visitors_before": [tags[-1] for tags in visitors],
    }
    places: dict[bytes, _Place] = {}
    kept: dict[bytes, int] = {}
    crowded, new = [], list[tuple[bytes, bytes, uuid.UUID]]()
    for n, is_known, others, of_visitor in session.execute(_AT_PLACES, given).all():
        sighting, tags = sightings[n - 1], visitors[n - 1]
        place = places.setdefault(sighting.places[0], _Place(others))
        if is_known or tags[0] in place.visitors:
            continue
        if place.others + len(place.visitors) >= FEW_AT_A_PLACE:
            crowded.append(sighting)
        place.visitors.add(tags[0])
        if kept.setdefault(tags[0], of_visitor) < PLACES_OF_ONE:
            kept[tags[0]] += 1
            new.append((sighting.places[0], tags[0], sighting.poll_id))
    _remember_places(session, sorted(new), desk.now)
    return crowded


def _remember_places(
    session: Session, new: Sequence[tuple[bytes, bytes, uuid.UUID]], now: dt.datetime
) -> None:
    given = {
        "polls": [poll_id for _, _, poll_id in new],
        "places": [place for place, _, _ in new],
        "visitors": [visitor for _, visitor, _ in new],
        "expires_at": _hour_after(now + PLACES_KEPT),
    }
    session.execute(_REMEMBER_PLACES, given)


def _hurried(session: Session, sightings: Sequence[Sighting], desk: Desk) -> list[Sighting]:
    """Those of whoever came faster than anybody travels."""
    ciphers = [AESGCM(_derived(key)) for key in desk.day_keys]
    fixes = [(each, each.fix) for each in sightings if each.fix]
    tags = {each.anchor: _tags(desk, b"traveller", each.anchor) for each, _ in fixes}
    last = _last_fixes(session, tags, ciphers, desk.now)
    hurried = []
    for each, fix in fixes:
        before = last.get(each.anchor)
        if before and is_impossible(before, fix):
            hurried.append(each)
        last[each.anchor] = fix
    _remember_fixes(session, {tags[a][0]: last[a] for a in tags}, ciphers[0], desk.now)
    return hurried


def _last_fixes(
    session: Session,
    tags: dict[bytes, list[bytes]],
    ciphers: Sequence[AESGCM],
    now: dt.datetime,
) -> dict[bytes, Fix]:
    """By anchor, today's rather than yesterday's."""
    wanted = [tag for both in tags.values() for tag in both]
    kept = select(LastFix.traveller, LastFix.sealed).where(
        LastFix.traveller == func.any(wanted), LastFix.expires_at > now
    )
    sealed = {tag: content for tag, content in session.execute(kept)}  # noqa: C416  # rows
    found = {}
    for anchor, both in tags.items():
        for tag, cipher in zip(reversed(both), reversed(ciphers), strict=True):
            if tag in sealed and (fix := open_fix(cipher, tag, sealed[tag])):
                found[anchor] = fix
    return found


def _remember_fixes(
    session: Session, fixes: dict[bytes, Fix], cipher: AESGCM, now: dt.datetime
) -> None:
    tags = sorted(fixes)
    sealed = [seal_fix(cipher, os.urandom(NONCE_BYTES), tag, fixes[tag]) for tag in tags]
    given = {"travellers": tags, "sealed": sealed, "expires_at": _hour_after(now + FIXES_KEPT)}
    session.execute(_REMEMBER_FIXES, given)


def forget_sightings(session: Session) -> None:
    """Remove what was remembered long enough. A last cell that is being written anew just now is
    left: who writes many of them takes them in an order of their own."""
    expired = PlaceSeen.expires_at < func.clock_timestamp()
    session.execute(delete(PlaceSeen).where(expired))
    old = select(LastFix.traveller).where(LastFix.expires_at < func.clock_timestamp())
    free = old.order_by(LastFix.traveller).with_for_update(skip_locked=True)
    session.execute(
        delete(LastFix).where(LastFix.traveller.in_(free)),
        execution_options={"synchronize_session": False},
    )


def _tags(desk: Desk, what: bytes, content: bytes) -> list[bytes]:
    return [hmac.digest(key, b"mvote/" + what + b"/1\x00" + content, "sha256")
            for key in desk.day_keys]  # fmt: skip


def _derived(key: bytes) -> bytes:
    return hmac.digest(key, b"mvote/fix/1", "sha256")


def _hour_after(instant: dt.datetime) -> dt.datetime:
    return instant.replace(minute=0, second=0, microsecond=0) + HOUR
