"""Chains of certificates (RFC 5280) from strangers, up to roots of the operator's own choice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification

LONGEST_CERTIFICATE = 4096
MOST_BETWEEN = 2
"""Authorities between the root and the leaf; Apple has one."""


class NotVouchedFor(ValueError):
    """No chain from the leaf to a root that counts."""


def key_of_chain(
    chain: Sequence[bytes], *, roots: Sequence[x509.Certificate], now: dt.datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePublicKey]:
    """The leaf of *chain* (DER, the leaf first) and its P-256 key. Raises NotVouchedFor.

    Every certificate is in its time of validity; all but the leaf are authorities' and may sign
    certificates (basic constraints, path length, key usage); nothing critical is unknown.
    """
    leaf, between = _read(chain)
    policy = (
        verification.PolicyBuilder()
        .store(verification.Store(list(roots)))
        .time(now.astimezone(dt.UTC).replace(tzinfo=None))
        .max_chain_depth(MOST_BETWEEN)
        .extension_policies(ca_policy=_OF_AUTHORITIES, ee_policy=_OF_LEAVES)
    )
    try:
        policy.build_client_verifier().verify(leaf, between)
        key = leaf.public_key()
    except (verification.VerificationError, ValueError, TypeError, x509.ExtensionNotFound):
        raise NotVouchedFor("chain") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise NotVouchedFor("curve")
    return leaf, key


def _read(chain: Sequence[bytes]) -> tuple[x509.Certificate, list[x509.Certificate]]:
    is_of_bytes = all(type(each) is bytes and len(each) <= LONGEST_CERTIFICATE for each in chain)
    if not is_of_bytes or not 2 <= len(chain) <= 1 + MOST_BETWEEN:
        raise NotVouchedFor("shape")
    try:
        leaf, *between = (x509.load_der_x509_certificate(each) for each in chain)
    except ValueError:
        raise NotVouchedFor("certificate") from None
    return leaf, between


def _is_no_authority(
    _: verification.Policy, __: x509.Certificate, found: x509.BasicConstraints | None
) -> None:
    if found is not None and found.ca:
        raise ValueError("an authority is no leaf")


def _may_sign_data(
    _: verification.Policy, __: x509.Certificate, found: x509.KeyUsage | None
) -> None:
    if found is not None and not found.digital_signature:
        raise ValueError("this key signs no data")


def _is_authority(
    _: verification.Policy, __: x509.Certificate, found: x509.BasicConstraints
) -> None:
    if not found.ca:
        raise ValueError("only authorities sign certificates")


def _may_sign_certificates(
    _: verification.Policy, __: x509.Certificate, found: x509.KeyUsage
) -> None:
    if not found.key_cert_sign:
        raise ValueError("this key signs no certificates")


_CRITICAL, _ANY = verification.Criticality.CRITICAL, verification.Criticality.AGNOSTIC
_OF_LEAVES = (
    verification.ExtensionPolicy.permit_all()
    .may_be_present(x509.BasicConstraints, _ANY, _is_no_authority)
    .may_be_present(x509.KeyUsage, _ANY, _may_sign_data)
)
_OF_AUTHORITIES = (
    verification.ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, _CRITICAL, _is_authority)
    .require_present(x509.KeyUsage, _ANY, _may_sign_certificates)
)
