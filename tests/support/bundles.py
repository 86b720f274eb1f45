"""A made-up poll with its bundle: every key in the test's hands, so that it can lie in every way.

Written from the formats alone, without the project's code, so that a slip there would show.
"""

from __future__ import annotations

import base64
import hashlib
import io
import random
import struct
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from tests.support.by_hand import (
    Signer,
    canonical,
    checkpoint_body,
    labelled,
    path_of,
    root_of,
    sha,
)

Files = dict[str, bytes]
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
HOST = "vote.example.kr"
LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass
class Ballot:
    """A cast ballot with all its secrets."""

    tracker: bytes
    salt: bytes
    vector: bytes
    c: bytes

    @property
    def entry(self) -> bytes:
        return b"\1" + self.tracker + self.c


class MadeUpPoll:
    """A published poll of so many ballots in so many batches; `files()` is its honest bundle."""

    def __init__(
        self, ballots: int = 60, *, batches: int = 3, seed: int = 1, **definition: Any
    ) -> None:
        self.random = random.Random(seed)
        self.id = uuid.UUID(bytes=self.random.randbytes(16), version=4)
        self.origin, self.city = f"{HOST}/mvote/poll/{self.id}", f"{HOST}/mvote/city"
        self.log_key, self.receipt_key, self.witness = Signer(), Signer(), Signer()
        self.sealing_key = X25519PrivateKey.generate()
        self.definition = self._definition() | definition
        self.batches = [self._batch(ballots // batches) for _ in range(batches - 1)]
        self.batches.append(self._batch(ballots - ballots // batches * (batches - 1)))
        self.notices: list[dict[str, Any]] = [
            {"format": "mvote-notice/1", "poll_id": str(self.id), "kind": "correction"}
        ]
        self.said: dict[str, Any] = {}  # what the statement says otherwise than it should
        self.unsaid: set[str] = set()  # what it leaves out
        self.statements_logged = 1
        self.statement_after: int | None = None  # so many entries, instead of behind all

    def _definition(self) -> dict[str, Any]:
        options = [{"key": key, "title": {"ko": key}} for key in ("yes", "no", "later")]
        return {
            "format": "mvote-definition/1",
            "poll_id": str(self.id),
            "origin": self.origin,
            "question": {
                "kind": "single",
                "options": options,
                "min_selections": 0,
                "max_selections": 1,
            },
            "records": "full",
            "publish_from": 5,
            "receipt_key_id": sha(self.receipt_key.public).hex()[:16],
            "sealing_key": self.sealing_key.public_key().public_bytes_raw().hex(),
        }

    @property
    def frozen(self) -> bytes:
        return canonical(self.definition)

    def _batch(self, size: int) -> list[Ballot]:
        return sorted((self.ballot() for _ in range(size)), key=lambda ballot: ballot.tracker)

    def ballot(self, vector: bytes | None = None) -> Ballot:
        """A ballot of a random voter for a random option."""
        tracker, salt = self.random.randbytes(16), self.random.randbytes(32)
        vector = vector or self.vector()
        c = labelled("mvote/commitment/1", self.id.bytes, tracker, salt, vector)
        return Ballot(tracker, salt, vector, c)

    def vector(self) -> bytes:
        marks = [0, 0, 0]
        choice = self.random.randrange(4)
        if choice < 3:
            marks[choice] = 1
        return struct.pack(">BBH3H", 1, 1, 3, *marks)

    @property
    def ballots(self) -> list[Ballot]:
        return [ballot for batch in self.batches for ballot in batch]

    @property
    def voted(self) -> list[bytes]:
        """The entries up to the end of voting."""
        return [b"\0" + sha(self.frozen), *(ballot.entry for ballot in self.ballots)]

    @property
    def entries(self) -> list[bytes]:
        """The whole log: definition, ballots, notices, statement."""
        notices = [b"\3" + sha(canonical(notice)) for notice in self.notices]
        statement = [b"\4" + sha(self.statement)] * self.statements_logged
        if self.statement_after is None:
            return [*self.voted, *notices, *statement]
        voted, late = self.voted[: self.statement_after], self.voted[self.statement_after :]
        return [*voted, *statement, *late, *notices]

    def boundaries(self) -> list[int]:
        """The sizes of the log after each batch."""
        sizes, size = [], 1
        for batch in self.batches:
            size += len(batch)
            sizes.append(size)
        return sorted({*sizes, *range(size + 1, size + len(self.notices) + 1), len(self.entries)})

    @property
    def statement(self) -> bytes:
        records = self.records
        keys = [option["key"] for option in self.definition["question"]["options"]]
        marks = [struct.unpack_from(f">{len(keys)}H", vector, 4) for vector in records]
        blank = sum(not any(each) for each in marks)
        hashed = hashlib.sha256(b"mvote/records/1\0")
        for vector in records:
            hashed.update(len(vector).to_bytes(2, "big") + vector)
        stated = {
            "format": "mvote-statement/1",
            "poll_id": str(self.id),
            "definition_hash": sha(self.frozen).hex(),
            **dict.fromkeys(("participations", "entries", "records"), len(records)),
            **dict.fromkeys(("quarantined", "unopenable", "spoilt"), 0),
            "blank": blank,
            "valid": len(records) - blank,
            "totals": {key: sum(m[place] for m in marks) for place, key in enumerate(keys)},
            "records_hash": hashed.hexdigest(),
            "too_few": False,
            "log_size": len(self.voted),
            "log_root": root_of(self.voted).hex(),
        } | self.said
        return canonical({name: stated[name] for name in stated.keys() - self.unsaid})

    @property
    def records(self) -> list[bytes]:
        return sorted(ballot.vector for ballot in self.ballots)

    def files(self) -> Files:
        """All files of the bundle but the manifest."""
        entries = self.entries
        files: Files = {
            "definition.json": self.frozen,
            "log.bin": b"".join(entries),
            "statement.json": self.statement,
            "records.bin": b"".join(self.records),
            "keys.json": canonical(self.keys()),
        }
        roots = [
            {"size": size, "root": root_of(entries[:size]).hex()} for size in self.boundaries()
        ]
        files["checkpoints.json"] = canonical(roots)
        for number, notice in enumerate(self.notices):
            files[f"notices/{number:03}.json"] = canonical(notice)
        return files | self.checkpoints(len(entries), root_of(entries))

    def keys(self) -> dict[str, Any]:
        receipt_key = base64.b64encode(self.receipt_key.public).decode()
        return {
            "log_keys": [self.log_key.vkey(self.origin), self.log_key.vkey(self.city)],
            "receipt_keys": {sha(self.receipt_key.public).hex()[:16]: receipt_key},
            "witnesses": [self.witness.vkey("witness.example.org", 4)],
        }

    def checkpoints(self, size: int, root: bytes, *, witnessed: bool = True) -> Files:
        """The signed end of the poll's log, and the city log that holds it."""
        body = checkpoint_body(self.origin, size, root)
        entry = b"\5" + self.id.bytes + size.to_bytes(8, "big") + root
        city = [b"\5" + self.random.randbytes(56) for _ in range(5)] + [entry, b"\5" + bytes(56)]
        city_body = checkpoint_body(self.city, len(city), root_of(city))
        lines = self.log_key.line(self.city, city_body)
        lines += self.witness.cosignature("witness.example.org", city_body) if witnessed else ""
        proof = {
            "index": 5,
            "entry": entry.hex(),
            "size": len(city),
            "proof": [step.hex() for step in path_of(5, city)],
        }
        return {
            "checkpoint": body + b"\n" + self.log_key.line(self.origin, body).encode(),
            "city/checkpoint": city_body + b"\n" + lines.encode(),
            "city/proof.json": canonical(proof),
        }

    def signed(self, files: Files, key: Signer | None = None) -> Files:
        """*files* with a manifest that covers them, signed by the log's key or another."""
        files = {name: data for name, data in files.items() if not name.startswith("manifest.")}
        listed = {
            name: {"sha256": sha(data).hex(), "bytes": len(data)} for name, data in files.items()
        }
        manifest = canonical(
            {
                "format": "mvote-bundle/1",
                "poll_id": str(self.id),
                "origin": self.origin,
                "files": listed,
            }
        )
        line = (key or self.log_key).line(self.origin, b"mvote-bundle/1\n" + manifest)
        return {"manifest.json": manifest, "manifest.sig": line.encode(), **files}

    def receipt(self, ballot: Ballot) -> dict[str, Any]:
        """What the voter of *ballot* was given."""
        hashed = sha(self.frozen).hex()
        lines = ("mvote-receipt/1", self.origin, hashed, ballot.tracker.hex(), ballot.c.hex())
        message = "".join(f"{line}\n" for line in lines).encode()
        return {
            "poll_id": str(self.id),
            "tracker": ballot.tracker.hex(),
            "envelope_hash": ballot.c.hex(),
            "definition_hash": hashed,
            "signature": base64.b64encode(self.receipt_key.private.sign(message)).decode(),
            "key_id": self.definition["receipt_key_id"],
            "ballot_salt": ballot.salt.hex(),
        }

    def box(self) -> bytes:
        """The sealed ballots, in the order of the log."""
        sealed = (
            SUITE.encrypt(
                b"\1" + ballot.tracker + ballot.salt + ballot.vector, self.sealing_key.public_key()
            )
            for ballot in self.ballots
        )
        head = b"mvote-box/1\n" + self.id.bytes
        return head + b"".join(len(each).to_bytes(2, "big") + each for each in sealed)


def packed(files: Files, compression: int = zipfile.ZIP_STORED) -> bytes:
    """The archive of *files*, in their order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, LONG_AGO)
            info.compress_type = compression
            archive.writestr(info, data)
    return buffer.getvalue()


def written(folder: Path, files: Files, name: str = "bundle.zip") -> Path:
    """The archive of *files* as a file."""
    path = folder / name
    path.write_bytes(packed(files))
    return path
