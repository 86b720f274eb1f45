"""What every response carries, and what no log line may ever hold."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, Response
from sqlalchemy import text
from werkzeug.test import TestResponse

from api.db import db
from api.headers import SECURITY
from api.logs import JsonLines
from api.settings import Settings
from tests.support.database import without_database
from tests.support.world import GWANGHWAMUN, World, new_key, position, question

SECRET = "secret 010-1234-5678 37.5720"
HERE = re.compile(r"37\.57|126\.97")


class Lines(logging.Handler):
    """Keeps what would be written, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonLines())
        self.written: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(self.format(record))

    @property
    def parsed(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.written]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The lines of our own logger, of the web server's and of everyone else, from INFO on."""
    kept = Lines()
    loggers = [logging.getLogger(name) for name in ("mvote", "werkzeug", None)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(kept)
        logger.setLevel(logging.INFO)
    yield kept
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(kept)
        logger.setLevel(level)


# headers


def all_sorts(world: World) -> list[TestResponse]:
    """A response of every status that is easily had, and of every kind of content."""
    client, officer = world.client, world.officer()
    poll = world.open_poll(officer, publish_from=2)
    path = f"/v1/polls/{poll['id']}"
    shown = client.get(path)
    again = client.get(path, headers={"If-None-Match": shown.headers["ETag"]})
    for voter in world.citizens(2):
        cast = world.cast(poll, voter)
    world.finish(poll)
    return [
        shown, again, cast,
        client.get("/v1/nothing"), client.get("/nothing"), client.get("/v1/me"),
        client.get("/v1/departments", headers=officer.headers), client.put("/v1/polls"),
        client.post("/v1/auth/codes", data="x"), client.post("/v1/auth/codes", json={}),
        client.post("/v1/auth/codes", data=b"{", content_type="application/json"),
        client.post("/v1/auth/codes", data=b"x" * 70_000, content_type="application/json"),
        client.patch(path, json={"title": "x"}, headers=officer.headers),
        client.patch(path, json={"title": "x"}, headers=officer.headers | {"If-Match": '"x"'}),
        client.get(f"{path}/results"),
        client.get(f"{path}/results", headers={"Accept": "text/csv"}),
        client.get(f"{path}/results", headers={"Accept": "image/png"}),
        client.head(path), client.options(path), client.delete("/v1/me", headers=officer.headers),
        client.get("/healthz"), client.get("/metrics"), client.get("/openapi.yaml"),
        client.get("/docs"), client.get("/docs/start.js"), client.get("/docs/problems"),
        client.get("/q/0000-0000-0000"), client.get("/.well-known/jwks.json"),
    ]  # fmt: skip


def test_every_response_carries_the_headers_that_protect_it(world: World) -> None:
    responses = all_sorts(world)
    statuses = {response.status_code for response in responses}
    assert statuses >= {200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 412, 413, 415, 422, 428}
    for response in responses:
        where = (response.request.method, response.request.path, response.status_code)
        for name in SECURITY:
            assert len(response.headers.getlist(name)) == 1, (name, where)
        assert response.headers["X-Content-Type-Options"] == "nosniff", where
        assert "default-src 'none'" in response.headers["Content-Security-Policy"], where
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"], where
        assert "Set-Cookie" not in response.headers, where
        assert response.headers["Cache-Control"], where
        if response.status_code >= 400:
            assert response.headers["Cache-Control"] == "no-store", where


def test_only_the_landing_page_and_the_docs_may_style_and_script_themselves(
    world: World,
) -> None:
    for path in ("/v1/polls", "/healthz", "/v1/nothing", "/openapi.yaml"):
        policy = world.client.get(path).headers["Content-Security-Policy"]
        assert policy == SECURITY["Content-Security-Policy"], path
    landing = world.client.get("/q/x").headers["Content-Security-Policy"]
    assert "script-src 'self'" in landing  # what shows the value that stands behind #
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & set(
        landing.partition("script-src")[2].partition(";")[0].split()
    )


@pytest.mark.parametrize(("url", "strict"), [("https://vote.example", True), ("http://x", False)])
def test_browsers_are_held_to_https_where_it_is_spoken(
    settings: Settings, app_of: Callable[..., Flask], url: str, strict: bool
) -> None:
    client = app_of(replace(settings, public_url=url)).test_client()
    for path in ("/healthz", "/nothing", "/v1/me"):
        header = client.get(path).headers.get("Strict-Transport-Security")
        assert (header == "max-age=31536000") == strict, path


# logs


def walk(world: World, site_code: str) -> dict[str, str]:
    """Through the whole API, right and wrong; what must not be written, by name."""
    client, key = world.client, new_key()
    phone = "010-2468-1357"
    sent = client.post("/v1/auth/codes", json={"phone": phone}).get_json()
    outbox = (world.settings.var / "outbox.jsonl").read_text().splitlines()
    code = json.loads(outbox[-1])["code"]
    body = {"challenge_id": sent["challenge_id"], "code": code}
    tokens = client.post("/v1/auth/tokens", json=body).get_json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    me = client.get("/v1/me", headers=headers).get_json()
    here = position(GWANGHWAMUN["lat"] + 0.0001234, GWANGHWAMUN["lon"] + 0.0001234)
    client.post("/v1/polls/nearby", json={"position": here})
    client.post("/v1/areas/locate", json={"lat": here["lat"], "lon": here["lon"]})
    circle = {"center": GWANGHWAMUN, "radius_m": 700}
    poll = world.open_poll(
        title="비밀스러운 제목", question=question("zebra", "okapi"),
        presence={"rule": "area", "area": circle}, publish_from=2,
    )  # fmt: skip
    path = f"/v1/polls/{poll['id']}"
    client.post(f"{path}/eligibility", json={"position": here}, headers=headers)
    ballot = {"selections": ["zebra"], "position": here}
    with_key = headers | {"Idempotency-Key": key}
    receipt = client.post(f"{path}/ballots", json=ballot, headers=with_key).get_json()
    client.post(f"{path}/ballots", json={"selections": ["okapi"]}, headers=with_key)
    client.post(f"{path}/ballots", json={"selections": 7}, headers=with_key)
    client.get(f"{path}/ballots/{receipt['tracker']}")
    client.get(f"/v1/{receipt['tracker']}?position={here['lat']}")
    client.get(f"/q/{site_code}")
    client.get(f"/v1/codes/{site_code}")
    client.post(f"/v1/codes/{site_code}/scans", json={"position": here}, headers=headers)
    client.post("/v1/polls", data=json.dumps(ballot)[:-1], content_type="application/json",
                headers=with_key)  # fmt: skip
    client.get("/v1/polls", query_string={"q": "비밀스러운"})
    client.get("/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}x"})
    client.post("/v1/auth/tokens/refresh", json={"refresh_token": tokens["refresh_token"]})
    client.delete("/v1/me", headers=headers)
    world.finish(poll)
    client.get(f"{path}/results")
    return {
        "number": phone, "its digits": "1024681357", "the code": f'"{code}"', "key": key,
        "tracker": receipt["tracker"], "salt": receipt["ballot_salt"],
        "envelope": receipt["envelope_hash"], "signature": receipt["signature"],
        "access token": tokens["access_token"], "its signature": tokens["access_token"][-40:],
        "refresh token": tokens["refresh_token"], "citizen": me["id"], "selection": "zebra",
        "title": "비밀", "site code": site_code, "challenge": sent["challenge_id"],
    }  # fmt: skip


