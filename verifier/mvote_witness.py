"""A witness for logs such as mvote's: one file, which anybody can run, without any part of mvote.

    python mvote_witness.py keygen NAME --home HOME       makes a key; tell the log what it prints
    python mvote_witness.py cosign DIR --home HOME --log VKEY …     once; repeat it by cron
    python mvote_witness.py serve --port 8100 --home HOME --log VKEY …

Needs Python 3.11 and the package `cryptography`. VKEY is a log's key, pinned once; give two of the
same name while the log changes its key. HOME holds the private key and what was cosigned last:
who loses the latter must make a new key, for a witness that forgets is none.

It cosigns a checkpoint (c2sp.org/tlog-cosignature) that the log has signed and that is proved to
extend the one it cosigned before; never a shorter log, never another history. Requests come over
HTTP (c2sp.org/tlog-witness) or lie in a directory as `<hash>.request`; the answer to those is
`<hash>.cosigned`.

Read from top to bottom: notes, tree, memory, decisions, directory, HTTP, program.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import fcntl
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNED, COSIGNED = 1, 4
LARGEST_REQUEST, MOST_PROOF_LINES = 256 * 1024, 63
NUMBER = re.compile("0|[1-9][0-9]{0,18}")
FORMAT = "mvote-witness/1"
TIMEOUT_S = 10


class Refused(Exception):
    """No cosignature, with the HTTP status that says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Behind(Refused):
    """The request starts from another size than the one we remember."""

    def __init__(self, size: int) -> None:
        super().__init__(409, f"the proof does not start from {size}, which we cosigned last")
        self.size = size


# --- notes (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature) ------------------------------


class Key(NamedTuple):
    name: str
    kind: int
    public: bytes

    @property
    def hash(self) -> bytes:
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{written64(bytes([self.kind]) + self.public)}"


class Checkpoint(NamedTuple):
    text: str
    origin: str
    size: int
    root: bytes


def written64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def read64(text: str, length: int | None = None) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400, "bad base64") from None
    if written64(data) != text or (length is not None and len(data) != length):
        raise Refused(400, "bad base64")
    return data


def read_number(text: str) -> int:
    if not NUMBER.fullmatch(text) or int(text) >= 1 << 63:
        raise Refused(400, "not a size")
    return int(text)


def read_key(vkey: str) -> Key:
    name, _, rest = vkey.partition("+")
    key_hash, _, encoded = rest.partition("+")
    material = read64(encoded, 33)
    key = Key(name, material[0], material[1:])
    if key.kind != SIGNED or key.hash.hex() != key_hash or not name or set(name) & set(" \n\t"):
        raise Refused(400, f"not the key of a log: {vkey}")
    return key


def read_checkpoint(text: str) -> Checkpoint:
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise Refused(400, "not a checkpoint")
    return Checkpoint(text, lines[0], read_number(lines[1]), read64(lines[2], 32))


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text, and (name, key hash ‖ signature) of each line below it."""
    text, blank, below = note.rpartition("\n\n")
    if not blank or not below.endswith("\n") or any(c < " " and c != "\n" for c in note):
        raise Refused(400, "not a signed note")
    parts = [line.split(" ") for line in below.removesuffix("\n").split("\n")]
    if any(len(part) != 3 or part[0] != "—" for part in parts):
        raise Refused(400, "not a signature line")
    return text + "\n", [(name, read64(signature)) for _, name, signature in parts]


def open_checkpoint(note: str, logs: Sequence[Key]) -> Checkpoint:
    """The checkpoint, if a pinned key of that very log has signed it."""
    text, signatures = split_note(note)
    checkpoint = read_checkpoint(text)
    keys = {(key.name, key.hash): key for key in logs if key.name == checkpoint.origin}
    if not keys:
        raise Refused(404, f"we do not witness the log {checkpoint.origin[:200]!r}")
    known = [
        (keys[name, made[:4]], made[4:]) for name, made in signatures if (name, made[:4]) in keys
    ]
    if not known or not all(is_signed(key.public, made, text.encode()) for key, made in known):
        raise Refused(403, "not signed by a key that we have pinned for this log")
    return checkpoint


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


# --- tree (RFC 9162, 2.1.4.2) ---------------------------------------------------------------------


def extends(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether *proof* shows that the tree of *new* leaves begins with the one of *old* > 0."""
    if old == new:
        return old_root == new_root and not proof
    place, last, steps = old - 1, new - 1, list(proof)
    while place & 1:
        place, last = place >> 1, last >> 1
    if place:
        if not steps:
            return False
        was = now = steps.pop(0)
    else:
        was = now = old_root
    for step in steps:
        if not last:
            return False
        if place & 1 or place == last:
            was, now = node(step, was), node(step, now)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            now = node(now, step)
        place, last = place >> 1, last >> 1
    return not last and (was, now) == (old_root, new_root)


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


