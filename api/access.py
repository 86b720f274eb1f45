"""Who may call what. Every operation declares it; an app with an undeclared one does not start."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, TypeVar

from flask import Flask, current_app, g, request

from api.db import db
from mvote.errors import NotAllowed, TokenInvalid, TokenMissing
from mvote.people.citizens import Citizen
from mvote.people.tokens import Tokens
from mvote.polls.onsite.displays import Display, display_of_key, looks_like_a_key

Who = Literal["public", "anybody", "citizen", "token", "officer", "administrator", "display"]
"""Who may call an operation.

`public`: nobody is asked, and no token is read · `anybody`: nobody need say who they are; who sends
a token may be shown more · `citizen`: an account · `token`: a valid token, the use case loads the
account itself · `officer`, `administrator`: roles · `display`: the key of a screen at a site.
"""

View = TypeVar("View", bound=Callable[..., Any])


class Undeclared(RuntimeError):
    """An operation does not say who may call it, or does otherwise than it says."""


def access(who: Who) -> Callable[[View], View]:
    """Declare that *who* may call the view; stands directly beneath the route."""

    def declare(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            g.declared = who
            CHECKS[who]()
            return view(*args, **kwargs)

        checked.access = who  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return declare


def caller_id() -> uuid.UUID:
    """Whose token came with the request. Raises TokenMissing, TokenInvalid."""
    known: uuid.UUID | None = g.get("caller_id")
    if known is None:
        known = g.caller_id = _tokens().citizen_of(_bearer())
    return known


def caller_session() -> uuid.UUID | None:
    """The session that the caller's token was given out in. Raises TokenMissing, TokenInvalid."""
    return _tokens().session_of(_bearer())


def caller() -> Citizen:
    """The citizen who calls, with roles. Raises TokenInvalid for an account that is gone."""
    citizen: Citizen | None = g.get("caller")
    if citizen is None:
        citizen = db.session.get(Citizen, caller_id())
        if citizen is None:
            raise TokenInvalid
        g.caller = citizen
    return citizen


def caller_or_nobody() -> Citizen | None:
    """Who calls, if a token was sent. Raises TokenMissing, TokenInvalid for a wrong one.

    Raises Undeclared where `@access` says that nobody reads it: the contract says so, too.
    """
    if g.declared == "public":
        raise Undeclared(f"{request.endpoint} reads a token and declares that it does not")
    return caller() if "Authorization" in request.headers else None


def check_every_operation_is_declared(app: Flask) -> None:
    """Raises Undeclared for the first operation without `@access`."""
    for rule in app.url_map.iter_rules():
        if not hasattr(app.view_functions[rule.endpoint], "access"):
            raise Undeclared(f"{rule.rule} ({rule.endpoint}) does not declare who may call it")


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenMissing
    return token.strip()


def caller_display() -> Display:
    """The screen whose key came with the request.

    Raises TokenMissing; TokenInvalid for a key that is unknown or revoked; NotAllowed for a
    citizen.
    """
    key = _bearer()
    if not looks_like_a_key(key):
        caller()
        raise NotAllowed
    display = display_of_key(db.session(), key)
    if display is None:
        raise TokenInvalid
    return display


def _tokens() -> Tokens:
    tokens: Tokens = current_app.extensions["tokens"]
    return tokens


def _check_officer() -> None:
    if not caller().is_officer:
        raise NotAllowed


def _check_administrator() -> None:
    if not caller().is_administrator:
        raise NotAllowed


CHECKS: dict[Who, Callable[[], object]] = {
    "public": lambda: None,
    "anybody": caller_or_nobody,
    "citizen": caller,
    "token": caller_id,
    "officer": _check_officer,
    "administrator": _check_administrator,
    "display": caller_display,
}
