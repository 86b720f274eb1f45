"""Headers that every response carries, and the one line in the log that every request leaves."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from api.settings import Settings

log = logging.getLogger("mvote.requests")

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)


def headers_of(settings: Settings) -> dict[str, str]:
    """The headers of every response."""
    if settings.public_url.startswith("https://"):
        return SECURITY | {"Strict-Transport-Security": "max-age=31536000"}
    return SECURITY


def register(app: Flask) -> None:
    """Add the headers and the log line to every response of *app*."""
    always = headers_of(app.extensions["settings"])
    without_etag = always | {"Cache-Control": "no-store"}

    @app.before_request
    def note_the_start() -> None:
        g.started = request.environ.get("mvote.started") or time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        if request.path.startswith("/docs"):
            response.headers["Content-Security-Policy"] = DOCS_POLICY
        given = {name.lower() for name, _ in response.headers}
        wanted = always if "etag" in given else without_etag
        response.headers.extend((n, v) for n, v in wanted.items() if n.lower() not in given)
        route = request.url_rule.rule if request.url_rule else None
        took = time.perf_counter() - g.get("started", time.perf_counter())
        write_line(request.method, route, response.status_code, took)
        return response


def write_line(method: str, route: str | None, status: int, took_s: float) -> None:
    """The route's template, never the path: trackers and codes stand in paths."""
    if log.isEnabledFor(logging.INFO):
        line = {"method": method, "route": route, "status": status, "ms": round(took_s * 1000, 1)}
        log.info("request", extra=line)
