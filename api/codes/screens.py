"""The page that a tablet at a site shows: three files of ours, nothing from anywhere else."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response

from api.access import access
from api.etags import tagged_body
from mvote.errors import NotFound

FILES = Path(__file__).with_name("screen")
TYPES = {
    "display.js": "text/javascript; charset=utf-8",
    "display.css": "text/css; charset=utf-8",
    "landing.js": "text/javascript; charset=utf-8",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def register(app: Flask) -> None:
    """The page and its files; the screen's key stands behind # and never reaches us here."""
    app.add_url_rule("/display", view_func=access("public")(screen_page))
    app.add_url_rule("/display/<name>", view_func=access("public")(screen_file))


def screen_page() -> Response:
    """The page itself."""
    page = (FILES / "display.html").read_bytes()
    response = tagged_body(page, "text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


def screen_file(name: str) -> Response:
    """What the page loads, and the landing page's script. Raises NotFound."""
    if name not in TYPES:
        raise NotFound
    return tagged_body((FILES / name).read_bytes(), TYPES[name])
