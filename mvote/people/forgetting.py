"""Forgetting what has served its time: the worker does it now and then."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete
from sqlalchemy.orm import InstrumentedAttribute, Session

from mvote.people.challenges import Challenge
from mvote.people.citizens import Tombstone
from mvote.people.identities import IdentityNonce
from mvote.people.limits import Allowance
from mvote.people.sessions import SignIn

ENDS: tuple[InstrumentedAttribute[dt.datetime], ...] = (
    Challenge.expires_at,
    IdentityNonce.expires_at,
    Allowance.span_ends_at,
    SignIn.expires_at,
    Tombstone.until,
)


def forget_expired(session: Session, *, now: dt.datetime) -> None:
    """Delete one-time codes, nonces, limits, sign-ins and tombstones that ended before *now*."""
    for ends in ENDS:
        session.execute(delete(ends.class_).where(ends < now))