# --- memory ---------------------------------------------------------------------------------------


@dataclass
class Home:
    """The private key, and for each log by its origin the note that was cosigned last."""

    folder: Path

    def begin(self, name: str) -> Key:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (self.folder / "key").exists():
            sys.exit(f"there is a key in {self.folder} already")
        write_durably(self.folder / "state.json", json.dumps({"format": FORMAT, "logs": {}}))
        secret = written64(os.urandom(32))
        write_durably(self.folder / "key", f"{name}\n{secret}\n", mode=0o600)
        return self.key[1]

    @property
    def key(self) -> tuple[Ed25519PrivateKey, Key]:
        name, secret = (self.folder / "key").read_text().split()
        private = Ed25519PrivateKey.from_private_bytes(read64(secret, 32))
        return private, Key(name, COSIGNED, private.public_key().public_bytes_raw())

    @contextmanager
    def remembered(self) -> Iterator[dict[str, str]]:
        """What was cosigned last, by origin; changes are kept before the block is left.

        One process at a time: checking and remembering must not be torn apart.
        """
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = json.loads((self.folder / "state.json").read_text())
            if not isinstance(state, dict) or state.get("format") != FORMAT:
                raise ValueError(f"not our state: {self.folder / 'state.json'}")
            before = dict(state["logs"])
            yield state["logs"]
            if state["logs"] != before:
                write_durably(self.folder / "state.json", json.dumps(state))


def write_durably(path: Path, content: str, mode: int = 0o644) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# --- decisions ------------------------------------------------------------------------------------


@dataclass
class Witness:
    home: Home
    logs: Sequence[Key]

    def cosign(self, request: bytes) -> str:
        """The note in *request* with our signature line below. Raises Refused."""
        old, proof, note = read_request(request)
        checkpoint = open_checkpoint(note, self.logs)
        if old > checkpoint.size:
            raise Refused(400, "the old size is larger than the checkpoint's")
        with self.home.remembered() as remembered:
            check(remembered.get(checkpoint.origin), old, proof, checkpoint)
            cosigned = note + self.line(checkpoint.text)
            remembered[checkpoint.origin] = cosigned
        return cosigned

    def line(self, text: str) -> str:
        private, key = self.home.key
        now = int(time.time())
        signature = private.sign(f"cosignature/v1\ntime {now}\n{text}".encode())
        return f"— {key.name} {written64(key.hash + now.to_bytes(8, 'big') + signature)}\n"


def read_request(request: bytes) -> tuple[int, list[bytes], str]:
    """Old size, proof and note of a request as c2sp.org/tlog-witness has it."""
    try:
        head, blank, note = request.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise Refused(400, "not UTF-8") from None
    old, *proof = head.split("\n")
    if not blank or not old.startswith("old ") or len(proof) > MOST_PROOF_LINES:
        raise Refused(400, "not a request to add a checkpoint")
    return read_number(old[4:]), [read64(step, 32) for step in proof], note


def check(known: str | None, old: int, proof: Sequence[bytes], new: Checkpoint) -> None:
    """Refuse what does not extend the note that is *known* of this log."""
    last = read_checkpoint(split_note(known)[0]) if known else None
    if old != (last.size if last else 0):
        raise Behind(last.size if last else 0)
    if not last or not old:
        if proof:
            raise Refused(422, "a proof from nothing is empty")
    elif old == new.size and last.root != new.root:
        raise Refused(409, f"FORK: we cosigned another root at {old}")
    elif not extends(old, new.size, last.root, new.root, proof):
        raise Refused(422, f"NOT PROVED: the log at {new.size} does not extend the one at {old}")


