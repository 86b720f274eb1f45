"""Health, readiness and figures for whoever operates this."""

from __future__ import annotations

import logging
import time
from functools import cache

import orjson
from flask import Flask, Response, current_app, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.access import access
from api.db import db
from api.demo.ledger import is_loaded
from api.problems import HTTP_FAULTS
from api.settings import ROOT, Settings

log = logging.getLogger("mvote.system")
FIRST_REFUSAL = 400
REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "mvote_requests_total", "Requests by route and status.", ["route", "status"], registry=REGISTRY
)
SECONDS = Histogram(
    "mvote_request_seconds", "Duration of requests by route.", ["route"], registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)  # fmt: skip
CASTING = "/v1/polls/<uuid:poll_id>/ballots"
"""What is recorded here is not counted: where one poll is open the figure would be its running
total, to the second, which nobody is to have before the log shows a batch. Refusals are counted."""
UNSIGNED = Gauge(
    "mvote_unsigned_checkpoints",
    "Checkpoints without a signature; if it does not fall, the shuffler says why in its log.",
    registry=REGISTRY,
)
HELD = Gauge(
    "mvote_polls_held", "Polls that reports hold back until an officer has looked.",
    registry=REGISTRY,
)  # fmt: skip
OLDEST_CASE = Gauge(
    "mvote_oldest_case_hours", "So long the oldest reported poll waits for an officer.",
    registry=REGISTRY,
)  # fmt: skip
WAITING = Gauge(
    "mvote_sightings_waiting", "Positions noted by this process and not yet written.",
    registry=REGISTRY,
)  # fmt: skip
DROPPED = Gauge(
    "mvote_sightings_dropped",
    "Positions that this process saw since its start and could not look into: no flag is raised by"
    " them.",
    registry=REGISTRY,
)


_OLDEST_CASE = (
    "SELECT CAST(coalesce(extract(epoch FROM clock_timestamp() - min(waiting_since)) / 3600, 0)"
    " AS integer) FROM moderation_case"
)


def register(app: Flask) -> None:
    """The routes that are no part of the API proper."""
    app.add_url_rule("/healthz", view_func=access("public")(healthz))
    app.add_url_rule("/readyz", view_func=access("public")(readyz))
    app.add_url_rule("/metrics", view_func=access("public")(metrics))
    app.after_request(_count)


def healthz() -> Response:
    """This process answers."""
    return _json({"status": "ok"}, 200)


def readyz() -> Response:
    """Everything that is needed to serve is there: database, migrations, keys, demo data."""
    checks = {
        "database": _database(),
        "migrations": _migrations(),
        "keys": _keys(),
        "demo": _demo(),
    }
    ready = all(checks.values())
    return _json({"status": "ready" if ready else "not ready", **checks}, 200 if ready else 503)


def metrics() -> Response:
    """Figures in Prometheus's text format; off the public port, or switched off."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.metrics:
        raise HTTP_FAULTS[404]
    HELD.set(_figure("SELECT count(*) FROM moderation_case WHERE state = 'held'"))
    OLDEST_CASE.set(_figure(_OLDEST_CASE))
    watch = current_app.extensions["wiring"].watch
    WAITING.set(watch.waiting)
    DROPPED.set(watch.dropped)
    UNSIGNED.set(_figure("SELECT count(*) FROM checkpoint WHERE note IS NULL"))
    return Response(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _figure(query: str) -> float:
    found = _one(query)
    return found if isinstance(found, int) else float("nan")


def _json(document: dict[str, object], status: int) -> Response:
    return Response(orjson.dumps(document), status, content_type="application/json")


def _database() -> bool:
    return _one("SELECT 1") == 1


def _migrations() -> bool:
    versions = (ROOT / "migrations" / "versions").glob("[0-9]*.py")
    newest = max(path.name[:4] for path in versions)
    return _one("SELECT max(version_num) FROM alembic_version") == newest


def _keys() -> bool:
    return bool(_one("SELECT count(*) FROM sealing_key WHERE poll_id IS NULL"))


def _demo() -> bool:
    """A development server without the demo is not what `make run` promised."""
    settings: Settings = current_app.extensions["settings"]
    if settings.environment != "development":
        return True
    try:
        with Session(db.engine) as session:
            return is_loaded(session)
    except SQLAlchemyError as error:
        log.warning("not ready", extra={"error": type(error).__name__})
        return False


def _one(query: str) -> object:
    try:
        with db.engine.connect() as connection:
            found: object = connection.execute(text(query)).scalar_one()
            return found
    except SQLAlchemyError as error:
        log.warning("not ready", extra={"error": type(error).__name__})
        return None


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "none"
    started = g.get("started")
    count(route, response.status_code, None if started is None else time.perf_counter() - started)
    return response


def count(route: str, status: int, took_s: float | None) -> None:
    """Count a request, and how long it took if that is known; no ballot that was recorded."""
    if route == CASTING and status < FIRST_REFUSAL:
        return
    _requests(route, status).inc()
    if took_s is not None:
        _seconds(route).observe(took_s)


@cache
def _requests(route: str, status: int) -> Counter:
    return REQUESTS.labels(route, status)


@cache
def _seconds(route: str) -> Histogram:
    return SECONDS.labels(route)
