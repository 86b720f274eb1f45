"""Trustees' shares of a sealing key: splitting, a public record of it, and putting together again.

Shares are SLIP-39 mnemonics of 33 words: the secret is the private key (X25519, 32 bytes), one
group of t-of-n members, no passphrase. Nothing here knows a database, a server or a network.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics
from shamir_mnemonic.wordlist import WORDLIST

from mvote.ballotbox.ceremony_record import CeremonyRecord, SharePlace, check_trustees
from mvote.ballotbox.share_problems import ShareProblem

WORDS = 33
PREFIX = 4
"""Letters that tell each word of the list from every other."""
BY_PREFIX = {word[:PREFIX]: word for word in WORDLIST}
SALT_BYTES = 16
FINGERPRINT_BYTES = 16
NO_PASSPHRASE_TO_STRETCH = 0


@dataclass(frozen=True, kw_only=True, repr=False)
class TypedShare:
    """A share that was typed in and found whole: the words of one trustee."""

    place: SharePlace
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class MadeKey:
    """What a ceremony makes: the public record, and each trustee's words. Never the key itself."""

    record: CeremonyRecord
    words: list[tuple[str, ...]]


def make_key(names: Sequence[str], *, threshold: int, made_on: dt.date) -> MadeKey:
    """Make a key pair and split it: *threshold* of the named trustees open what it seals.

    The private key is forgotten when this returns. Raises NoRecord for impossible trustees.
    """
    check_trustees(names, threshold)
    private = X25519PrivateKey.generate()
    groups = generate_mnemonics(
        1,
        [(threshold, len(names))],
        private.private_bytes_raw(),
        iteration_exponent=NO_PASSPHRASE_TO_STRETCH,
    )
    words = [tuple(mnemonic.split()) for mnemonic in groups[0]]
    salt = os.urandom(SALT_BYTES)
    record = CeremonyRecord(
        public_key=private.public_key().public_bytes_raw(),
        threshold=threshold,
        identifier=Share.from_mnemonic(groups[0][0]).identifier,
        salt=salt,
        made_on=made_on,
        places=tuple(
            SharePlace(number=number, name=name, fingerprint=fingerprint(share, salt))
            for number, (name, share) in enumerate(zip(names, words, strict=True), start=1)
        ),
    )
    return MadeKey(record=record, words=words)


def fingerprint(words: Sequence[str], salt: bytes) -> bytes:
    """Tells a share from any other, and helps nobody to guess it: scrypt (RFC 7914), 16 bytes.

    A whole share has 256 random bits; for one of which some words were seen, each guess at the
    rest costs 32 MiB and a tenth of a second.
    """
    secret = " ".join(words).encode()
    return hashlib.scrypt(
        secret, salt=salt, n=2**15, r=8, p=1, maxmem=2**26, dklen=FINGERPRINT_BYTES
    )


def read_words(text: str, place: SharePlace, *, first: int = 1) -> list[str]:
    """The words of the list in *text*, which may bear numbers, commas, or only four letters each.

    *first* is the number of the first of them on the sheet. Raises ShareProblem.
    """
    given = [word for word in re.split(r"[\s,.;]+", text.lower()) if word and not word.isdigit()]
    for number, word in enumerate(given, start=first):
        if not BY_PREFIX.get(word[:PREFIX], "").startswith(word):
            raise ShareProblem("wrong-word", place, word=number)
    return [BY_PREFIX[word[:PREFIX]] for word in given]


def typed_share(record: CeremonyRecord, place: SharePlace, words: Sequence[str]) -> TypedShare:
    """The share of the trustee at *place*, if that is what *words* are. Raises ShareProblem."""
    if len(words) != WORDS:
        raise ShareProblem("wrong-length", place, words=len(words), needed=WORDS)
    try:
        share = Share.from_mnemonic(" ".join(words))
    except MnemonicError:
        raise ShareProblem("wrong-checksum", place) from None
    if share.identifier != record.identifier:
        raise ShareProblem("other-ceremony", place)
    if share.index + 1 != place.number:
        raise ShareProblem("other-share", place, found=share.index + 1)
    if not hmac.compare_digest(fingerprint(words, record.salt), place.fingerprint):
        raise ShareProblem("altered", place)
    return TypedShare(place=place, words=tuple(words))


def private_key_of(record: CeremonyRecord, shares: Sequence[TypedShare]) -> X25519PrivateKey:
    """The private key, from as many shares as are needed; more are not looked at.

    Raises ShareProblem for a share given twice, for too few, or if they give another key.
    """
    for number, share in enumerate(shares):
        if share.place in [other.place for other in shares[:number]]:
            raise ShareProblem("duplicate", share.place)
    if len(shares) < record.threshold:
        raise ShareProblem("too-few", None, given=len(shares), needed=record.threshold)
    chosen = [" ".join(share.words) for share in shares[: record.threshold]]
    try:
        private = X25519PrivateKey.from_private_bytes(combine_mnemonics(chosen))
    except (MnemonicError, ValueError):
        raise ShareProblem("wrong-key", None) from None
    if private.public_key().public_bytes_raw() != record.public_key:
        raise ShareProblem("wrong-key", None)
    return private
