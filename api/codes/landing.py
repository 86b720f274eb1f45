"""Where a printed code leads: the app, or a small page in the reader's language."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask, Response, render_template
from sqlalchemy.orm import Session

from api.access import access
from api.codes.hints import HINTS
from api.codes.periods import period_in
from api.codes.views import CodeView, code_in, known_code, shown_code
from api.db import db
from api.etags import tagged
from api.languages import in_words, language
from api.negotiation import wanted_type
from api.wiring import wiring
from mvote.errors import NotFound, Text
from mvote.languages import best_of
from mvote.polls.poll import Poll

HTML, JSON = "text/html", "application/json"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; base-uri 'none';"
    " frame-ancestors 'none'"
)


def register(app: Flask) -> None:
    """The routes outside /v1 that a scanned code needs."""
    app.add_url_rule("/q/<code>", view_func=access("anybody")(landing))
    app.add_url_rule(
        "/.well-known/apple-app-site-association", view_func=access("public")(apple_association)
    )
    app.add_url_rule("/.well-known/assetlinks.json", view_func=access("public")(android_links))


def landing(code: str) -> Response:
    """JSON by `Accept`, else a page that says what is asked here, and opens the app."""
    wanted = wanted_type(HTML, JSON)
    session = db.session()
    if wanted == JSON:
        return tagged(CodeView().dump(shown_code(session, *known_code(session, code))))
    try:
        found = shown_code(session, *known_code(session, code))
    except NotFound:
        door = _door(session, code)
        return _page(None, 200 if door else 404, door=door)
    return _page(found, 200)


def _door(session: Session, text: str) -> str | None:
    """Where the app asks for number and password, if the code belongs to a private poll."""
    try:
        code = code_in(session, text)
    except NotFound:
        return None
    poll = session.get_one(Poll, code.poll_id)
    is_open_to_guests = poll.is_private and poll.frozen_at is not None
    return f"mvote://rooms?code={code.code}" if is_open_to_guests else None


def _page(found: dict[str, Any] | None, status: int, door: str | None = None) -> Response:
    view = CodeView().dump(found) if found else None
    html = render_template(
        "landing.html",
        language=language(),
        found=view,
        hint=in_words(HINTS[view["kind"]]) if view else None,
        title=_own(view and view["poll"]["title"]),
        site=_own(view and view["site"]["name"]),
        period=found and _period(found["poll"]),
        app_url=door or (view and f"mvote://polls/{view['poll_id']}?code={view['code']}"),
        is_private=door is not None,
    )
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept, Accept-Language, Authorization, Room-Pass"
    return response


def _own(text: Text | None) -> tuple[str, str]:
    """What people wrote, as far as they did in the reader's language; and in which they did."""
    return best_of(text, language()) if text else ("mvote", "en")


def _period(poll: dict[str, Any]) -> str:
    closes = poll["closed_at"] or poll["closes_at"]
    return period_in(language(), poll["opens_at"], closes, wiring().settings.city_time_zone)


def apple_association() -> Response:
    """Universal links for iOS: which app opens /q/…; 404 if none is configured."""
    ids = wiring().settings.apple_app_ids
    if not ids:
        raise NotFound
    details = [{"appIDs": list(ids), "components": [{"/": "/q/*"}]}]
    return _json({"applinks": {"details": details}})


def android_links() -> Response:
    """App links for Android: which app opens /q/…; 404 if none is configured."""
    settings = wiring().settings
    if not settings.android_app_package:
        raise NotFound
    target = {
        "namespace": "android_app",
        "package_name": settings.android_app_package,
        "sha256_cert_fingerprints": list(settings.android_app_cert_sha256),
    }
    relation = ["delegate_permission/common.handle_all_urls"]
    return _json([{"relation": relation, "target": target}])


def _json(document: object) -> Response:
    return Response(orjson.dumps(document), content_type=JSON)