# --- a directory ----------------------------------------------------------------------------------


def cosign_directory(witness: Witness, folder: Path) -> int:
    """Answer the request that lies in *folder*; 0 if all is well, 1 if the log misbehaves."""
    stem = witness.home.key[1].hash.hex()
    request, answer = folder / f"{stem}.request", folder / f"{stem}.cosigned"
    if not request.exists():
        print(f"nothing to do: no {request.name} in {folder} yet")
        return 0
    with request.open("rb") as file:
        content = file.read(LARGEST_REQUEST)
    try:
        cosigned = newest(witness, content)
    except Refused as refused:
        print(f"REFUSED: {refused}", file=sys.stderr)
        return 1
    if not answer.exists() or answer.read_text() != cosigned:
        write_durably(answer, cosigned)
    return 0


def newest(witness: Witness, request: bytes) -> str:
    """The newest note that we have cosigned, after *request* was heard. Raises Refused."""
    new = open_checkpoint(read_request(request)[2], witness.logs)
    with witness.home.remembered() as remembered:
        known = remembered.get(new.origin)
    last = read_checkpoint(split_note(known)[0]) if known else None
    if known and last == new:
        return known
    try:
        cosigned = witness.cosign(request)
    except Behind:
        if not (known and last):
            raise
        if new.size <= last.size:
            what = "ROLLED BACK" if new.size < last.size else "FORK"
            raise Refused(
                409, f"{what}: the log is of size {new.size}, we saw another, of {last.size}"
            ) from None
        print(f"waiting for a proof from {last.size}, which we cosigned last")
        return known
    print(f"cosigned {new.origin} at {new.size}")
    return cosigned


# --- HTTP -----------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    witness: ClassVar[Witness]
    timeout = TIMEOUT_S
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not self.path.endswith("/add-checkpoint") or not NUMBER.fullmatch(length):
            self.close_connection = True
            return self._answer(404, "only POST …/add-checkpoint\n")
        if int(length) > LARGEST_REQUEST:
            self.close_connection = True
            return self._answer(413, "too large\n")
        request = self.rfile.read(int(length))
        try:
            note = self.witness.cosign(request)
        except Behind as behind:
            return self._answer(409, f"{behind.size}\n", "text/x.tlog.size")
        except Refused as refused:
            return self._answer(refused.status, f"{refused}\n")
        except (OSError, ValueError, KeyError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return self._answer(500, "our memory is out of order\n")
        return self._answer(200, note[len(read_request(request)[2]) :])

    def _answer(self, status: int, body: str, kind: str = "text/plain; charset=utf-8") -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def serve(witness: Witness, host: str, port: int) -> int:
    Handler.witness = witness
    with ThreadingHTTPServer((host, port), Handler) as server:
        print(f"listening on http://{host}:{server.server_port}", flush=True)
        server.serve_forever()
    return 0


# --- program --------------------------------------------------------------------------------------


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A witness for append-only logs.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, told in (("keygen", "NAME"), ("cosign", "DIR"), ("serve", "")):
        command = commands.add_parser(name)
        command.add_argument("--home", type=Path, required=True, help="key and memory")
        if told:
            command.add_argument("what", metavar=told)
        if name != "keygen":
            command.add_argument("--log", action="append", required=True, metavar="VKEY")
    commands.choices["serve"].add_argument("--port", type=int, default=8100)
    commands.choices["serve"].add_argument("--host", default="127.0.0.1")
    given = parser.parse_args(words)
    home = Home(given.home)
    try:
        if given.command == "keygen":
            print(home.begin(given.what).vkey)
            return 0
        witness = Witness(home, [read_key(vkey) for vkey in given.log])
        with home.remembered():
            pass  # a witness without its memory must not even start
        if given.command == "cosign":
            return cosign_directory(witness, Path(given.what))
        return serve(witness, given.host, given.port)
    except (OSError, ValueError, KeyError, Refused) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