def test_no_line_holds_a_body_a_position_a_number_a_key_a_tracker_or_a_token(
    world: World, lines: Lines
) -> None:
    secrets = walk(world, "0A1B2C3D4E5F")
    whole = "\n".join(lines.written)
    assert len(lines.written) > 20
    for name, secret in secrets.items():
        assert secret not in whole, name
    for line in lines.parsed:
        assert not HERE.search(json.dumps({k: v for k, v in line.items() if k != "at"})), line


def test_a_request_leaves_one_line_with_the_route_and_not_the_path(
    world: World, lines: Lines
) -> None:
    poll_id = world.draft()["id"]
    lines.written.clear()
    world.client.get(f"/v1/polls/{poll_id}?x=secret")
    world.client.get("/v1/secret")
    first, second = lines.parsed
    assert first["route"] == "/v1/polls/<uuid:poll_id>"
    assert {k: first[k] for k in ("method", "status", "level", "logger", "message")} == {
        "method": "GET", "status": 404, "level": "info", "logger": "mvote.requests",
        "message": "request",
    }  # fmt: skip
    assert first["at"].endswith("Z")
    assert first["ms"] >= 0
    assert second["route"] is None
    assert "secret" not in "".join(lines.written)
    assert poll_id not in "".join(lines.written)


def fail() -> Response:
    raise RuntimeError(SECRET)


def fail_in_the_database() -> Response:
    query = text("SELECT CAST(:secret AS integer)")
    db.session.execute(query, {"secret": SECRET})
    raise AssertionError("not reached")


@pytest.mark.parametrize("view", [fail, fail_in_the_database])
def test_a_fault_of_ours_shows_an_id_and_no_text_and_the_log_finds_it_by_that_id(
    settings: Settings, app_of: Callable[..., Flask], lines: Lines, view: Callable[[], Response]
) -> None:
    app = app_of(settings, fault=view)
    answer = app.test_client().get("/fault?q=secret", headers={"Accept-Language": "en"})
    problem = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert (problem["code"], problem["title"]) == ("internal-error", "Something went wrong here.")
    assert set(problem) == {"type", "title", "status", "detail", "code", "id"}
    (line,) = [line for line in lines.parsed if line.get("id") == problem["id"]]
    assert line["level"] == "error"
    assert line["exception"]["at"]
    for written in (answer.get_data(as_text=True), *lines.written):
        assert "secret" not in written
        assert "010" not in json.dumps({"body": written.partition('"at":"')[0]})
        assert "37.57" not in written


def test_a_fault_after_the_view_shows_no_path_either(
    settings: Settings, app_of: Callable[..., Flask], lines: Lines
) -> None:
    app = app_of(settings)

    @app.after_request
    def stumble(response: Response) -> Response:
        raise RuntimeError(SECRET)

    answer = app.test_client().get("/v1/secret")
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal-error")
    assert "secret" not in "".join(lines.written)


def test_a_lost_database_is_an_outcome_that_is_not_known(
    settings: Settings, app_of: Callable[..., Flask], lines: Lines
) -> None:
    nowhere = replace(settings, api_url=without_database(settings.api_url))
    answer = app_of(nowhere).test_client().get("/v1/polls")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "outcome-unknown")
    assert answer.headers["Retry-After"] == "2"
    assert "nothing_at_all" not in answer.get_data(as_text=True) + "".join(lines.written)


def test_lines_are_json_whatever_they_are_given(lines: Lines) -> None:
    log = logging.getLogger("mvote.made_up")
    log.info("with\nnewline %s", "and value", extra={"thing": object(), "number": 1, "lone": None})
    (line,) = lines.written
    assert "\n" not in line
    assert json.loads(line)["message"] == "with\nnewline and value"
