"""Headers that every response carries, and the one line in the log that every request leaves."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

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


def register(app: Flask) -> None:
    """Add the headers and the log line to every response of *app*."""
    always = dict(SECURITY)
    if app.extensions["settings"].public_url.startswith("https://"):
        always["Strict-Transport-Security"] = "max-age=31536000"
    without_etag = always | {"Cache-Control": "no-store"}

    @app.before_request
    def note_the_start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        if request.path.startswith("/docs"):
            response.headers["Content-Security-Policy"] = DOCS_POLICY
        given = {name.lower() for name, _ in response.headers}
        wanted = always if "etag" in given else without_etag
        response.headers.extend((n, v) for n, v in wanted.items() if n.lower() not in given)
        _write_line(response)
        return response


def _write_line(response: Response) -> None:
    """The route's template, never the path: trackers and codes stand in paths."""
    log.info(
        "request",
        extra={
            "method": request.method,
            "route": request.url_rule.rule if request.url_rule else None,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
        },
    )
