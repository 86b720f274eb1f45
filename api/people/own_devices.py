"""One's own phones, as far as a platform vouches for them: registering, seeing, forgetting."""

from __future__ import annotations

import uuid
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow.validate import Length, OneOf, Regexp

from api.access import access, caller_id
from api.blueprint import Blueprint, may_raise
from api.db import db, transaction
from api.fields import Strict, String
from api.limits import limited_per_citizen
from api.wiring import wiring
from mvote.base import utc_now
from mvote.errors import NotFound, TokenInvalid
from mvote.people.accounts import locked
from mvote.people.limits import use_up
from mvote.polls.integrity.app_attestor import AppAttest
from mvote.polls.integrity.attesting import LONGEST_TOKEN, PLATFORMS
from mvote.polls.integrity.devices import (
    DEVICES_OF_A_CITIZEN,
    Device,
    devices_of,
    forget_device,
)
from mvote.polls.integrity.errors import AttestationInvalid, PositionNonceInvalid
from mvote.polls.integrity.nonces import NONCE, use_nonce
from mvote.wording import say

LONGEST_KEY_ID = 128
blp = Blueprint("own_devices", "own_devices", description="Phones that the caller votes with.")


class DeviceRequest(Strict):
    platform = String(required=True, validate=OneOf(["app-attest"]))
    key_id = String(
        required=True,
        validate=Length(1, LONGEST_KEY_ID),
        metadata={"description": "The phone's key: 32 bytes in base64url without padding."},
    )
    attestation = String(
        required=True,
        validate=Length(1, LONGEST_TOKEN),
        metadata={
            "description": "In base64url. Of a new key what `attestKey` gives; of a key that"
            " another account registered what `generateAssertion` gives."
        },
    )
    nonce = String(
        required=True,
        validate=Regexp(rf"^{NONCE}\Z", error=say("Not a nonce of `POST /positions/nonces`.")),
        metadata={"description": "From `POST /positions/nonces`; good for 60 s, and once."},
    )


class DeviceSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    platform = ma.fields.String(required=True, validate=OneOf(PLATFORMS))
    registered_on = ma.fields.Date(required=True)
    last_used_on = ma.fields.Date(required=True)


class DevicesSchema(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(DeviceSchema), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


@blp.post("/me/devices")
@access("citizen")
@may_raise(PositionNonceInvalid, AttestationInvalid)
@limited_per_citizen
@blp.arguments(DeviceRequest)
@blp.response(201, DeviceSchema)
def register_my_device(body: dict[str, Any]) -> dict[str, Any]:
    """Register this phone's key of App Attest, so that its assertions vouch for my positions."""
    now, citizen_id = utc_now(), caller_id()
    attestor = wiring().attestors.of(body["platform"])
    if not isinstance(attestor, AppAttest):
        raise AttestationInvalid("platform")
    with transaction() as session:  # kept whatever comes: tries that fail are tries
        subject = wiring().owners.tag(citizen_id)
        use_up(session, DEVICES_OF_A_CITIZEN, subject_hash=subject, now=now)
        use_nonce(session, citizen_id=citizen_id, nonce=body["nonce"], now=now)
    with transaction() as session:
        if locked(session, citizen_id) is None:
            raise TokenInvalid
        device = attestor.register(
            session,
            citizen_id=citizen_id,
            nonce=body["nonce"],
            key_id=body["key_id"],
            attestation=body["attestation"],
            now=now,
        )
        return _shown(device)


@blp.get("/me/devices")
@access("citizen")
@blp.response(200, DevicesSchema)
def list_my_devices() -> dict[str, Any]:
    """Phones that vouched for me within 30 days, the one used last first."""
    found = devices_of(db.session(), wiring().owners.tag(caller_id()))
    return {"items": [_shown(each) for each in found], "next_cursor": None}


@blp.delete("/me/devices/<uuid:device_id>")
@access("citizen")
@may_raise(NotFound)
@blp.response(204)
def forget_my_device(device_id: uuid.UUID) -> Response:
    """Forget a phone. Nothing leads from it to me any more; that it was used counts for 30 days."""
    owner_tag = wiring().owners.tag(caller_id())
    with transaction() as session:
        if not forget_device(session, device_id=device_id, owner_tag=owner_tag):
            raise NotFound
    return Response(status=204)


def _shown(device: Device) -> dict[str, Any]:
    return {name: getattr(device, name) for name in DeviceSchema().fields}
