"""Signed notes: a text with signature lines below it, as c2sp.org/signed-note has them.

Two kinds of keys are known: Ed25519 (0x01), with which a log signs, and witnesses' timestamped
cosignatures (0x04, c2sp.org/tlog-cosignature). What cannot be read whole is refused whole.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNED, COSIGNED = 0x01, 0x04
KEY_BYTES, HASH_BYTES, TIME_BYTES, SIGNATURE_BYTES = 32, 4, 8, 64
LARGEST_NOTE, MOST_SIGNATURES = 256 * 1024, 100
DASH = "— "


class MalformedNote(ValueError):
    """This is no signed note, checkpoint or key; the message says why."""


class UnverifiedNote(ValueError):
    """A signature by a known key is wrong, or no known key has signed."""


@dataclass(frozen=True)
class Signature:
    """One line below a note: whose, by which of their keys, and what they signed with it."""

    name: str
    key_hash: bytes
    signature: bytes

    @property
    def line(self) -> str:
        return f"{DASH}{self.name} {encoded64(self.key_hash + self.signature)}\n"


@dataclass(frozen=True)
class Note:
    """A text that ends with a newline, and the signatures below it, good or bad."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class Verifier:
    """A public key that notes are checked with: a name, a kind (0x01 or 0x04), 32 bytes."""

    name: str
    kind: int
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """Four bytes that tell the keys of one name apart."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:HASH_BYTES]

    @property
    def vkey(self) -> str:
        """The key as one word: name+hash+key."""
        key = encoded64(bytes([self.kind]) + self.public)
        return f"{self.name}+{self.key_hash.hex()}+{key}"

    def made(self, signature: Signature) -> bool:
        """Whether the signature says that it is by this key."""
        return (signature.name, signature.key_hash) == (self.name, self.key_hash)

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether *signature* (without the key's hash) is this key's, over *text*."""
        message = text.encode()
        if self.kind == COSIGNED:
            time = signature[:TIME_BYTES]
            if len(time) < TIME_BYTES or time[0] & 0x80:  # beyond 2**63 - 1
                return False
            message = cosigned_message(text, int.from_bytes(time, "big"))
            signature = signature[TIME_BYTES:]
        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def cosigned_message(text: str, time: int) -> bytes:
    """What a witness signs: that it saw the checkpoint *text* at *time*, in seconds."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def parse_vkey(vkey: str) -> Verifier:
    """The key out of `name+hash+key`. Raises MalformedNote."""
    name, _, rest = vkey.partition("+")
    key_hash, _, key = rest.partition("+")
    material = decoded64(key)
    if not is_name(name) or len(material) != 1 + KEY_BYTES or material[0] not in (SIGNED, COSIGNED):
        raise MalformedNote(f"not a key of kind 1 or 4: {vkey[:100]!r}")
    verifier = Verifier(name, material[0], material[1:])
    if verifier.key_hash.hex() != key_hash:
        raise MalformedNote(f"the key does not have the hash it names: {vkey[:100]!r}")
    return verifier


def log_verifier(name: str, public: bytes) -> Verifier:
    """The key with which a log of that *name* (its origin) signs."""
    return Verifier(name, SIGNED, public)


def sign(text: str | bytes, *, name: str, key: Ed25519PrivateKey) -> Signature:
    """Sign *text* as *name*. The same text always gives the same signature."""
    message = text.encode() if isinstance(text, str) else text
    verifier = log_verifier(name, key.public_key().public_bytes_raw())
    return Signature(name, verifier.key_hash, key.sign(message))


def sign_note(text: str, *, name: str, keys: Iterable[Ed25519PrivateKey]) -> str:
    """The note of *text*, signed as *name* by each of *keys*."""
    return written(Note(text, tuple(sign(text, name=name, key=key) for key in keys)))


def written(note: Note) -> str:
    """The note as it is sent and stored."""
    return note.text + "\n" + "".join(signature.line for signature in note.signatures)


def parse_note(raw: str | bytes) -> Note:
    """The note in *raw*, its signatures not checked. Raises MalformedNote."""
    whole = _readable(raw)
    cut = whole.rfind("\n\n")
    if cut < 0:
        raise MalformedNote("no blank line before the signatures")
    return Note(whole[: cut + 1], parse_signatures(whole[cut + 2 :]))


def parse_signatures(raw: str | bytes) -> tuple[Signature, ...]:
    """One signature line or more, nothing else. Raises MalformedNote."""
    lines = _readable(raw).split("\n")
    if lines.pop() or not lines or len(lines) > MOST_SIGNATURES:
        raise MalformedNote("no signature lines, too many, or the last does not end")
    return tuple(map(_parse_line, lines))


def open_note(raw: str | bytes, verifiers: Sequence[Verifier]) -> Note:
    """The note with those signatures alone that *verifiers* made; unknown ones are ignored.

    Raises MalformedNote, or UnverifiedNote if one is wrong or none is there.
    """
    note = parse_note(raw)
    good = []
    for signature in note.signatures:
        for verifier in verifiers:
            if verifier.made(signature):
                if not verifier.verifies(note.text, signature.signature):
                    raise UnverifiedNote(f"the signature of {verifier.name} is wrong")
                good.append(signature)
    if not good:
        raise UnverifiedNote("nobody known has signed")
    return Note(note.text, tuple(good))


def is_name(name: str) -> bool:
    """Whether a key may be called so: something, without spaces, control characters or plus."""
    return bool(name) and not any(c.isspace() or c == "+" or c < " " for c in name)


def encoded64(value: bytes) -> str:
    """Base64 as notes have it (RFC 4648, section 4)."""
    return base64.b64encode(value).decode()


def decoded64(text: str) -> bytes:
    """What *text* stands for, if it is the one way to write it. Raises MalformedNote."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: letters beyond ASCII
        value = b""
    if not value or encoded64(value) != text:
        raise MalformedNote(f"not base64: {text[:100]!r}")
    return value


def _parse_line(line: str) -> Signature:
    name, _, rest = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not is_name(name):
        raise MalformedNote(f"not a signature line: {line[:100]!r}")
    material = decoded64(rest)
    if len(material) <= HASH_BYTES:
        raise MalformedNote(f"too short for a signature: {line[:100]!r}")
    return Signature(name, material[:HASH_BYTES], material[HASH_BYTES:])


def _readable(raw: str | bytes) -> str:
    try:
        encoded = raw.encode() if isinstance(raw, str) else raw
        text = encoded.decode() if len(encoded) <= LARGEST_NOTE else ""
    except UnicodeError:
        raise MalformedNote("not UTF-8") from None
    if not text:
        raise MalformedNote(f"empty, or larger than {LARGEST_NOTE} bytes")
    if any(c < " " and c != "\n" for c in text):
        raise MalformedNote("control characters")
    return text
