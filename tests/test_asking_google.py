"""Google's server, made up on loopback: asked with our key, bounded, and away now and then."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from api.attestation import google
from api.attestation.google import GRANT, LARGEST, SCOPE, GoogleDecoder, read_service_account
from mvote.base import utc_now
from mvote.polls.integrity.errors import AttestationInvalid, AttestorAway
from tests.support.made_up_google import PACKAGE, verdict
from tests.support.racing import meeting_of
from tests.support.waiting import PATIENCE_SECONDS

VERDICT = verdict(b"statement", utc_now())
KEY = rsa.generate_private_key(65537, 2048)
EMAIL = "mvote@made-up.iam.gserviceaccount.com"
Answer = tuple[int, bytes]


def pem(key: Any) -> str:
    content: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return content.decode()


class MadeUpServer:
    """Gives access tokens to whoever signs with our key, and opens the token `good`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.access: Answer = (200, json.dumps({"access_token": "a", "expires_in": 3600}).encode())
        self.answer: Answer = (200, json.dumps({"tokenPayloadExternal": VERDICT}).encode())
        self.before_answering: Callable[[], object] = lambda: None
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                served.asked.append(self.path)
                status, content = served.answer_to(self.path, body, self.headers)
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer_to(self, path: str, body: bytes, headers: Any) -> Answer:
        if path == "/token":
            return self._access(urllib.parse.parse_qs(body.decode()))
        assert path == f"/v1/{PACKAGE}:decodeIntegrityToken"
        assert headers["Authorization"] == "Bearer a"
        self.before_answering()
        if json.loads(body) != {"integrity_token": "good"}:
            return 400, b"{}"
        return self.answer

    def _access(self, form: dict[str, list[str]]) -> Answer:
        assert form["grant_type"] == [GRANT]
        [assertion] = form["assertion"]
        audience = f"{self.url}/token"
        claims = jwt.decode(assertion, KEY.public_key(), algorithms=["RS256"], audience=audience)
        assert (claims["iss"], claims["scope"]) == (EMAIL, SCOPE)
        assert jwt.get_unverified_header(assertion)["kid"] == "1"
        return self.access


@pytest.fixture
def server() -> Iterator[MadeUpServer]:
    server = MadeUpServer()
    thread = threading.Thread(target=server.server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()


def key_file(url: str, **changed: Any) -> bytes:
    content = {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key": pem(KEY),
        "private_key_id": "1",
        "token_uri": f"{url}/token",
    }
    return json.dumps(content | changed).encode()


def decoder(server: MadeUpServer, **changed: Any) -> GoogleDecoder:
    account = read_service_account(key_file(server.url))
    patient: dict[str, Any] = {"timeout_s": PATIENCE_SECONDS}
    return GoogleDecoder(account, package=PACKAGE, server=server.url, **patient | changed)


def test_google_says_what_a_token_holds_and_one_access_serves_many(server: MadeUpServer) -> None:
    asked = decoder(server)
    assert [asked.payload("good") for _ in range(3)] == [VERDICT] * 3
    assert server.asked.count("/token") == 1


def test_a_token_that_google_refuses_is_refused(server: MadeUpServer) -> None:
    with pytest.raises(AttestationInvalid):
        decoder(server).payload("forged")


@pytest.mark.parametrize("token", ["x" * 20_000, "토큰"], ids=["long", "no ASCII"])
def test_what_cannot_be_a_token_is_not_sent(server: MadeUpServer, token: str) -> None:
    with pytest.raises(AttestationInvalid):
        decoder(server).payload(token)
    assert server.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (403, b"{}"),
        (429, b"{}"),
        (302, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"tokenPayloadExternal": "' + b"x" * LARGEST + b'"}'),
    ],
    ids=range(8),
)
def test_an_answer_that_is_none_is_no_refusal_of_the_phone(
    server: MadeUpServer, answer: Answer
) -> None:
    server.answer = answer
    with pytest.raises(AttestorAway):
        decoder(server).payload("good")


@pytest.mark.parametrize(
    "access",
    [(400, b"{}"), (200, b"{}"), (200, b'{"access_token": "a", "expires_in": null}')],
    ids=range(3),
)
def test_who_gets_no_access_tells_nobody_that_their_phone_is_at_fault(
    server: MadeUpServer, access: Answer
) -> None:
    asked, server.access = decoder(server), access
    for _ in range(3):
        with pytest.raises(AttestorAway):
            asked.payload("good")
    assert server.asked == ["/token"]  # the others do not wait for the same once more


def test_an_access_that_is_believed_no_longer_is_replaced(server: MadeUpServer) -> None:
    asked = decoder(server)
    right, server.answer = server.answer, (401, b"{}")
    with pytest.raises(AttestorAway):
        asked.payload("good")
    server.answer = right
    assert asked.payload("good") == VERDICT
    assert server.asked.count("/token") == 2


def test_nobody_waits_long_for_a_silent_server(server: MadeUpServer) -> None:
    silent = threading.Event()
    server.before_answering = silent.wait
    try:
        with pytest.raises(AttestorAway):
            decoder(server, timeout_s=0.2).payload("good")
    finally:
        silent.set()


def test_so_many_are_asked_at_once_and_the_next_are_told_to_come_again(
    server: MadeUpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google, "PATIENCE_S", 0.05)
    asked = decoder(server, at_once=2)
    both_are_there, released = meeting_of(3), threading.Event()

    def hold() -> None:
        both_are_there.wait()
        released.wait()

    asked.payload("good")
    server.before_answering = hold
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(asked.payload, "good") for _ in range(2)]
        both_are_there.wait()
        with pytest.raises(AttestorAway):
            asked.payload("good")
        released.set()
        assert [each.result() for each in waiting] == [VERDICT] * 2


def test_a_server_that_is_not_there_is_away(server: MadeUpServer) -> None:
    account = read_service_account(key_file(server.url))
    nowhere = GoogleDecoder(account, package=PACKAGE, server="http://127.0.0.1:1")
    with pytest.raises(AttestorAway):
        nowhere.payload("good")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        key_file("http://x", type="authorized_user"),
        key_file("http://x", private_key="no key"),
        key_file("http://x", private_key=pem(ec.generate_private_key(ec.SECP256R1()))),
        key_file("http://x", client_email=None),
    ],
    ids=range(7),
)
def test_a_file_that_is_no_service_account_is_found_at_the_start(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of the libraries', too
        read_service_account(content)
