"""Apple's App Attest, read as Apple documents it.

Sources: "Validating apps that connect to your server" and "Attestation Object Validation Guide"
(developer.apple.com, DeviceCheck); authenticator data as in Web Authentication, section 6.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mvote.polls.integrity.attesting import request_hash
from mvote.polls.integrity.chains import NotVouchedFor, key_of_chain
from mvote.polls.integrity.errors import AttestationInvalid
from mvote.polls.integrity.strict_cbor import Unreadable, is_map_of, read_map

Environment = Literal["development", "production"]
AAGUIDS: dict[Environment, bytes] = {
    "development": b"appattestdevelop",
    "production": b"appattest" + bytes(7),
}
FORMAT = "apple-appattest"
NONCE_OID = x509.ObjectIdentifier("1.2.840.113635.100.8.2")
NONCE_DER = bytes.fromhex("3024a1220420")
"""SEQUENCE { [1] { OCTET STRING of 32 bytes } }: what stands before the nonce in the extension."""
LONGEST_ATTESTATION = 12_000
LONGEST_ASSERTION = 256
CREDENTIAL_INCLUDED = 0x40
ASSERTED_BYTES = 37


@dataclass(frozen=True, kw_only=True)
class AppAttestRules:
    """Whose word counts, for which apps."""

    #: "<team id>.<bundle id>"
    app_ids: tuple[str, ...]
    roots: tuple[x509.Certificate, ...]
    environment: Environment


@dataclass(frozen=True, kw_only=True)
class _Authenticator:
    """The head that authenticator data begins with, and what follows it."""

    rp_id_hash: bytes
    flags: int
    counter: int
    rest: bytes


def attested_key(
    rules: AppAttestRules, *, key: bytes, statement: bytes, attestation: bytes, now: datetime
) -> bytes:
    """The public key (uncompressed point, 65 bytes) that Apple vouches for as *key*.

    *key*: 32 bytes, SHA-256 of that point. *statement*: what the app had attested. Raises
    AttestationInvalid.
    """
    types = {"fmt": str, "attStmt": dict, "authData": bytes}
    found = _read(attestation, types, LONGEST_ATTESTATION)
    stated, data = found["attStmt"], found["authData"]
    if found["fmt"] != FORMAT or not is_map_of(stated, {"x5c": list, "receipt": bytes}):
        raise AttestationInvalid("format")
    try:
        leaf, public = key_of_chain(stated["x5c"], roots=rules.roots, now=now)
    except NotVouchedFor as fault:
        raise AttestationInvalid(f"chain-{fault}") from None
    _check_nonce(leaf, data, statement)
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if hashlib.sha256(point).digest() != key:
        raise AttestationInvalid("key")
    _check_credential(rules, data, key)
    return point


def asserted_counter(
    rules: AppAttestRules, *, point: bytes, statement: bytes, assertion: bytes
) -> int:
    """The counter of an assertion that the key *point* made of *statement*.

    That it has grown is for whoever keeps it to see to. Raises AttestationInvalid.
    """
    types = {"signature": bytes, "authenticatorData": bytes}
    found = _read(assertion, types, LONGEST_ASSERTION)
    data = found["authenticatorData"]
    if len(data) != ASSERTED_BYTES:
        raise AttestationInvalid("form")
    head = _head(data)
    _check_app(rules, head)
    signed = hashlib.sha256(data + request_hash(statement)).digest()
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    try:
        public.verify(found["signature"], signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise AttestationInvalid("signature") from None
    if head.counter < 1:
        raise AttestationInvalid("counter")
    return head.counter


def _read(content: bytes, types: Mapping[str, type], longest: int) -> dict[str, Any]:
    try:
        return read_map(content, types, longest=longest)
    except Unreadable:
        raise AttestationInvalid("form") from None


def _check_nonce(leaf: x509.Certificate, data: bytes, statement: bytes) -> None:
    """The leaf was made for this very statement."""
    expected = NONCE_DER + hashlib.sha256(data + request_hash(statement)).digest()
    try:
        extension = leaf.extensions.get_extension_for_oid(NONCE_OID).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        raise AttestationInvalid("nonce") from None
    if not isinstance(extension, x509.UnrecognizedExtension) or extension.value != expected:
        raise AttestationInvalid("nonce")


def _check_credential(rules: AppAttestRules, data: bytes, key: bytes) -> None:
    """The authenticator data are of our app and of this new key, made where they should be."""
    head = _head(data)
    _check_app(rules, head)
    if head.counter != 0:
        raise AttestationInvalid("counter")
    aaguid, length, credential = head.rest[:16], head.rest[16:18], head.rest[18:50]
    if not head.flags & CREDENTIAL_INCLUDED or aaguid != AAGUIDS[rules.environment]:
        raise AttestationInvalid("environment")
    if length != len(key).to_bytes(2, "big") or credential != key:
        raise AttestationInvalid("credential")


def _check_app(rules: AppAttestRules, head: _Authenticator) -> None:
    hashes = {hashlib.sha256(app_id.encode()).digest() for app_id in rules.app_ids}
    if head.rp_id_hash not in hashes:
        raise AttestationInvalid("app")


def _head(data: bytes) -> _Authenticator:
    if len(data) < ASSERTED_BYTES:
        raise AttestationInvalid("form")
    return _Authenticator(
        rp_id_hash=data[:32],
        flags=data[32],
        counter=int.from_bytes(data[33:37], "big"),
        rest=data[37:],
    )
