"""Scanning a code on the spot: what proves presence for each kind, and how often one may try."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.errors import DomainError, NotFound
from mvote.people.limits import Limit, is_used_up, use_up
from mvote.polls.errors import PositionRequired, PositionStale, ScanRequired
from mvote.polls.integrity.attesting import Attestors, Vouched
from mvote.polls.integrity.checking import (
    NOTHING_SAID,
    Checked,
    Claim,
    Demand,
    Integrity,
    check,
    spend,
)
from mvote.polls.integrity.devices import Owners
from mvote.polls.integrity.watching import Watch
from mvote.polls.onsite.rotation import secret_of, step_of, use_once
from mvote.polls.onsite.slips import use_slip
from mvote.polls.onsite.wrapping import CodeSecrets
from mvote.polls.presence import Position
from mvote.polls.presence_tokens import PresenceTokens
from mvote.polls.proving import ERRORS
from mvote.polls.site_codes import SiteCode, Sites

SPAN = dt.timedelta(minutes=10)
VALUES_OF_A_CITIZEN = Limit("scanned-values", 30, SPAN)
FEW_OF_A_CITIZEN = Limit(VALUES_OF_A_CITIZEN.name, 3, SPAN)
"""While many guess at a code: who has the value before them needs one, and is let in as ever."""
WRONG_AT_A_CODE = Limit("wrong-scanned-values", 3_000, SPAN)
"""8 digits of which three are good: a hundred accounts that guess together find one value in
10,000 such spans; more accounts have a tenth of their tries."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What judges scans: places, the key of tokens, platforms, what unwraps codes' secrets."""

    sites: Sites
    tokens: PresenceTokens
    attestors: Attestors
    owners: Owners
    watch: Watch
    secrets: CodeSecrets


@dataclass(frozen=True, kw_only=True, repr=False)
class Scan:
    """Who scans which code, and what they offer."""

    code: SiteCode
    citizen_id: uuid.UUID
    value: str | None = None
    position: Position | None = None
    #: what the poll asks of a position, and what the app says of it
    demand: Demand = "none"
    integrity: Integrity = NOTHING_SAID
    #: who scans, as the poll knows them; None while it is not open
    anchor: bytes | None = None
    #: what a platform elsewhere says of the phone: `first_look`, once it is answered
    answered: Checked | None = None


def scan(session: Session, *, gate: Gate, scan: Scan, now: dt.datetime) -> dict[str, Any] | None:
    """A presence token for a citizen who is at the site; None for a value that is wrong.

    A wrong value must be counted, so the caller keeps the transaction before refusing it. Raises
    NotFound for an inactive code; PresenceRequired without what proves presence here;
    ScanValueExpired, ScanValueUsed; TooManyRequests for who tries too often; or the reason why the
    position proves nothing.
    """
    code = scan.code
    if not code.is_active_at(now):
        raise NotFound
    if code.kind == "link":
        _check_position(session, gate, scan, now)
    elif not _proven_by_value(session, gate, scan, now):
        return None
    token, expires_at = gate.tokens.issue(
        citizen_id=scan.citizen_id, poll_id=code.poll_id, site_id=code.site_id, now=now
    )
    return {
        "presence_token": token,
        "poll_id": code.poll_id,
        "site_id": code.site_id,
        "expires_at": expires_at,
    }


def first_look(session: Session, gate: Gate, scan: Scan, now: dt.datetime) -> Checked | None:
    """What is to be asked of a platform before the scan itself, whose transaction must not wait
    for it. None if nothing is, or if the position is refused anyway."""
    try:
        checked = _checked(session, gate, scan, now) if scan.code.kind == "link" else None
    except DomainError:
        return None
    return None if checked is None or checked.reasons else checked


def _check_position(session: Session, gate: Gate, scan: Scan, now: dt.datetime) -> None:
    """A photographed link must not admit: only a position within the site's radius does."""
    if scan.position is None:
        raise PositionRequired
    look = _Look(scan.position)
    try:
        _judge(session, gate, scan, look, now)
    finally:  # what was refused is seen, too
        gate.watch.see(
            scan.code.poll_id,
            scan.anchor or b"",
            scan.position,
            said=scan.integrity,
            now=now,
            nonce_given_at=look.nonce_given_at,
            accounts=look.accounts,
        )


@dataclass(repr=False)
class _Look:
    """What was found of a position on the way."""

    position: Position
    nonce_given_at: dt.datetime | None = None
    #: so many use the phone
    accounts: int = 0


def _judge(session: Session, gate: Gate, scan: Scan, look: _Look, now: dt.datetime) -> None:
    """What is good once is used up by the token that it gives."""
    answered = scan.answered
    if answered and answered.reasons:
        raise answered.reasons[0]
    checked = _checked(session, gate, scan, now)
    look.nonce_given_at = checked.nonce_given_at
    if checked.reasons:
        raise checked.reasons[0]
    if answered and not isinstance(checked.vouched, Vouched):
        checked = replace(checked, vouched=answered.vouched)
    look.accounts = spend(session, gate.owners, checked, now=now) or 0


def _checked(session: Session, gate: Gate, scan: Scan, now: dt.datetime) -> Checked:
    """What a look at the position finds; nothing is used up. Raises why it proves nothing."""
    position = scan.position
    if position is None:
        raise PositionRequired
    if not position.is_fresh(now):
        raise PositionStale
    site_id = scan.code.site_id
    verdict = gate.sites.verdict_at_site(session, site_id=site_id, position=position)
    if verdict != "inside":
        raise ERRORS[verdict]()  # noqa: RSE102  # a factory of errors, not an error
    claim = Claim(
        poll_id=scan.code.poll_id,
        citizen_id=scan.citizen_id,
        position=position,
        demand=scan.demand,
        integrity=scan.integrity,
    )
    return check(session, gate.attestors, claim, now=now)


def _proven_by_value(session: Session, gate: Gate, scan: Scan, now: dt.datetime) -> bool:
    if scan.value is None:
        raise ScanRequired
    code = scan.code.code
    of_citizen = gate.secrets.hash(f"citizen/{code}/{scan.citizen_id}")
    of_code = gate.secrets.hash(f"code/{code}")
    many_guess = is_used_up(session, WRONG_AT_A_CODE, subject_hash=of_code, now=now)
    tries = FEW_OF_A_CITIZEN if many_guess else VALUES_OF_A_CITIZEN
    use_up(session, tries, subject_hash=of_citizen, now=now)
    prove = _by_rotation if scan.code.kind == "rotating" else _by_slip
    proven = prove(session, gate, scan, scan.value)
    if not (proven or many_guess):
        use_up(session, WRONG_AT_A_CODE, subject_hash=of_code, now=now)
    return proven


def _by_rotation(session: Session, gate: Gate, scan: Scan, value: str) -> bool:
    """One clock for all who show values and take them: the database's."""
    secret = secret_of(session, scan.code.code, gate.secrets)
    step = step_of(secret, value, database_time(session))
    if step is None:
        return False
    poll_id = scan.code.poll_id
    use_once(session, poll_id=poll_id, secret=secret, citizen_id=scan.citizen_id, step=step)
    return True


def _by_slip(session: Session, gate: Gate, scan: Scan, value: str) -> bool:
    return use_slip(session, code=scan.code, value=value, secrets=gate.secrets)
