"""Receipts: prove that a ballot was recorded, not what it says, nor whose it is, nor when."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field

from nacl.signing import SigningKey

from mvote.ballotbox.keystore import Keystore
from mvote.people.tokens import key_id

HEADING = "mvote-receipt/1"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the voter gets; every member is public but the salt, which only the voter's app sees."""

    poll_id: uuid.UUID
    tracker: str
    envelope_hash: str
    definition_hash: str
    signature: str
    key_id: str
    #: lets the app recompute the commitment; None where the definition has no cast check
    ballot_salt: str | None
    #: nothing was recorded: the ballot was in the box already. Shown to nobody
    is_repeated: bool = field(default=False, compare=False)


def receipt_message(origin: str, definition_hash: bytes, tracker: bytes, c: bytes) -> bytes:
    """The signed bytes: five lines, hex in lower case, no time, no voter."""
    lines = (HEADING, origin, definition_hash.hex(), tracker.hex(), c.hex())
    return "".join(f"{line}\n" for line in lines).encode()


class ReceiptKeys:
    """The receipt keys of the keystore. A poll keeps the one it opened with.

    The keystore is read again when a poll opens and when an unknown id is asked for: so a key made
    by `keys rotate` is used by processes that run already.
    """

    def __init__(self, keystore: Keystore) -> None:
        self._keystore = keystore
        self._by_name: dict[str, SigningKey] = {}
        self._by_id: dict[str, SigningKey] = {}
        self._read()
        if not self._by_id:
            raise LookupError("there is no receipt key: run `flask --app wsgi keys init`")

    def _read(self) -> None:
        names = self._keystore.names("receipt/")
        self._by_name = {name: self._by_name.get(name) or self._key(name) for name in names}
        self._by_id = {key_id(bytes(key.verify_key)): key for key in self._by_name.values()}

    def _key(self, name: str) -> SigningKey:
        return SigningKey(self._keystore.get(name))

    @property
    def current_id(self) -> str:
        """The id of the key that polls opened from now on get."""
        self._read()
        return next(reversed(self._by_id))

    def sign(self, key: str, message: bytes) -> str:
        """The signature (Ed25519, base64) of *message* by the receipt key with that id."""
        if key not in self._by_id:
            self._read()
        return base64.b64encode(self._by_id[key].sign(message).signature).decode()

    def public(self) -> dict[str, bytes]:
        """The public keys by their ids: 32 bytes each."""
        self._read()
        return {kid: bytes(key.verify_key) for kid, key in self._by_id.items()}
