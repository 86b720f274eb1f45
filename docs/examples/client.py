"""What an app does for its voter; read it beside docs/client.md. Single and multiple choice.

python docs/examples/client.py https://vote.example.kr POLL_ID TOKEN OPTION…
"""

from __future__ import annotations

import base64
import json
import secrets
import struct
import sys
import time
import uuid
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEYS = "/.well-known/mvote-keys.json"
TRIES, LONGEST_WAIT_S = 5, 60


class Answer(NamedTuple):
    status: int
    body: bytes
    retry_after: str = ""


Ask = Callable[[str, str, dict[str, Any] | None, dict[str, str]], Answer]
"""Method, path, JSON body, headers → what the server says."""


def patient(ask: Ask, wait: Callable[[float], None] = time.sleep) -> Ask:
    """Send the very same request again when the server is busy, but not before it says so."""

    def persist(*request: Any) -> Answer:
        for _ in range(TRIES - 1):
            answer = ask(*request)
            if answer.status not in (429, 503):
                return answer
            said = answer.retry_after  # a proxy may say a date, or nothing
            wait(min(int(said), LONGEST_WAIT_S) if said.isdecimal() else 2)
        return ask(*request)

    return persist


def h(label: str, *parts: bytes) -> bytes:
    """SHA-256 over the label, a zero byte, and each part behind its length (2 bytes)."""
    prefixed = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    return sha256(label.encode() + b"\0" + prefixed).digest()


def get(ask: Ask, path: str) -> bytes:
    answer = ask("GET", path, None, {})
    must(answer.status == 200, f"{path} answers {answer.status}")
    return answer.body


def vector_of(question: dict[str, Any], selections: list[Any]) -> bytes:
    """The ballot as it is sealed: 0x01, kind, number of options, a mark for each option."""
    kind = 1 + ["single", "multiple", "ranking", "points"].index(question["kind"])
    if kind == 4:
        given = {each["key"]: each["points"] for each in selections}
    else:
        given = {key: rank if kind == 3 else 1 for rank, key in enumerate(selections, 1)}
    marks = [given.get(option["key"], 0) for option in question["options"]]
    return struct.pack(f">BBH{len(marks)}H", 1, kind, len(marks), *marks)


def cast(ask: Ask, poll_id: str, token: str, selections: list[Any]) -> dict[str, Any]:
    """Cast the ballot; the receipt, after the app has seen that it is what it must be.

    *ask* is a patient one: with one key a ballot is one ballot, however often it is sent.
    """
    frozen = get(ask, f"/v1/polls/{poll_id}/definition")
    definition, poll = json.loads(frozen), uuid.UUID(poll_id).bytes
    signed_in = {"Authorization": f"Bearer {token}"}
    me = json.loads(ask("GET", "/v1/me", None, signed_in).body)["id"]
    key = secrets.token_urlsafe(24)  # K: keep it until the receipt is here, then forget it
    tracker = h("mvote/tracker/1", poll, uuid.UUID(me).bytes, key.encode())[:16]
    path, headers = f"/v1/polls/{poll_id}/ballots", signed_in | {"Idempotency-Key": key}
    status, body, _ = ask("POST", path, {"selections": selections}, headers)
    must(status == 201, f"not cast: {status} {body.decode()[:300]}", then="")
    receipt: dict[str, Any] = json.loads(body)
    must(receipt["tracker"] == tracker.hex(), "this is not my tracker")
    must(receipt["definition_hash"] == sha256(frozen).hexdigest(), "this is of another poll")
    check_signature(ask, definition, receipt)
    if definition["cast_check"]:  # what was sealed is what was chosen
        salt = bytes.fromhex(receipt.pop("ballot_salt"))  # not kept: it would prove the choice
        vector = vector_of(definition["question"], selections)
        c = h("mvote/commitment/1", poll, tracker, salt, vector)
        must(receipt["envelope_hash"] == c.hex(), "something else was sealed")
    return receipt


def check_signature(ask: Ask, definition: dict[str, Any], receipt: dict[str, Any]) -> None:
    """See that the receipt is signed with the key that the frozen definition names."""
    keys = json.loads(get(ask, KEYS))["receipt_keys"]
    public = base64.b64decode(keys[definition["receipt_key_id"]])
    must(sha256(public).hexdigest()[:16] == definition["receipt_key_id"], "this is another key")
    named = [receipt[name] for name in ("definition_hash", "tracker", "envelope_hash")]
    message = "\n".join(["mvote-receipt/1", definition["origin"], *named, ""]).encode()
    check = Ed25519PublicKey.from_public_bytes(public).verify
    check(base64.b64decode(receipt["signature"]), message)


def find(ask: Ask, receipt: dict[str, Any]) -> bytes:
    """Look the ballot up without saying who asks; the signed checkpoint that it is proven in."""
    path, tracker = f"/v1/polls/{receipt['poll_id']}", receipt["tracker"]
    found = json.loads(get(ask, f"{path}/ballots/{tracker}"))
    entry = "01" + tracker + receipt["envelope_hash"]
    must(found["entry"] == entry, "the log has another ballot")
    proof, note = found["inclusion"], str(found["checkpoint"])
    steps = [bytes.fromhex(step) for step in proof["proof"]]
    root = root_of(bytes.fromhex(entry), proof["index"], proof["size"], steps)
    definition = json.loads(get(ask, f"{path}/definition"))
    origin, size, encoded = note.split("\n")[:3]
    must((origin, int(size)) == (definition["origin"], proof["size"]), "another log's checkpoint")
    must(base64.b64decode(encoded) == root, "the proof does not lead to the checkpoint")
    keys = json.loads(get(ask, KEYS))["log_keys"]  # an app better keeps those it saw before
    must(any(signed(note, origin, key) for key in keys), "the checkpoint is not signed")
    return note.encode()


def root_of(entry: bytes, index: int, size: int, steps: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    found, last = sha256(b"\0" + entry).digest(), size - 1
    for step in steps:
        if index & 1 or index == last:
            found = sha256(b"\1" + step + found).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = sha256(b"\1" + found + step).digest()
        index, last = index >> 1, last >> 1
    must(last == 0, "the proof has another length")
    return found


def signed(note: str, origin: str, key: str) -> bool:
    """Whether the log signed its checkpoint with this key (c2sp.org/signed-note)."""
    public = base64.b64decode(key.split("+", 2)[2])[1:]
    key_hash = sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    text, _, lines = note.rpartition("\n\n")
    for line in lines.splitlines():
        _, name, encoded = line.split(" ")
        raw = base64.b64decode(encoded)
        if (name, raw[:4]) == (origin, key_hash):
            Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], f"{text}\n".encode())
            return True
    return False


def must(condition: object, reason: str, then: str = ": keep the receipt and complain") -> None:
    if not condition:
        raise SystemExit(f"{reason}{then}")


def over_http(base: str) -> Ask:
    def ask(method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        data = json.dumps(body).encode() if body else None
        headers = headers | {"Content-Type": "application/json"}
        try:
            with urlopen(Request(base + path, data, headers, method=method)) as answer:
                return Answer(answer.status, answer.read())
        except HTTPError as error:
            return Answer(error.code, error.read(), error.headers.get("Retry-After", ""))

    return ask


if __name__ == "__main__":
    base, poll_id, token, *selections = sys.argv[1:]
    print(json.dumps(cast(patient(over_http(base)), poll_id, token, selections), indent=1))
