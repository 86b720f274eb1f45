"""Identities by an outside provider (OpenID Connect): signing in, linking, giving up."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, current_app, request
from marshmallow.validate import Length

from api.access import access, caller_id
from api.blueprint import Blueprint, may_raise
from api.db import transaction
from api.etags import tagged
from api.fields import Boolean, Instant, Strict, String
from api.people.me import shown
from api.people.schemas import AccountSchema, DeviceName, TokensSchema
from api.people.signing_in import tokens_for
from mvote.base import utc_now
from mvote.errors import NotFound
from mvote.people.errors import (
    AnotherIdentity,
    IdentityInUse,
    IdentityInvalid,
    IdentityProviderAway,
    IdentityRests,
    LastWayIn,
)
from mvote.people.id_tokens import Proven, Provider, read_id_token
from mvote.people.identities import Hall, ask, give_up_identity, link_identity, sign_in_with
from mvote.polls.participations import last_poll_ends

blp = Blueprint("identity", "identity", description="Identities by an outside provider.")


class NonceSchema(ma.Schema):
    nonce = ma.fields.String(required=True)
    expires_at = Instant(required=True)
    issuer = ma.fields.String(required=True)
    client_id = ma.fields.String(required=True)


class IdTokenSchema(Strict):
    id_token = String(required=True, validate=Length(1, 8192))
    nonce = String(required=True, validate=Length(1, 100))


class IdentitySignInSchema(IdTokenSchema):
    device = DeviceName()


class LinkSchema(IdTokenSchema):
    merge = Boolean(
        load_default=False,
        metadata={"description": "If another account has the identity: both are the caller's."},
    )


def _provider() -> Provider:
    """Raises NotFound where no provider is configured."""
    provider: Provider | None = current_app.extensions["identity_provider"]
    if provider is None:
        raise NotFound
    return provider


def _hall() -> Hall:
    return Hall(desk=current_app.extensions["front_desk"], areas=current_app.extensions["areas"])


def _proven(body: dict[str, Any]) -> Proven:
    return read_id_token(_provider(), body["id_token"], nonce=body["nonce"], now=utc_now())


@blp.post("/auth/identity/nonces")
@access("public")
@may_raise(NotFound)
@blp.response(201, NonceSchema)
def ask_for_identity() -> dict[str, Any]:
    """A nonce to ask the identity provider with, good for ten minutes and once."""
    provider = _provider()
    with transaction() as session:
        desk, address = current_app.extensions["front_desk"], request.remote_addr or ""
        nonce, ends = ask(session, desk=desk, address=address, now=utc_now())
    return {
        "nonce": nonce,
        "expires_at": ends,
        "issuer": provider.issuer,
        "client_id": provider.audience,
    }


@blp.post("/auth/identity")
@access("public")
@may_raise(NotFound, IdentityInvalid, IdentityProviderAway)
@blp.arguments(IdentitySignInSchema)
@blp.response(201, TokensSchema)
def sign_in_by_identity(body: dict[str, Any]) -> dict[str, Any]:
    """Trade an ID token for tokens; whoever comes for the first time has an account now."""
    proven = _proven(body)
    with transaction() as session:
        signed_in = sign_in_with(
            session,
            hall=_hall(),
            proven=proven,
            nonce=body["nonce"],
            device=body["device"],
            now=utc_now(),
        )
    return tokens_for(signed_in)


@blp.put("/me/identity")
@access("citizen")
@may_raise(
    NotFound,
    IdentityInvalid,
    IdentityInUse,
    AnotherIdentity,
    IdentityRests,
    IdentityProviderAway,
)
@blp.arguments(LinkSchema)
@blp.response(200, AccountSchema)
def link_my_identity(body: dict[str, Any]) -> Response:
    """Link a verified identity, with what the provider vouches for.

    No vote is won by it: the account votes as before. If another account has the identity, `merge`
    says that both are the caller's: they vote as one person in polls opened from now on, and what
    is vouched for stays with the other account. An identity that another account gave up while a
    poll was open is refused until such polls have ended.
    """
    proven = _proven(body)
    with transaction() as session:
        citizen = link_identity(
            session,
            hall=_hall(),
            citizen_id=caller_id(),
            proven=proven,
            nonce=body["nonce"],
            merge=body["merge"],
            now=utc_now(),
        )
        view = shown(session, citizen)
    return tagged(view)


@blp.delete("/me/identity")
@access("citizen")
@may_raise(LastWayIn)
@blp.response(204)
def give_up_my_identity() -> Response:
    """Take the identity out of the account; what it vouched for goes with it."""
    with transaction() as session:
        give_up_identity(session, citizen_id=caller_id(), last_poll_ends=last_poll_ends)
    return Response(status=204)
