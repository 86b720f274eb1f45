"""Scanning a code: presence for a value of a screen, a slip, or a position at the site."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import marshmallow as ma
from marshmallow.validate import Length
from sqlalchemy.orm import Session

from api.access import access, caller
from api.blueprint import Blueprint, may_raise
from api.codes.views import known_code
from api.db import transaction
from api.fields import Instant, String
from api.limits import limited_per_citizen
from api.polls.integrity_schemas import PlacedFields, integrity_in, position_in
from api.polls.visiting import takes_a_pass
from api.wiring import wiring
from mvote.base import utc_now
from mvote.people.voters import anchor_at, anchors_of
from mvote.polls import errors
from mvote.polls.integrity import errors as integrity
from mvote.polls.integrity.asking import answered
from mvote.polls.integrity.checking import Checked
from mvote.polls.integrity.demanding import demand_of
from mvote.polls.onsite.errors import ScanValueExpired, ScanValueInvalid, ScanValueUsed
from mvote.polls.onsite.scanning import Scan, first_look, scan
from mvote.polls.poll import Poll
from mvote.polls.site_codes import SiteCode
from qr.codes import normalise_value

blp = Blueprint("scanning", "codes", description="Scanning on the spot.")


class ScanRequest(PlacedFields):
    value = String(
        validate=Length(1, 64),
        metadata={"description": "Of `rotating` and `steward`: what stands behind # in the URL"},
    )


class ScanAnswer(ma.Schema):
    presence_token = ma.fields.String(required=True)
    poll_id = ma.fields.UUID(required=True)
    site_id = ma.fields.UUID(required=True)
    expires_at = Instant(required=True)


@blp.post("/codes/<code>/scans")
@access("citizen")
@takes_a_pass
@may_raise(
    errors.PresenceRequired,
    errors.PositionStale,
    errors.OutsideArea,
    errors.PositionTooCoarse,
    errors.PositionAmbiguous,
    *integrity.ALL,
    ScanValueInvalid,
    ScanValueExpired,
    ScanValueUsed,
)
@limited_per_citizen
@blp.arguments(ScanRequest)
@blp.response(201, ScanAnswer)
def scan_code(body: dict[str, Any], code: str) -> dict[str, Any]:
    """Prove presence at the site, for ten minutes and one ballot.

    `link`: by a fresh position within the site's radius. `rotating`: by the value that the site's
    screen shows now, each once. `steward`: by the value of a slip, which is then used up.
    """
    now = utc_now()
    said = _answered(body, code, now)
    with transaction() as session:
        wanted = replace(_wanted(session, body, code), answered=said)
        answer = scan(session, gate=wiring().gate, scan=wanted, now=now)
    if answer is None:  # the wrong try is counted by now
        raise ScanValueInvalid
    return answer


def _answered(body: dict[str, Any], code: str, now: dt.datetime) -> Checked | None:
    """What a platform says of the phone; nothing is held while it is asked."""
    if "attestation" not in body.get("integrity", {}):
        return None
    with transaction() as session:
        looked = first_look(session, wiring().gate, _wanted(session, body, code), now)
    return answered(transaction, looked, now=now) if looked else None


def _anchor(session: Session, poll: Poll) -> bytes | None:
    """Who scans, as the poll knows voters; None while nobody can vote in it."""
    if poll.opens_at is None or poll.status_at(utc_now()) != "open":
        return None
    return anchor_at(anchors_of(session, caller().id), poll.opens_at)


def _wanted(session: Session, body: dict[str, Any], text: str) -> Scan:
    """Raises NotFound for a code that nobody is to know of."""
    code, poll = known_code(session, text)
    return Scan(
        code=code,
        citizen_id=caller().id,
        value=_read(code, body.get("value")),
        position=position_in(body),
        demand=demand_of(poll.content),
        integrity=integrity_in(body),
        anchor=_anchor(session, poll),
    )


def _read(code: SiteCode, value: str | None) -> str | None:
    """The value in its stored form, as somebody may have typed it."""
    if value is None or code.kind == "link":
        return None
    return normalise_value(value)
