"""A made-up Apple: a root, an authority below it, phones with keys, and every way to forge."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mvote.base import utc_now
from mvote.polls.integrity.app_attest import AAGUIDS, NONCE_DER, NONCE_OID, AppAttestRules
from mvote.polls.integrity.attesting import request_hash, spelt

APP_ID = "1A2B3C4D5E.kr.example.mvote"
DAY = dt.timedelta(days=1)
PrivateKey = ec.EllipticCurvePrivateKey


def usage(**allowed: bool) -> x509.KeyUsage:
    """A key usage with only what is *allowed*."""
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
        " key_cert_sign crl_sign encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names.split()})


@dataclass(frozen=True, kw_only=True)
class Issuing:
    """How a certificate is made; each member can be forged."""

    ca: bool = True
    path_length: int | None = None
    begins: dt.timedelta = -DAY
    ends: dt.timedelta = 365 * DAY
    may_sign_certificates: bool = True
    without_constraints: bool = False


@dataclass
class Authority:
    """A name with a key and a certificate."""

    name: x509.Name
    key: PrivateKey
    certificate: x509.Certificate


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def begun(name: x509.Name, key: Any, issuer: x509.Name, how: Issuing) -> x509.CertificateBuilder:
    """A certificate without its extensions."""
    now = utc_now()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + how.begins)
        .not_valid_after(now + how.ends)
    )


def authority(text: str, issuer: Authority | None = None, how: Issuing = Issuing()) -> Authority:
    """An authority below *issuer*; without one it signs itself."""
    key, name = ec.generate_private_key(ec.SECP384R1()), _name(text)
    by = issuer or Authority(name, key, None)  # type: ignore[arg-type]
    made = begun(name, key, by.name, how).add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    if not how.without_constraints:
        constraints = x509.BasicConstraints(ca=how.ca, path_length=how.path_length)
        made = made.add_extension(constraints, critical=True)
    allowed = {"key_cert_sign": how.may_sign_certificates, "crl_sign": True}
    made = made.add_extension(usage(**allowed), critical=True)
    return Authority(name, key, made.sign(by.key, SHA384()))


@dataclass
class Apple:
    """Vouches for keys of phones."""

    root: Authority = field(default_factory=lambda: authority("Made-up root"))
    between: Authority = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.between = self.between or authority("Made-up CA 1", self.root, Issuing(path_length=0))

    def rules(self, **changed: Any) -> AppAttestRules:
        """What a city configures that believes this Apple."""
        given = {
            "app_ids": (APP_ID,),
            "roots": (self.root.certificate,),
            "environment": "development",
        }
        return AppAttestRules(**(given | changed))


@dataclass(frozen=True, kw_only=True)
class Forging:
    """What an attestation object says; each member can be forged alone."""

    app_id: str = APP_ID
    fmt: str = "apple-appattest"
    counter: int = 0
    flags: int = 0x40
    aaguid: bytes = AAGUIDS["development"]
    #: instead of the key's own
    credential: bytes | None = None
    nonce: bytes | None = None
    nonce_prefix: bytes = NONCE_DER
    without_nonce: bool = False
    leaf: Issuing = Issuing(ca=False)
    leaf_may_sign: bool = True
    #: more that the leaf says, which nobody knows
    critical: str | None = None
    signer: Authority | None = None
    chain: tuple[bytes, ...] | None = None
    tail: bytes = b""
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class Phone:
    """A phone with one key in its secure enclave."""

    apple: Apple
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    counter: int = 0

    @property
    def point(self) -> bytes:
        point: bytes = self.key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        return point

    @property
    def key_hash(self) -> bytes:
        return hashlib.sha256(self.point).digest()

    @property
    def key_id(self) -> str:
        return spelt(self.key_hash)

    def attested(self, statement: bytes, how: Forging = Forging()) -> bytes:
        """The attestation object that `attestKey` gives."""
        data = self._credential_data(how)
        nonce = how.nonce or hashlib.sha256(data + request_hash(statement)).digest()
        chain = how.chain or (
            self._leaf(nonce, how).public_bytes(Encoding.DER),
            self.apple.between.certificate.public_bytes(Encoding.DER),
        )
        stated = {"x5c": list(chain), "receipt": b"receipt" * 100}
        return cbor2.dumps({"fmt": how.fmt, "attStmt": stated, "authData": data} | how.more)

    def asserted(
        self,
        statement: bytes,
        *,
        app_id: str = APP_ID,
        counter: int | None = None,
        key: Any = None,
        tail: bytes = b"",
    ) -> bytes:
        """What `generateAssertion` gives; the phone counts."""
        self.counter += 1
        number = self.counter if counter is None else counter
        data = hashlib.sha256(app_id.encode()).digest() + b"\x40" + number.to_bytes(4, "big") + tail
        signed = hashlib.sha256(data + request_hash(statement)).digest()
        signature = (key or self.key).sign(signed, ec.ECDSA(SHA256()))
        return cbor2.dumps({"signature": signature, "authenticatorData": data})

    def _credential_data(self, how: Forging) -> bytes:
        credential = self.key_hash if how.credential is None else how.credential
        cose = {1: 2, 3: -7, -1: 1, -2: self.point[1:33], -3: self.point[33:]}
        return (
            hashlib.sha256(how.app_id.encode()).digest()
            + bytes([how.flags])
            + how.counter.to_bytes(4, "big")
            + how.aaguid
            + len(credential).to_bytes(2, "big")
            + credential
            + cbor2.dumps(cose)
            + how.tail
        )

    def _leaf(self, nonce: bytes, how: Forging) -> x509.Certificate:
        """As Apple makes them: without alternative names, with extensions nobody else knows."""
        signer = how.signer or self.apple.between
        made = begun(_name(self.key_hash.hex()), self.key, signer.name, how.leaf)
        made = made.add_extension(x509.BasicConstraints(how.leaf.ca, None), critical=True)
        allowed = {
            "digital_signature": how.leaf_may_sign,
            "content_commitment": True,
            "key_encipherment": True,
            "data_encipherment": True,
        }
        made = made.add_extension(usage(**allowed), critical=True)
        if not how.without_nonce:
            made = made.add_extension(
                x509.UnrecognizedExtension(NONCE_OID, how.nonce_prefix + nonce), critical=False
            )
        if how.critical:
            unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier(how.critical), b"\x05\x00")
            made = made.add_extension(unknown, critical=True)
        return made.sign(signer.key, SHA256())
