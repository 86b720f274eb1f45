"""Keys live here, outside the database and its backups, each wrapped by its holder's own key.

A holder (api, shuffler, counter, auditor) has a directory. Whoever knows the holder's public
wrapping key may drop a key in; only the holder's master key takes one out. Wrapping is HPKE
(RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305) with the holder and the key's name as info,
so a file that is moved to another name or holder no longer opens.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

Holder = Literal["api", "shuffler", "counter", "auditor"]
HOLDERS: tuple[Holder, ...] = ("api", "shuffler", "counter", "auditor")

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*(/[a-zA-Z0-9][a-zA-Z0-9_.-]*)*")


class KeyMissing(LookupError):
    """The keystore has no such key: never made, or destroyed."""


class KeyUnreadable(ValueError):
    """The file is there, but this master key does not open it."""


class Keystore(Protocol):
    """What the ballot box asks of a keystore; a key management service can take its place."""

    def get(self, name: str) -> bytes:
        """The secret called *name*. Raises KeyMissing or KeyUnreadable."""

    def put(self, name: str, secret: bytes) -> None:
        """Keep *secret* under *name*, durably. Raises FileExistsError rather than overwrite."""

    def hand_over(self, holder: Holder, name: str, secret: bytes) -> None:
        """Keep *secret* under *name* for another *holder*, whom alone it then opens to."""

    def names(self, prefix: str) -> list[str]:
        """The names that begin with *prefix*, sorted."""

    def destroy(self, name: str) -> bool:
        """Remove the key; true if it was there."""

    def is_held(self, name: str) -> bool:
        """Whether any holder still has a key of that name."""


class DirectoryKeystore:
    """A keystore of files below *root*, opened as *holder* with its 32-byte *master* key."""

    def __init__(self, root: Path, holder: Holder, master: bytes) -> None:
        self._root = root
        self._holder: Holder = holder
        self._private = X25519PrivateKey.from_private_bytes(master)

    def introduce(self) -> None:
        """Publish the holder's wrapping key, so that others can hand keys over to it."""
        folder = self._root / self._holder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "wrapping.pub"
        public = self._private.public_key().public_bytes_raw()
        if not path.exists():
            write_once(path, public)
        elif path.read_bytes() != public:
            raise KeyUnreadable(f"the {self._holder}'s master key is not the one of this keystore")

    def get(self, name: str) -> bytes:
        path = self._path(self._holder, name)
        try:
            wrapped = path.read_bytes()
        except FileNotFoundError:
            raise KeyMissing(name) from None
        try:
            return SUITE.decrypt(wrapped, self._private, info=_info(self._holder, name))
        except InvalidTag:
            raise KeyUnreadable(name) from None

    def put(self, name: str, secret: bytes) -> None:
        self._wrap(self._holder, name, secret, self._private.public_key())

    def hand_over(self, holder: Holder, name: str, secret: bytes) -> None:
        try:
            public = (self._root / holder / "wrapping.pub").read_bytes()
        except FileNotFoundError:
            raise KeyMissing(f"{holder} has published no wrapping key") from None
        self._wrap(holder, name, secret, X25519PublicKey.from_public_bytes(public))

    def names(self, prefix: str) -> list[str]:
        folder = self._root / self._holder
        found = (path.relative_to(folder).as_posix() for path in folder.rglob("*.key"))
        return sorted(
            name.removesuffix(".key")
            for name in found
            if name.startswith(prefix) and name != "master.key"
        )

    def destroy(self, name: str) -> bool:
        path = self._path(self._holder, name)
        if not path.exists():
            return False
        path.unlink()
        _sync_folder(path.parent)
        return True

    def is_held(self, name: str) -> bool:
        return any(self._path(holder, name).exists() for holder in HOLDERS)

    def _wrap(self, holder: Holder, name: str, secret: bytes, public: X25519PublicKey) -> None:
        path = self._path(holder, name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_once(path, SUITE.encrypt(secret, public, info=_info(holder, name)))

    def _path(self, holder: Holder, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise ValueError(f"not a name of a key: {name!r}")
        return self._root / holder / f"{name}.key"


def _info(holder: Holder, name: str) -> bytes:
    return b"mvote/key/1\x00" + holder.encode() + b"\x00" + name.encode()


def write_once(path: Path, content: bytes) -> None:
    """Write *path* whole and durably, or fail with FileExistsError and leave nothing behind."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
