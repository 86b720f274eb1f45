"""The keys that sign checkpoints: in the shuffler's keystore, their public halves in `log_key`.

One key signs for every log of the city, each time under the log's own name. The newest two sign:
whoever has pinned the older one has until the next change to pin the newer.
"""

from __future__ import annotations

import os
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.log_tables import LogKey
from mvote.ballotbox.notes import Verifier, log_verifier, sign_note
from mvote.people.tokens import key_id

SIGNING = 2
KEY_BYTES = 32


class LogKeys:
    """The log's keys, oldest first. The first one is made at first use."""

    def __init__(self, keystore: Keystore) -> None:
        self._names = keystore.names("log/") or [rotate_log_key(keystore)]
        secrets = map(keystore.get, self._names)
        self._keys = [Ed25519PrivateKey.from_private_bytes(secret) for secret in secrets]

    def are_all(self, keystore: Keystore) -> bool:
        """Whether no key was made since these were read."""
        return keystore.names("log/") == self._names

    def sign(self, text: str, *, origin: str) -> str:
        """The note of a checkpoint's *text*, by the log called *origin*. Always the same bytes."""
        return sign_note(text, name=origin, keys=self._keys[-SIGNING:])

    def verifiers(self, origin: str) -> list[Verifier]:
        """What notes of the log *origin* are checked with, whichever of the keys signed them."""
        publics = [key.public_key().public_bytes_raw() for key in self._keys]
        return [log_verifier(origin, public) for public in publics]

    def publish(self, session: Session) -> None:
        """Write the public halves down, before anything is signed with them."""
        publics = [key.public_key().public_bytes_raw() for key in self._keys]
        rows = [{"key_id": key_id(public), "public_key": public} for public in publics]
        known = set(session.scalars(select(LogKey.key_id)))
        if new := [row for row in rows if row["key_id"] not in known]:
            session.execute(insert(LogKey).on_conflict_do_nothing(), new)


def rotate_log_key(keystore: Keystore) -> str:
    """Make a key that signs from now on, beside the one before; its name."""
    names = keystore.names("log/")
    name = f"log/{int(names[-1].partition('/')[2]) + 1 if names else 1:06d}"
    with suppress(FileExistsError):  # another process made it at this moment
        keystore.put(name, os.urandom(KEY_BYTES))
    return name
