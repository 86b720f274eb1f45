"""Witnesses in tests: honest ones run our own program, the others answer what they are told to."""

from __future__ import annotations

import itertools
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mvote.ballotbox import merkle
from mvote.ballotbox.checkpoints import LogState
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.notes import Verifier, log_verifier, parse_vkey, sign_note
from mvote.ballotbox.witnessing import Offer
from tests.support.waiting import PATIENCE_SECONDS
from verifier.mvote_witness import Handler, Home, Witness, read_key

NAME = "witness.example.org/w"
ORIGIN = "vote.example.kr/mvote/city"


_hours = itertools.count(1)


def settle(clerk: Clerk, rounds: int = 8) -> bool:
    """Rounds, an hour between two, until nobody has anything to say any more."""
    now = [0.0]
    clerk.clock = lambda: now[0]
    for letter in clerk._letters:
        letter._clock = clerk.clock
    signed = False
    for _ in range(rounds):
        now[0] = 3600.0 * next(_hours)
        signed = clerk.round()
        clerk.wait(PATIENCE_SECONDS)
    return signed


def new_witness(folder: Path, logs: list[Verifier], name: str = NAME) -> tuple[Witness, Verifier]:
    """Our witness with a key of its own, which has pinned *logs*; and its public key."""
    home = Home(folder)
    key = home.begin(name)
    return Witness(home, [read_key(log.vkey) for log in logs]), parse_vkey(key.vkey)


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """An HTTP server on loopback, behind *tls* if that is given; its address, with `http:`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def served(witness: Witness) -> Iterator[str]:
    """*witness* behind HTTP."""
    with serving(type("Served", (Quiet, Handler), {"witness": witness})) as url:
        yield url


class Quiet(BaseHTTPRequestHandler):
    """Writes no line for each request."""

    def log_message(self, *_: object) -> None: ...


def answering(
    status: int, body: bytes = b"", kind: str = "text/plain", **headers: str
) -> type[BaseHTTPRequestHandler]:
    """A witness that always answers so."""

    class Stubborn(Quiet):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Stubborn


def trickling(stop: threading.Event) -> type[BaseHTTPRequestHandler]:
    """A witness that sends a byte now and then, for ever."""

    class Slow(Quiet):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not stop.wait(0.05):
                self.wfile.write(b"x")

    return Slow


@dataclass
class Log:
    """A log of made-up leaves; *fork* is where its history differs from the others'."""

    key: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    )
    origin: str = ORIGIN
    fork: int = 1_000

    @property
    def verifier(self) -> Verifier:
        return log_verifier(self.origin, self.key.public_key().public_bytes_raw())

    def leaves(self, size: int) -> list[bytes]:
        return [merkle.leaf_hash(b"%d %d" % (n, n >= self.fork)) for n in range(size)]

    def note(self, size: int) -> str:
        root = merkle.root_of(self.leaves(size))
        text = LogState(origin=self.origin, size=size, root=root).text
        return sign_note(text, name=self.origin, keys=[self.key])

    def request(self, old: int, size: int, proof: Sequence[bytes] | None = None) -> bytes:
        if proof is None:
            hashes = merkle.hashes_of(self.leaves(size))
            proof = merkle.consistency_proof(old, size, hashes) if old <= size else []
        return Offer(note=self.note(size), size=size, old=old, proof=tuple(proof)).body
