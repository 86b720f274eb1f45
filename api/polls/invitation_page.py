"""Where a personal link leads: a small page that says what is asked, and opens the app."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, render_template

from api.access import access
from api.codes.periods import period_in
from api.languages import language
from api.polls.invitations import is_of_private_poll, shown_invitation
from api.wiring import wiring
from mvote.errors import NotFound
from mvote.languages import best_of

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def register(app: Flask) -> None:
    """The route outside /v1 that a message names."""
    app.add_url_rule("/i/<token>", view_func=access("anybody")(invitation_page))


def invitation_page(token: str) -> Response:
    """A page in the reader's language; whoever opens it stays as signed in as they were."""
    try:
        return _page(shown_invitation(token), token, 200)
    except NotFound:
        is_private = is_of_private_poll(token)
        return _page(None, token, 200 if is_private else 404, is_private=is_private)


def _page(
    found: dict[str, Any] | None, token: str, status: int, *, is_private: bool = False
) -> Response:
    door = f"mvote://rooms?invitation={token}" if is_private else None
    html = render_template(
        "invitation.html",
        language=language(),
        found=found,
        title=best_of(found["title"], language()) if found else ("mvote", "en"),
        period=found and _period(found),
        app_url=door or (found and f"mvote://polls/{found['poll_id']}?invitation={token}"),
        is_private=is_private,
    )
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def _period(found: dict[str, Any]) -> str:
    zone = wiring().settings.city_time_zone
    return period_in(language(), found["opens_at"], found["closes_at"], zone)
