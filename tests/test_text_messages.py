"""Text messages: a file in development, a signed gateway in production, and gateways that fail."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.people.messages import Gateway, Outbox, messages_of
from api.settings import Settings
from mvote.people.challenges import Challenge
from mvote.people.errors import MessageNotSent
from tests.support.contract import CheckedClient
from tests.support.people import a_number, problem

SECRET = "shared with the gateway"
MESSAGE = {"to": "+821012345678", "text": "인증번호 123456", "code": "123456"}


@dataclass
class FakeGateway:
    """What a gateway of text messages is to us: an address, and what it was sent."""

    status: int = 202
    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    fake = FakeGateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fake.received.append((dict(self.headers), body))
            self.send_response(fake.status)
            self.send_header("Location", f"{fake.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()  # a followed redirect would come as this

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake
        server.shutdown()
        thread.join()


def test_the_outbox_holds_one_message_a_line(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "var" / "outbox.jsonl")
    for _ in range(2):
        outbox.send(**MESSAGE)
    lines = (tmp_path / "var" / "outbox.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [MESSAGE, MESSAGE]


def test_the_gateway_gets_the_message_and_a_signature_over_time_and_body(
    gateway: FakeGateway,
) -> None:
    Gateway(gateway.url, SECRET).send(**MESSAGE)
    [(headers, body)] = gateway.received
    assert json.loads(body) == {"to": MESSAGE["to"], "text": MESSAGE["text"]}
    assert abs(int(headers["X-Timestamp"]) - time.time()) < 60
    signed = headers["X-Timestamp"].encode() + b"." + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Signature"] == f"sha256={expected}"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 429, 500, 503])
def test_a_gateway_that_does_not_take_the_message_has_not_sent_it(
    gateway: FakeGateway, status: int
) -> None:
    gateway.status = status
    with pytest.raises(MessageNotSent):
        Gateway(gateway.url, SECRET).send(**MESSAGE)
    assert len(gateway.received) == 1


@pytest.mark.parametrize(
    ("status", "certain", "for_good"), [(422, True, True), (400, True, False), (503, True, False)]
)
def test_a_gateway_tells_a_number_that_it_never_reaches_from_being_ill(
    gateway: FakeGateway, status: int, certain: bool, for_good: bool
) -> None:
    gateway.status = status
    with pytest.raises(MessageNotSent) as refused:
        Gateway(gateway.url, SECRET).send(**MESSAGE)
    assert (refused.value.is_certain, refused.value.is_for_good) == (certain, for_good)


def test_a_gateway_that_does_not_answer_has_not_sent_the_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(MessageNotSent):
            Gateway(url, SECRET, timeout_s=0.05).send(**MESSAGE)


def test_a_gateway_that_is_not_there_has_not_sent_the_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    with pytest.raises(MessageNotSent):
        Gateway(url, SECRET).send(**MESSAGE)


def test_production_sends_through_the_gateway_and_development_never_does(
    settings: Settings,
) -> None:
    given = replace(settings, sms_gateway_url="https://sms.example", sms_gateway_secret=SECRET)
    assert isinstance(messages_of(replace(given, environment="production")), Gateway)
    assert isinstance(messages_of(replace(given, environment="development")), Outbox)


def test_whoever_asks_for_a_code_learns_that_the_message_could_not_be_sent(
    app: Flask, client: CheckedClient, session: Session, gateway: FakeGateway
) -> None:
    gateway.status = 500
    desk = app.extensions["front_desk"]
    app.extensions["front_desk"] = replace(desk, messages=Gateway(gateway.url, SECRET))
    try:
        response = client.post("/v1/auth/codes", json={"phone": a_number()})
    finally:
        app.extensions["front_desk"] = desk
    assert problem(response) == (503, "message-not-sent")
    assert int(response.headers["Retry-After"]) > 0
    assert session.scalars(select(func.count()).select_from(Challenge)).one() == 1
