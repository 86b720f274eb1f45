"""`/openapi.yaml`, `/docs` and what the codes of errors mean; nothing comes from another host."""

from __future__ import annotations

from pathlib import Path

import flask_swagger_ui
from flask import Flask, Response, render_template, send_from_directory

from api import contract
from api.access import access
from api.etags import tagged_body
from api.languages import in_words, language
from api.problems import HTTP_FAULTS, InternalError, status_of
from api.statuses import STATUSES
from mvote.errors import DomainError

FILES = Path(flask_swagger_ui.__file__).parent / "dist"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>mvote API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"></head><body><div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
</body></html>"""
START = """SwaggerUIBundle({
  url: "/openapi.yaml", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null
});"""
HTML = "text/html; charset=utf-8"
YAML = "application/yaml; charset=utf-8"


def register(app: Flask) -> None:
    """Serve the contract and the pages that explain it."""
    app.add_url_rule("/openapi.yaml", view_func=access("public")(contract_file))
    app.add_url_rule("/docs", view_func=access("public")(page))
    app.add_url_rule("/docs/start.js", view_func=access("public")(start))
    app.add_url_rule("/docs/problems", view_func=access("public")(problems_page))
    app.add_url_rule("/docs/<path:name>", view_func=access("public")(file))


def contract_file() -> Response:
    """The contract, as it is committed."""
    return tagged_body(contract.FILE.read_bytes(), YAML)


def page() -> Response:
    """The contract to read and try out in a browser."""
    return Response(PAGE, content_type=HTML)


def start() -> Response:
    """What starts the page; a file of its own, since no script stands in pages."""
    return Response(START, content_type="text/javascript; charset=utf-8")


def file(name: str) -> Response:
    """A file of Swagger UI."""
    return send_from_directory(FILES, name)


def problems_page() -> Response:
    """Where `type` of an error leads."""
    html = render_template("problems.html", language=language(), problems=_problems())
    return Response(html, content_type=HTML)


def _problems() -> list[tuple[str, int, list[str]]]:
    """Each code, by code, with its status and all that it may be said for."""
    errors: list[type[DomainError]] = [*STATUSES, *HTTP_FAULTS.values(), InternalError]
    statuses = {error.code: status_of(error) for error in errors}
    return [
        (code, status, list(dict.fromkeys(in_words(e.title) for e in errors if e.code == code)))
        for code, status in sorted(statuses.items())
    ]
