"""Certificates of an authority of the test's own, for servers on loopback."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mvote.base import utc_now

LOOPBACK = "127.0.0.1"
DAY = dt.timedelta(days=1)


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


AUTHORITY = _named("An authority of our own")


@dataclass
class Authority:
    """A certificate authority that nobody knows who was not told."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=_new_key)

    @property
    def file(self) -> Path:
        """Its own certificate, as `SSL_CERT_FILE` and `GIT_SSL_CAINFO` want it."""
        path = self.folder / "authority.pem"
        usage = x509.BasicConstraints(ca=True, path_length=0)
        made = self._begun(AUTHORITY, self.key, ends=DAY).add_extension(usage, critical=True)
        path.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        return path

    def server(self, address: str = LOOPBACK, *, ends: dt.timedelta = DAY) -> ssl.SSLContext:
        """What a server at *address* shows, valid until *ends* from now."""
        key, path = _new_key(), self.folder / "server.pem"
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        made = self._begun(_named(address), key, ends=ends).add_extension(names, critical=False)
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _begun(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ends: dt.timedelta
    ) -> x509.CertificateBuilder:
        now = utc_now()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(AUTHORITY)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + ends)
        )
