"""The page that a tablet at a site shows: three files of ours, nothing from anywhere else."""

from __future__ import annotations

from pathlib import Path

import orjson
from flask import Flask, Response, render_template

from api.access import access
from api.etags import tagged_body
from mvote.errors import NotFound
from mvote.languages import side_by_side
from mvote.wording import say

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


WORDS = {
    "scan": say("Scan with your phone’s camera"),
    "key": say("Key of this screen"),
    "start": say("Start"),
    "whole": say("Full screen"),
    "awake": say("Turn off this device’s screen time-out."),
}
NOTICES = {
    "loading": say("Loading."),
    "asking": say("Enter the key of this screen."),
    "stale": say("No connection, so there is no valid code to show. Trying again."),
    "refused": say("The key of this screen was revoked or is wrong. Please tell the staff."),
    "none": say("No poll is held here just now."),
    "late": say("The connection is slow."),
}
"""What `display.js` shows, by the state it is in; each in Korean and English, like a poster."""


def register(app: Flask) -> None:
    """The page and its files; the screen's key stands behind # and never reaches us here."""
    app.add_url_rule("/display", view_func=access("public")(screen_page))
    app.add_url_rule("/display/<name>", view_func=access("public")(screen_file))


def screen_page() -> Response:
    """The page itself."""
    words = {name: side_by_side(sentence) for name, sentence in WORDS.items()}
    notices = {name: [*side_by_side(each).values()] for name, each in NOTICES.items()}
    page = render_template("display.html", words=words, notices=orjson.dumps(notices).decode())
    response = tagged_body(page.encode(), "text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


def screen_file(name: str) -> Response:
    """What the page loads, and the landing page's script. Raises NotFound."""
    if name not in TYPES:
        raise NotFound
    return tagged_body((FILES / name).read_bytes(), TYPES[name])
