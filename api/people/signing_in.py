"""Signing in with a one-time code, staying signed in, signing out."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, request

from api.access import access, caller_id, caller_session
from api.blueprint import Blueprint, may_raise
from api.db import transaction
from api.languages import language
from api.people.schemas import (
    ChallengeSchema,
    CodeRequestSchema,
    RefreshSchema,
    SignInRequestSchema,
    TokensSchema,
)
from mvote.base import utc_now
from mvote.errors import TokenInvalid
from mvote.people import refreshing, signing_in
from mvote.people.challenges import Challenge
from mvote.people.errors import MessageNotSent, OneTimeCodeInvalid
from mvote.people.phones import read_number
from mvote.people.signing_in import FrontDesk, SignedIn
from mvote.people.tokens import LIFETIME, Tokens

blp = Blueprint("signing_in", "signing_in", description="Signing in with a number and a code.")


def _desk() -> FrontDesk:
    desk: FrontDesk = current_app.extensions["front_desk"]
    return desk


def tokens_for(signed_in: SignedIn) -> dict[str, Any]:
    """The answer to whoever has signed in."""
    tokens: Tokens = current_app.extensions["tokens"]
    return {
        "access_token": tokens.issue(
            signed_in.citizen_id, now=utc_now(), session_id=signed_in.session_id
        ),
        "refresh_token": signed_in.refresh_token,
        "token_type": "Bearer",
        "expires_in": int(LIFETIME.total_seconds()),
    }


@blp.post("/auth/codes")
@access("public")
@may_raise(MessageNotSent)
@blp.arguments(CodeRequestSchema)
@blp.response(202, ChallengeSchema)
def send_code(body: dict[str, Any]) -> Challenge:
    """Send a 6-digit one-time code; the answer is the same for known and unknown numbers.

    It is good for its purpose only: a code that somebody was asked for to sign in gives their
    number to nobody else's account.
    """
    number = read_number(body["phone"], region=current_app.extensions["settings"].phone_region)
    with transaction() as session:
        return signing_in.send_code(
            session,
            desk=_desk(),
            number=number,
            purpose=body["purpose"],
            address=request.remote_addr or "",
            language=language(),
            now=utc_now(),
        )


@blp.post("/auth/tokens")
@access("public")
@may_raise(OneTimeCodeInvalid)
@blp.arguments(SignInRequestSchema)
@blp.response(201, TokensSchema)
def sign_in(body: dict[str, Any]) -> dict[str, Any]:
    """Trade a one-time code for tokens; whoever comes for the first time has an account now."""
    with transaction() as session:
        signed_in = signing_in.sign_in(session, desk=_desk(), now=utc_now(), **body)
    if signed_in is None:
        raise OneTimeCodeInvalid
    return tokens_for(signed_in)


@blp.post("/auth/tokens/refresh")
@access("public")
@may_raise(TokenInvalid)
@blp.arguments(RefreshSchema)
@blp.response(201, TokensSchema)
def refresh_tokens(body: dict[str, Any]) -> dict[str, Any]:
    """Trade a refresh token for new tokens. It is good once.

    If the answer was lost, the same token gets the same refresh token again within 10 seconds.
    After that, or once the new one was used, a second use ends the session.
    """
    with transaction() as session:
        signed_in = refreshing.refresh(
            session, desk=_desk(), token=body["refresh_token"], now=utc_now()
        )
    if signed_in is None:
        raise TokenInvalid
    return tokens_for(signed_in)


@blp.delete("/auth/tokens")
@access("citizen")
@blp.response(204)
def sign_out() -> Response:
    """End the caller's session; access tokens live on for their ten minutes at most.

    A token that was given out in no session (by a command) ends them all.
    """
    with transaction() as session:
        refreshing.sign_out(session, citizen_id=caller_id(), session_id=caller_session())
    return Response(status=204)
