"""The identity provider's keys: replaced, gone, too many, asked for too often."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from api.people import provider_keys
from api.people.provider_keys import FRESH_S, LARGEST, OLDEST_S, PAUSE_S, KeySet
from mvote.people.errors import IdentityProviderAway
from tests.support.waiting import PATIENCE_SECONDS


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Served:
    """What the provider answers, and how often it was asked."""

    def __init__(self) -> None:
        self.content, self.status, self.asked = b'{"keys": []}', 200, 0
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked += 1
                self.send_response(served.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(served.content)

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"

    def show(self, *ids: str) -> None:
        self.content = json.dumps({"keys": [{"kid": each, "kty": "OKP"} for each in ids]}).encode()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(provider_keys, "TIMEOUT_S", PATIENCE_SECONDS)
    served = Served()
    thread = threading.Thread(target=served.server.serve_forever, daemon=True)
    thread.start()
    yield served
    served.server.shutdown()
    thread.join()
    served.server.server_close()


def test_a_new_key_is_asked_for_when_a_token_names_it(served: Served) -> None:
    clock = Clock()
    keys = KeySet(served.url, clock=clock)
    served.show("old")
    assert keys.key("old")
    served.show("old", "new")
    clock.now += PAUSE_S
    assert keys.key("new")
    assert served.asked == 2


def test_made_up_names_of_keys_ask_once_a_minute(served: Served) -> None:
    clock = Clock()
    keys = KeySet(served.url, clock=clock)
    served.show("k")
    assert [keys.key(f"made-up-{n}") for n in range(50)] == [None] * 50
    assert served.asked == 1
    clock.now += PAUSE_S
    assert keys.key("made-up") is None
    assert served.asked == 2


def test_a_key_that_the_provider_took_back_is_forgotten_within_an_hour(served: Served) -> None:
    clock = Clock()
    keys = KeySet(served.url, clock=clock)
    served.show("stolen", "k")
    assert keys.key("stolen")
    served.show("k")
    clock.now += FRESH_S + 1
    assert keys.key("stolen") is None


@pytest.mark.parametrize("content", [b"", b"[]", b'{"keys": [1]}', b" " * (LARGEST + 1)])
def test_what_is_no_key_set_leaves_the_keys_before(served: Served, content: bytes) -> None:
    clock = Clock()
    keys = KeySet(served.url, clock=clock)
    served.show("k")
    assert keys.key("k")
    served.content = content
    clock.now += FRESH_S + 1
    assert keys.key("k")
    assert served.asked == 2


def test_a_redirect_is_not_followed(served: Served) -> None:
    served.status = 302
    with pytest.raises(IdentityProviderAway):
        KeySet(served.url, clock=Clock()).key("k")
    assert served.asked == 1


def test_keys_are_believed_for_a_day_without_the_provider(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "jwks.json"
    file.write_text('{"keys": [{"kid": "k", "kty": "OKP"}]}')
    keys = KeySet(str(file), clock=clock)
    assert keys.key("k") == keys.key(None)
    file.unlink()
    clock.now += OLDEST_S - 1
    assert keys.key("k")
    clock.now += PAUSE_S
    with pytest.raises(IdentityProviderAway):
        keys.key("k")


def test_two_keys_of_one_name_are_none(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text('{"keys": [{"kid": "k"}, {"kid": "k"}]}')
    assert KeySet(str(file), clock=Clock()).key("k") is None
    assert KeySet(str(file), clock=Clock()).key(None) is None
