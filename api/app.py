"""`create_app`: settings, database, keys, error bodies, every operation; then the checks."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask
from flask_smorest import Api
from werkzeug.middleware.proxy_fix import ProxyFix

from api import (
    access,
    budget,
    codes,
    commands,
    contract,
    docs,
    headers,
    languages,
    logs,
    moderation,
    people,
    places,
    polls,
    problems,
    system,
    wiring,
)
from api.admission import Admission
from api.db import ENGINE_OPTIONS, db
from api.parser import StrictJson
from api.polls.by_hand import ByHand
from api.settings import ROOT, Settings, read_settings
from mvote.ballotbox.tallying import Recount

BODY_LIMIT = 64 * 1024
TEMPLATES = ROOT / "api" / "templates"


def create_app(settings: Settings | None = None, *, recount: Recount | None = None) -> Flask:
    """The web application. Raises Misconfigured, or Undeclared for an operation without access.

    *recount* counts again, by other code, what a command counts; without it none does.
    """
    settings = settings or read_settings()
    logs.configure()
    app = Flask("mvote", static_folder=None, template_folder=TEMPLATES)
    if _is_for_commands_only(settings):
        app.extensions["settings"] = settings
        app.config.update(_flask_config(settings))
        db.init_app(app)  # connects when a command asks
        commands.register(app)
        return app
    app.extensions["recount"] = recount
    app.json = StrictJson(app)
    app.url_map.merge_slashes = False  # a path is right or wrong, nobody is sent elsewhere
    app.config.update(_flask_config(settings))
    app.extensions["settings"] = settings
    db.init_app(app)
    wiring.connect(app, settings)
    for module in (system, people, places, polls, codes):
        module.register(app)
    api = Api(app, spec_kwargs=contract.SPEC)
    contract.teach_fields(api)
    for module in (people, places, polls, codes, budget, moderation):
        for blueprint in module.BLUEPRINTS:
            api.register_blueprint(blueprint, url_prefix="/v1")
    docs.register(app)
    access.check_every_operation_is_declared(app)
    contract.register(app, api)
    problems.register(app)
    languages.register(app)
    headers.register(app)
    commands.register(app)
    app.wsgi_app = Admission(  # type: ignore[method-assign]
        ByHand(app, app.wsgi_app),
        most=settings.requests_at_once,
        headers=headers.headers_of(settings),
        language=settings.city_language,
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


def _is_for_commands_only(settings: Settings) -> bool:
    """`flask keys …` where another holder's master key is: there the web's must not be needed."""
    called_by_flask = os.environ.get("FLASK_RUN_FROM_CLI") == "true"
    keyless = settings.environment == "production" and not settings.master_keys.get("api")
    return called_by_flask and keyless


def _flask_config(settings: Settings) -> dict[str, Any]:
    return {
        "SQLALCHEMY_DATABASE_URI": settings.api_url or "postgresql+psycopg://",
        "SQLALCHEMY_ENGINE_OPTIONS": ENGINE_OPTIONS,
        "MAX_CONTENT_LENGTH": BODY_LIMIT,
        "MAX_FORM_PARTS": 10,
        "TESTING": settings.environment == "test",
        "PROPAGATE_EXCEPTIONS": False,
        "API_TITLE": "mvote",
        "API_VERSION": "1",
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": None,
    }
