"""Casting by hand: a request to cast that is in order in every respect is served before Flask.

Reading and answering it with Flask and schemas costs as much as all the rest of a cast. What is
read here is exactly what `BallotHeaders` and `BallotRequest` take, and less: whatever is unusual
in a request goes on to Flask untouched, and Flask alone says what is wrong with it. A refusal goes
on to Flask too, which words it, so that it is the same by either way. Nothing is checked here less
than there.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import time
import uuid
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, TypeAlias

import orjson
from flask import Flask, request

from api.headers import headers_of, write_line
from api.limits import meter
from api.parser import read_json
from api.polls.casting import Paper, cast_paper
from api.problems import MalformedJson
from api.wiring import Wiring
from mvote.ballotbox.receipts import Receipt
from mvote.budget.definition.ballots import MOST_POINTS
from mvote.polls.presence import Position
from mvote.polls.proving import Evidence

Environ: TypeAlias = dict[str, Any]
Wsgi: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

ROUTE = "/v1/polls/<uuid:poll_id>/ballots"
REFUSED = "mvote.refused"
STARTED = "mvote.started"
LONGEST_BODY = 16_384
PATH = re.compile(r"/v1/polls/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/ballots")
KEY = re.compile(r"[A-Za-z0-9_-]{22,64}")
OPTION = re.compile(r"[A-Za-z0-9_-]{1,40}")
PRESENCE_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,2000}")
INSTANT = re.compile(
    r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
MEMBERS = frozenset({"selections", "position", "presence_token", "pad"})
SELECTION_MEMBERS = {"key", "points"}
POSITION_MEMBERS = {"lat", "lon", "accuracy_m", "captured_at"}


class Unusual(Exception):
    """The request is not plainly in order: Flask is to look at it."""


class ByHand:
    """Casts what is plainly in order; all other requests go *onward*."""

    def __init__(self, app: Flask, onward: Wsgi) -> None:
        self._wiring: Wiring = app.extensions["wiring"]
        self._headers = [
            ("Content-Type", "application/json"),
            *headers_of(app.extensions["settings"]).items(),
            ("Cache-Control", "no-store"),
        ]
        self._onward = onward
        app.before_request(raise_what_was_refused)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = PATH.fullmatch(environ["PATH_INFO"])
        if path is None or environ["REQUEST_METHOD"] != "POST":
            return self._onward(environ, start_response)
        environ[STARTED] = time.perf_counter()
        with HandingOver(environ):
            body = self._receipt(environ, uuid.UUID(path[1]))
            took = time.perf_counter() - environ[STARTED]
            write_line("POST", ROUTE, 201, took)
            start_response("201 CREATED", [*self._headers, ("Content-Length", str(len(body)))])
            return [body]
        return self._onward(environ, start_response)

    def _receipt(self, environ: Environ, poll_id: uuid.UUID) -> bytes:
        """Raises Unusual, or the reason why the ballot is refused."""
        if environ.get("SCRIPT_NAME") or environ.get("CONTENT_TYPE") != "application/json":
            raise Unusual
        key = environ.get("HTTP_IDEMPOTENCY_KEY", "")
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme != "Bearer" or not token or token != token.strip() or not KEY.fullmatch(key):
            raise Unusual
        selections, evidence = read_body(_body_of(environ))
        citizen_id = self._wiring.tokens.citizen_of(token)
        meter.count(citizen_id)
        paper = Paper(poll_id, citizen_id, key, selections, evidence)
        return receipt_bytes(cast_paper(self._wiring, paper))


class HandingOver:
    """What is raised inside goes on to Flask: as a refusal to answer, but for Unusual."""

    def __init__(self, environ: Environ) -> None:
        self._environ = environ

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if isinstance(error, Exception) and not isinstance(error, Unusual):
            self._environ[REFUSED] = error
        return isinstance(error, Exception)


def raise_what_was_refused() -> None:
    """Let Flask answer a refusal as it answers all others; nothing of the view is run again."""
    error = request.environ.get(REFUSED)
    if error is not None:
        raise error


def _body_of(environ: Environ) -> bytes:
    """The body, which stays readable for Flask. Raises Unusual."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit() and int(length) <= LONGEST_BODY):
        raise Unusual
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise Unusual
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    if len(body) != int(length):  # it broke off: what is there may look whole, and is not
        raise Unusual
    return body


def read_body(body: bytes) -> tuple[list[Any], Evidence]:
    """The selections and the evidence of a body that the schema takes as it is. Raises Unusual."""
    try:
        content = read_json(body)
    except MalformedJson:
        raise Unusual from None
    if type(content) is not dict or not content.keys() <= MEMBERS:
        raise Unusual
    if type(content.get("pad", "")) is not str:
        raise Unusual
    return _selections_in(content), _evidence_in(content)


def _selections_in(content: dict[str, Any]) -> list[Any]:
    selections = content.get("selections")
    if type(selections) is not list or len(selections) > 1000:
        raise Unusual
    for each in selections:
        key = each if type(each) is str else _with_points(each)
        if not OPTION.fullmatch(key):
            raise Unusual
    return selections


def _with_points(given: Any) -> str:
    """The key of an option that is given points."""
    if type(given) is not dict or given.keys() != SELECTION_MEMBERS:
        raise Unusual
    key, points = given["key"], given["points"]
    if type(key) is not str or type(points) is not int or not 1 <= points <= MOST_POINTS:
        raise Unusual
    return key


def _evidence_in(content: dict[str, Any]) -> Evidence:
    token = content.get("presence_token")
    if token is None:
        if "presence_token" in content:
            raise Unusual
    elif type(token) is not str or not PRESENCE_TOKEN.fullmatch(token):
        raise Unusual
    position = _position_in(content["position"]) if "position" in content else None
    return Evidence(position=position, presence_token=token)


def _position_in(given: Any) -> Position:
    if type(given) is not dict or given.keys() != POSITION_MEMBERS:
        raise Unusual
    lat, lon, accuracy = (_number(given[name]) for name in ("lat", "lon", "accuracy_m"))
    if not (-90 <= lat <= 90 and -180 <= lon <= 180 and 0 < accuracy <= 1_000_000):
        raise Unusual
    captured_at = given["captured_at"]
    if type(captured_at) is not str or not INSTANT.fullmatch(captured_at):
        raise Unusual
    try:
        at = dt.datetime.fromisoformat(captured_at).astimezone(dt.UTC)
    except ValueError:
        raise Unusual from None
    return Position(lat=lat, lon=lon, accuracy_m=accuracy, captured_at=at)


def _number(value: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise Unusual
    return float(value)


def receipt_bytes(receipt: Receipt) -> bytes:
    """A receipt as `ReceiptSchema` writes it, byte for byte."""
    shown = {
        "poll_id": receipt.poll_id,
        "tracker": receipt.tracker,
        "envelope_hash": receipt.envelope_hash,
        "definition_hash": receipt.definition_hash,
        "signature": receipt.signature,
        "key_id": receipt.key_id,
    }
    if receipt.ballot_salt is not None:
        shown["ballot_salt"] = receipt.ballot_salt
    return orjson.dumps(shown)
