"""Keys live here, outside the database and its backups, each wrapped by its holder's own key.

A holder (api, shuffler, counter, auditor) has a directory. Whoever knows the holder's public
wrapping key may drop a key in; only the holder's master key takes one out. Wrapping is HPKE
(RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305) with the holder and the key's name as info,
so a file that is moved to another name or holder no longer opens.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from mvote.ballotbox.durably import write_once
from mvote.ballotbox.keyfiles import KeyFiles, KeystoreAway

__all__ = ["HOLDERS", "DirectoryKeystore", "Holder", "KeyMissing", "KeyUnreadable", "Keystore",
           "KeystoreAway", "write_once"]  # fmt: skip

Holder = Literal["api", "shuffler", "counter", "auditor"]
HOLDERS: tuple[Holder, ...] = ("api", "shuffler", "counter", "auditor")

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
log = logging.getLogger("mvote.keys")


class KeyMissing(LookupError):
    """The keystore has no such key: never made, or destroyed."""


class KeyUnreadable(ValueError):
    """The file is there, but this master key does not open it."""


class Keystore(Protocol):
    """What the ballot box asks of a keystore; a key management service can take its place."""

    def get(self, name: str) -> bytes:
        """The secret called *name*. Raises KeyMissing or KeyUnreadable."""

    def has(self, name: str) -> bool:
        """Whether there is a key called *name*, in any copy, that was not destroyed."""

    def put(self, name: str, secret: bytes) -> None:
        """Keep *secret* under *name*, durably, in every copy.

        Raises FileExistsError rather than overwrite or take the name of a destroyed key, and
        KeystoreAway while a copy is out of reach; nothing is kept then.
        """

    def hand_over(self, holder: Holder, name: str, secret: bytes) -> None:
        """Keep *secret* under *name* for another *holder*, whom alone it then opens to."""

    def names(self, prefix: str) -> list[str]:
        """The names that begin with *prefix*, sorted."""

    def destroy(self, name: str) -> bool:
        """Remove the key everywhere, for good; true if it was there. Raises KeystoreAway."""

    def finish_destroying(self) -> list[str]:
        """Remove what is left of keys whose destruction was cut short; their names."""

    def is_held(self, name: str) -> bool:
        """Whether any holder still has a key of that name, in any copy. Raises KeystoreAway."""


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """What is wrong with one copy of a key."""

    root: Path
    name: str
    #: "missing", "unreadable", or "differs": it opens to another secret than the first copy
    what: Literal["missing", "unreadable", "differs"]


class DirectoryKeystore:
    """A keystore of files below *root*, opened as *holder* with its 32-byte *master* key.

    With *copy*, a folder that must be there, all is kept twice; what one lacks is taken from the
    other. With *old*, the master key before, what is not yet wrapped anew opens too.
    """

    def __init__(
        self,
        root: Path,
        holder: Holder,
        master: bytes,
        *,
        old: bytes | None = None,
        copy: Path | None = None,
    ) -> None:
        self._files = KeyFiles((root, copy) if copy else (root,))
        self._holder: Holder = holder
        given = (master, old) if old else (master,)
        self._privates = [X25519PrivateKey.from_private_bytes(each) for each in given]

    def introduce(self) -> None:
        """Publish the holder's wrapping key, so that others can hand keys over to it.

        Raises KeyUnreadable, and changes nothing, if the keys here are of another master key.
        """
        files = self._files
        with files.alone(self._holder):
            published = {root: files.public(root, self._holder) for root in files.here}
            known = [public for public in published.values() if public]
            if not set(known) <= set(self._publics) or not (known or self._opens_what_is_there()):
                raise KeyUnreadable(f"the {self._holder}'s master key is not that of its keystore")
            for root, public in published.items():
                if public is None:
                    files.publish(root, self._holder, (known or self._publics)[0])

    def get(self, name: str) -> bytes:
        files = self._files
        if files.is_destroyed(self._holder, name):
            raise KeyMissing(name)
        secret = self._secret_in(files.roots[0], name)
        if secret is None or files.lacking(self._holder, name):
            return self._mended(name)
        return secret

    def has(self, name: str) -> bool:
        if self._files.is_destroyed(self._holder, name):
            return False
        return len(self._files.lacking(self._holder, name)) < len(self._files.here)

    def put(self, name: str, secret: bytes) -> None:
        with self._files.alone(self._holder):
            published = self._published(self._holder)
            public = published if published in self._publics else self._publics[0]
            self._wrap(self._holder, name, secret, public)

    def hand_over(self, holder: Holder, name: str, secret: bytes) -> None:
        public = self._public_of(holder)
        self._wrap(holder, name, secret, public)
        while (now := self._public_of(holder)) != public:  # its master key was replaced meanwhile
            public = now
            for root in reversed(self._files.roots):
                wrapped = _wrapped(secret, public, holder, name)
                self._files.replace(root, holder, name, wrapped)

    def names(self, prefix: str) -> list[str]:
        found = self._files.names(self._holder, prefix)
        return sorted(found - self._files.destroyed_of(self._holder, found))

    def destroy(self, name: str) -> bool:
        with self._files.alone(self._holder):
            return self._files.destroy(self._holder, name)

    def finish_destroying(self) -> list[str]:
        found = self._files.names(self._holder, "")
        left = sorted(self._files.destroyed_of(self._holder, found))
        for name in left:
            self.destroy(name)
        return left

    def is_held(self, name: str) -> bool:
        return any(self._files.is_held(holder, name) for holder in HOLDERS)

    def flaws(self) -> list[Flaw]:
        """Every copy of a key that is missing, does not open, or is not like the first."""
        return [flaw for name in self.names("") for flaw in self._flaws_of(name)]

    def mend(self) -> list[str]:
        """Make every copy of every key whole, as far as one of them opens; the names mended."""
        self._files.need_all()
        flawed = {flaw.name for flaw in self.flaws()}
        for name in flawed:
            with suppress(KeyUnreadable):
                self._mended(name, level=logging.DEBUG)  # whoever asked is told by the answer
        return sorted(flawed - {flaw.name for flaw in self.flaws()})

    def rewrap(self) -> list[str]:
        """Wrap every key anew, for the first of the two master keys; then the old opens nothing.

        The wrapping key changes first, so that nothing is handed over to the old one any more.
        May be killed at any point and run again. Returns the names of keys that neither opens.
        """
        files = self._files
        files.need_all()
        with files.alone(self._holder):
            files.remove_drafts(self._holder)
            for root in reversed(files.roots):
                files.publish(root, self._holder, self._publics[0])
        return [name for name in self.names("") if not self._rewrapped(name)]

    # below: not part of what others may ask for

    @property
    def _publics(self) -> list[bytes]:
        return [private.public_key().public_bytes_raw() for private in self._privates]

    def _published(self, holder: Holder) -> bytes | None:
        found = (self._files.public(root, holder) for root in self._files.here)
        return next(filter(None, found), None)

    def _public_of(self, holder: Holder) -> bytes:
        public = self._published(holder)
        if public is None:
            raise KeyMissing(f"{holder} has published no wrapping key")
        return public

    def _wrap(self, holder: Holder, name: str, secret: bytes, public: bytes) -> None:
        self._files.create(holder, name, _wrapped(secret, public, holder, name))

    def _secret_in(self, root: Path, name: str) -> bytes | None:
        """The secret of the copy below *root*; None if it is missing or does not open."""
        wrapped = self._files.read(root, self._holder, name)
        return None if wrapped is None else self._unwrapped(wrapped, name, self._privates)

    def _unwrapped(self, wrapped: bytes, name: str, keys: list[X25519PrivateKey]) -> bytes | None:
        for private in keys:
            try:
                return SUITE.decrypt(wrapped, private, info=_info(self._holder, name))
            except (InvalidTag, ValueError):
                continue
        return None

    def _mended(self, name: str, *, level: int = logging.WARNING) -> bytes:
        """The secret, from whichever copy opens; the others are made like it."""
        files = self._files
        with files.alone(self._holder):
            if files.is_destroyed(self._holder, name):  # while we waited
                raise KeyMissing(name)
            secrets = {root: self._secret_in(root, name) for root in files.here}
            good = next((root for root in files.here if secrets[root] is not None), None)
            if good is None:
                nowhere = len(files.lacking(self._holder, name)) == len(files.here)
                raise (KeyMissing if nowhere else KeyUnreadable)(name)
            for root in files.here:
                if secrets[root] != secrets[good]:
                    self._copy(good, root, name, level)
            found: bytes = secrets[good] or b""
            return found

    def _copy(self, good: Path, root: Path, name: str, level: int) -> None:
        wrapped = self._files.read(good, self._holder, name) or b""
        try:
            self._files.replace(root, self._holder, name, wrapped)
        except OSError:  # a full or read-only disk: what can be read is read all the same
            log.warning("key not mended", extra={"holder": self._holder, "key": name})
        else:
            log.log(level, "key mended", extra={"holder": self._holder, "key": name})

    def _flaws_of(self, name: str) -> list[Flaw]:
        lacking = self._files.lacking(self._holder, name)
        secrets = {root: self._secret_in(root, name) for root in self._files.here}
        first = next((secret for secret in secrets.values() if secret is not None), None)
        return [
            Flaw(root=root, name=name, what=_fault(secret, missing=root in lacking))
            for root, secret in secrets.items()
            if secret is None or secret != first
        ]

    def _rewrapped(self, name: str) -> bool:
        files, new = self._files, self._privates[:1]
        with files.alone(self._holder):
            if files.is_destroyed(self._holder, name):
                return True
            copies = [files.read(root, self._holder, name) for root in files.roots]
            if all(copy and self._unwrapped(copy, name, new) is not None for copy in copies):
                return True
            found = (self._secret_in(root, name) for root in files.roots)
            secret = next((each for each in found if each is not None), None)
            if secret is None:
                return False
            wrapped = _wrapped(secret, self._publics[0], self._holder, name)
            for root in reversed(files.roots):
                files.replace(root, self._holder, name, wrapped)
            return True

    def _opens_what_is_there(self) -> bool:
        """Whether the keys found without a wrapping key beside them are ours."""
        names = self.names("")
        return not names or any(
            self._secret_in(root, name) is not None for name in names for root in self._files.here
        )


def _fault(secret: bytes | None, *, missing: bool) -> Literal["missing", "unreadable", "differs"]:
    if secret is not None:
        return "differs"
    return "missing" if missing else "unreadable"


def _wrapped(secret: bytes, public: bytes, holder: Holder, name: str) -> bytes:
    return SUITE.encrypt(
        secret, X25519PublicKey.from_public_bytes(public), info=_info(holder, name)
    )


def _info(holder: Holder, name: str) -> bytes:
    return b"mvote/key/1\x00" + holder.encode() + b"\x00" + name.encode()
