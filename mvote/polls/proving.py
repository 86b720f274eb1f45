"""Proving presence: a position or a scan, judged by the poll's rule, then forgotten."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mvote.errors import DomainError
from mvote.polls.definition import FrozenPoll
from mvote.polls.errors import (
    OutsideArea,
    PositionAmbiguous,
    PositionStale,
    PositionTooCoarse,
    PresenceRequired,
    PresenceTokenInvalid,
    ScanRequired,
)
from mvote.polls.integrity.attesting import Attestors
from mvote.polls.integrity.checking import NOTHING_SAID, Checked, Claim, Integrity, check
from mvote.polls.presence import Geofence, Position, Verdict
from mvote.polls.presence_tokens import PresenceTokens

ERRORS: dict[Verdict, Callable[[], DomainError]] = {
    "outside-area": OutsideArea,
    "position-too-coarse": PositionTooCoarse,
    "position-ambiguous": PositionAmbiguous,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Evidence:
    """What a voter offers as proof of presence."""

    position: Position | None = None
    presence_token: str | None = None
    #: what the app says of the position
    integrity: Integrity = NOTHING_SAID
    #: the key K of the ballot that it comes with, where something is said of the position
    ballot_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Judge:
    """What judges evidence: the geofence, the key of the presence tokens, platforms."""

    geofence: Geofence
    tokens: PresenceTokens
    attestors: Attestors


@dataclass(frozen=True, kw_only=True, repr=False)
class Presence:
    """What the evidence proves: nothing against it, or the reasons; and the token it rests on."""

    reasons: list[DomainError]
    #: the presence token that admits and is spent by casting; None if a position admits
    token: str | None = None
    #: of a position that admits: what came with it, to be used up by casting
    checked: Checked | None = None


def proven_presence(
    session: Session,
    *,
    judge: Judge,
    poll: FrozenPoll,
    citizen_id: uuid.UUID,
    evidence: Evidence,
    now: dt.datetime,
) -> Presence:
    """Whether the evidence proves presence; without reasons if it does, or if none is needed."""
    if poll.presence == "none":
        return Presence(reasons=[])
    by_position, checked = _judged_position(session, judge, poll, citizen_id, evidence, now)
    if None in by_position:
        return Presence(reasons=[], checked=checked)
    by_token = _judged_token(session, judge, poll, citizen_id, evidence.presence_token)
    if None in by_token:
        return Presence(reasons=[], token=evidence.presence_token)
    reasons = [reason for reason in (*by_position, *by_token) if reason is not None]
    missing = PresenceRequired if poll.presence == "area" else ScanRequired
    return Presence(reasons=reasons or [missing()])


def _judged_position(
    session: Session,
    judge: Judge,
    poll: FrozenPoll,
    citizen_id: uuid.UUID,
    evidence: Evidence,
    now: dt.datetime,
) -> tuple[list[DomainError | None], Checked | None]:
    """None among the reasons if it admits; and what was found of all that came with it."""
    position = evidence.position
    if position is None or poll.presence != "area":
        return [], None
    if not position.is_fresh(now):
        return [PositionStale()], None
    verdict = judge.geofence.verdict(session, poll_id=poll.poll_id, position=position)
    if verdict != "inside":
        return [ERRORS[verdict]()], None
    if poll.integrity == "none" and evidence.integrity is NOTHING_SAID:
        return [None], None
    claim = Claim(
        poll_id=poll.poll_id,
        citizen_id=citizen_id,
        position=position,
        demand=poll.integrity,
        integrity=evidence.integrity,
        ballot_key=evidence.ballot_key,
    )
    checked = check(session, judge.attestors, claim, now=now)
    return [*checked.reasons] or [None], checked


def _judged_token(
    session: Session, judge: Judge, poll: FrozenPoll, citizen_id: uuid.UUID, token: str | None
) -> list[DomainError | None]:
    if token is None:
        return []
    try:
        site_id = judge.tokens.site_of(token, citizen_id=citizen_id, poll_id=poll.poll_id)
    except PresenceTokenInvalid as error:
        return [error]
    if poll.presence == "site":
        return [None]
    inside = judge.geofence.holds_site(session, poll_id=poll.poll_id, site_id=site_id)
    return [None if inside else OutsideArea()]
