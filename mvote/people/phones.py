"""Phone numbers: read as E.164, kept only as keyed hashes and encrypted, shown only in part."""

from __future__ import annotations

import hashlib
import hmac
import os

import phonenumbers
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from phonenumbers import PhoneNumberType

from mvote.ballotbox.keystore import Keystore, KeyUnreadable
from mvote.errors import Fault, InvalidRequest
from mvote.people.citizens import Citizen
from mvote.wording import say

HASH_KEY, ANCHOR_KEY, SEALING_KEY = "phone-hash", "anchor", "phone-encryption"
KEY_NAMES = (HASH_KEY, ANCHOR_KEY, SEALING_KEY)
KEY_BYTES = 32
NONCE_BYTES = 12
SHOWN_DIGITS = 4
# What a text message can reach for certain; where a country does not tell mobile numbers from
# others by their digits, the type says so.
REACHABLE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def read_number(text: str, *, region: str) -> str:
    """*text*, national in *region* or international, as E.164. Raises InvalidRequest at /phone."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise InvalidRequest(Fault("/phone", say("This is no phone number."))) from None
    reachable = phonenumbers.is_valid_number(number) and not number.extension
    if not reachable or phonenumbers.number_type(number) not in REACHABLE:
        raise InvalidRequest(Fault("/phone", say("This is no number of a mobile phone.")))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def masked(number: str) -> str:
    """*number* with all but its country's code and last digits hidden, for its owner to know."""
    country = f"+{phonenumbers.parse(number).country_code}"
    hidden = len(number) - len(country) - SHOWN_DIGITS
    return f"{country}{'*' * hidden}{number[-SHOWN_DIGITS:]}"


class Phones:
    """What stands for a number in the database, by three keys of the keystore, one for each use.

    The keys are taken out when first needed and kept for the life of the process: they do not
    change, because accounts and anchors would be lost with them.
    """

    def __init__(self, keystore: Keystore) -> None:
        self._keystore = keystore
        self._keys: dict[str, bytes] = {}

    def hash_of(self, number: str) -> bytes:
        """32 bytes that find the account of *number*."""
        return self._keyed(HASH_KEY, b"mvote/phone/1", number)

    def anchor_of(self, number: str) -> bytes:
        """32 bytes: the first anchor of an account made with *number*."""
        return self._keyed(ANCHOR_KEY, b"mvote/anchor/1", number)

    def seal(self, number: str) -> bytes:
        """*number* encrypted, bound to its hash: moved to another account it does not open."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, number.encode(), self.hash_of(number))

    def unseal(self, sealed: bytes, *, phone_hash: bytes) -> str:
        """The number within *sealed*. Raises KeyUnreadable if it was not sealed for this hash."""
        nonce, encrypted = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher().decrypt(nonce, encrypted, phone_hash).decode()
        except InvalidTag:
            raise KeyUnreadable(SEALING_KEY) from None

    def number_of(self, citizen: Citizen) -> str | None:
        """The number of an account, if it has one."""
        if citizen.phone_sealed is None or citizen.phone_hash is None:
            return None
        return self.unseal(citizen.phone_sealed, phone_hash=citizen.phone_hash)

    def _cipher(self) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(self._key(SEALING_KEY))

    def _keyed(self, key: str, label: bytes, number: str) -> bytes:
        return hmac.new(self._key(key), label + b"\x00" + number.encode(), hashlib.sha256).digest()

    def _key(self, name: str) -> bytes:
        if name not in self._keys:
            self._keys[name] = self._keystore.get(name)
        return self._keys[name]
