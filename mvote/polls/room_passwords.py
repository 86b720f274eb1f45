"""Passwords of private rooms: Argon2id over a keyed hash, so that a stolen database is no help.

The key (HMAC-SHA256) lies in the keystore: without it nobody can try passwords against what the
database holds. Argon2id with 19 MiB and two rounds is OWASP's advice (Password Storage Cheat
Sheet, 2024); that takes a processor some 35 ms.
"""

from __future__ import annotations

import secrets
import unicodedata
import uuid
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol, TypeVar

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from mvote.ballotbox.notation import m

ROOM_KEY = "room-password"
ROUNDS, MEMORY_BYTES = 2, 19 * 2**20
REMEMBERED = 10_000

Answer = TypeVar("Answer")


class Apart(Protocol):
    """Does costly work where it keeps nobody waiting."""

    def __call__(self, work: Callable[[], Answer], /) -> Answer:
        """What *work* gives."""


def at_once(work: Callable[[], Answer], /) -> Answer:
    """Do the *work* here and now."""
    return work()


class RoomPasswords:
    """Hashes and checks passwords with *key*; the costly part is done by *apart*.

    What was right once is remembered by a hash under a key of this process's own, so that the
    ballots of a whole room cost no Argon2id each; and who gave it, because a try of anybody else
    must count as a guess whatever this process remembers.
    """

    def __init__(self, key: bytes, apart: Apart = at_once) -> None:
        self._key = key
        self._apart = apart
        self._own_key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._nobodys: str | None = None

    def hashed(self, poll_id: uuid.UUID, password: str) -> str:
        """What the database may keep of a password."""
        return self._argon2(self._keyed(poll_id, password)).decode()

    def has_let_in(
        self, poll_id: uuid.UUID, password_hash: str, password: str, citizen_id: uuid.UUID
    ) -> bool:
        """Whether this process has seen this very citizen come in with this very password."""
        return self._mark(poll_id, password_hash, password, citizen_id) in self._right

    def let_in(
        self, poll_id: uuid.UUID, password_hash: str, password: str, citizen_id: uuid.UUID
    ) -> None:
        """Remember that the citizen came in: the same again is no guess."""
        self._remember(self._mark(poll_id, password_hash, password, citizen_id))

    def opens(self, poll_id: uuid.UUID | None, password_hash: str | None, password: str) -> bool:
        """Whether *password* is the room's; to be asked only once the try has been counted.

        No room at all takes as long as a wrong password.
        """
        if poll_id is None or password_hash is None:
            poll_id, password_hash = uuid.UUID(int=0), self._hash_of_nobody()
        mark = self._mark(poll_id, password_hash, password)
        if mark in self._right:
            return True
        kept, keyed = password_hash.encode(), self._keyed(poll_id, password)
        is_right = self._apart(lambda: _verified(kept, keyed))
        if is_right:
            self._remember(mark)
        return is_right

    def _keyed(self, poll_id: uuid.UUID, password: str) -> bytes:
        written = unicodedata.normalize("NFC", password).encode()
        return m(self._key, "mvote/room/1", poll_id.bytes, written)

    def _argon2(self, keyed: bytes) -> bytes:
        return self._apart(lambda: argon2id.str(keyed, ROUNDS, MEMORY_BYTES))

    def _hash_of_nobody(self) -> str:
        if self._nobodys is None:
            self._nobodys = self._argon2(secrets.token_bytes(32)).decode()
        return self._nobodys

    def _mark(
        self,
        poll_id: uuid.UUID,
        password_hash: str,
        password: str,
        citizen_id: uuid.UUID | None = None,
    ) -> bytes:
        """Holds the kept hash, too: a password that was replaced was never right for the new."""
        whose = citizen_id.bytes if citizen_id else b""
        keyed, kept = self._keyed(poll_id, password), password_hash.encode()
        return m(self._own_key, "mvote/room-mark/1", keyed, kept, whose)

    def _remember(self, mark: bytes) -> None:
        self._right[mark] = None
        while len(self._right) > REMEMBERED:
            self._right.popitem(last=False)


def _verified(password_hash: bytes, keyed: bytes) -> bool:
    try:
        return argon2id.verify(password_hash, keyed)
    except InvalidkeyError:
        return False
