"""Where a printed code leads: the app, or a small page in Korean and English."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from flask import Flask, Response, render_template_string

from api.access import access
from api.codes.hints import HINTS
from api.codes.views import CodeView, known_code, shown_code
from api.db import db
from api.etags import tagged
from api.negotiation import wanted_type
from api.wiring import wiring
from mvote.errors import NotFound
from mvote.languages import side_by_side

HTML, JSON = "text/html", "application/json"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; base-uri 'none';"
    " frame-ancestors 'none'"
)

PAGE = """<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 34rem; padding: 1.5rem;
       color: #1a1a1a; background: #fff }
h1 { font-size: 1.5rem; margin-bottom: 0 } [lang=en] { color: #555 }
dt { font-weight: 600; margin-top: 1rem } dd { margin: 0 }
a.app { display: block; margin: 2rem 0 1rem; padding: 1rem; border-radius: .6rem;
        background: #0b5cad; color: #fff; text-align: center; text-decoration: none }
a.app:focus { outline: 3px solid #ffb000 }
</style>
{% if found and found.kind != "link" %}<script src="/display/landing.js" defer></script>
{% endif %}</head>
<body>
<main>
{% if found %}
<h1>{{ found.poll.title.get("ko") or found.poll.title.get("en") }}</h1>
{% if found.poll.title.get("ko") and found.poll.title.get("en") %}
<p lang="en">{{ found.poll.title.get("en") }}</p>{% endif %}
{% if not found.active %}
<p>이 코드는 더 이상 사용할 수 없습니다. <span lang="en">This code is no longer in use.</span></p>
{% endif %}
<dl>
<dt>장소 <span lang="en">Site</span></dt>
<dd>{{ found.site.name.get("ko") or found.site.name.get("en") }}</dd>
{% if found.site.name.get("ko") and found.site.name.get("en") %}
<dd lang="en">{{ found.site.name.get("en") }}</dd>{% endif %}
<dt>기간 <span lang="en">Voting period</span></dt>
<dd>{{ opens }} – {{ closes }}</dd>
</dl>
<a class="app" href="{{ app_url }}">앱에서 참여하기 <span>· Open the app</span></a>
<p id="with-value" hidden>확인 값 <span lang="en">Value</span> <strong id="value"></strong></p>
<p>{{ hint.ko }}</p>
<p lang="en">{{ hint.en }} This page stores nothing about you.</p>
{% else %}
<h1>코드를 찾을 수 없습니다</h1>
<p lang="en">There is no such code. Please check the twelve characters on the poster.</p>
{% endif %}
</main>
</body>
</html>
"""


def register(app: Flask) -> None:
    """The routes outside /v1 that a scanned code needs."""
    app.add_url_rule("/q/<code>", view_func=access("public")(landing))
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
        return _page(None, 404)
    return _page(found, 200)


def _page(found: dict[str, Any] | None, status: int) -> Response:
    view = CodeView().dump(found) if found else None
    html = render_template_string(
        PAGE,
        title="mvote" if view is None else view["poll"]["title"].get("ko", "mvote"),
        found=view,
        hint=side_by_side(HINTS[view["kind"]]) if view else None,
        opens=found and _city_time(found["poll"]["opens_at"]),
        closes=found and _city_time(found["poll"]["closed_at"] or found["poll"]["closes_at"]),
        app_url=view and f"mvote://polls/{view['poll_id']}?code={view['code']}",
    )
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Vary"] = "Accept"
    return response


def _city_time(instant: dt.datetime | None) -> str:
    if instant is None:
        return "–"
    zone = ZoneInfo(wiring().settings.city_time_zone)
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M")


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
