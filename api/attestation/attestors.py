"""The platforms that the settings name, ready to be asked."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from api.attestation.google import GoogleDecoder, read_service_account
from api.holders import made_once
from api.settings import Misconfigured, Settings
from mvote.ballotbox.keystore import DirectoryKeystore
from mvote.polls.integrity.app_attest import AppAttestRules
from mvote.polls.integrity.app_attestor import AppAttest
from mvote.polls.integrity.attesting import Attestor, Attestors
from mvote.polls.integrity.development import DEVELOPMENT_KEY, DevelopmentAttestor
from mvote.polls.integrity.devices import OWNER_KEY, Owners
from mvote.polls.integrity.play_integrity import Decoder, PlayIntegrity, PlayRules
from mvote.polls.integrity.play_tokens import LocalDecoder

CERTIFICATE_DIGEST_BYTES = 32


def owners_of(keystore: DirectoryKeystore) -> Owners:
    """What knows accounts beside their phones; its key is made at first sight."""
    made_once(keystore, OWNER_KEY)
    return Owners(keystore)


def attestors_of(settings: Settings, keystore: DirectoryKeystore) -> Attestors:
    """Who vouches for phones in this city. Raises Misconfigured for keys that are none."""
    return Attestors(_attestors(settings, keystore))


def development_attestor(settings: Settings, keystore: DirectoryKeystore) -> DevelopmentAttestor:
    """The one that signs by a key of its own. Raises ValueError in production."""
    if settings.environment == "production":
        return DevelopmentAttestor(b"", environment=settings.environment)
    secret = made_once(keystore, DEVELOPMENT_KEY)
    return DevelopmentAttestor(secret, environment=settings.environment)


def _attestors(settings: Settings, keystore: DirectoryKeystore) -> Iterator[Attestor]:
    attestation = settings.attestation
    if attestation.apple_root:
        rules = AppAttestRules(
            app_ids=settings.apple_app_ids,
            roots=_roots(attestation.apple_root),
            environment=attestation.apple_environment,
        )
        yield AppAttest(rules=rules, owners=owners_of(keystore))
    if decoder := _decoder(settings):
        yield PlayIntegrity(rules=_play_rules(settings), decoder=decoder)
    if settings.environment != "production":
        yield development_attestor(settings, keystore)


def _roots(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError):
        raise Misconfigured("APPLE_ATTEST_ROOT names a file with certificates (PEM)") from None


def _decoder(settings: Settings) -> Decoder | None:
    attestation = settings.attestation
    try:
        if attestation.play_decryption_key:
            return LocalDecoder(
                decryption=attestation.play_decryption_key,
                verification=attestation.play_verification_key,
            )
    except (ValueError, binascii.Error) as error:
        raise Misconfigured(f"PLAY_INTEGRITY_…_KEY: {error}") from None
    if attestation.play_service_account is None:
        return None
    try:
        account = read_service_account(attestation.play_service_account.read_bytes())
    except (OSError, ValueError):
        raise Misconfigured(
            "PLAY_INTEGRITY_SERVICE_ACCOUNT names the key file of a service account (JSON)"
        ) from None
    return GoogleDecoder(account, package=settings.android_app_package)


def _play_rules(settings: Settings) -> PlayRules:
    return PlayRules(
        package=settings.android_app_package,
        certificates=frozenset(map(_digest, settings.android_app_cert_sha256)),
        device_verdict=settings.attestation.play_device_verdict,
        licensed=settings.attestation.play_licensed,
    )


def _digest(given: str) -> bytes:
    """A certificate's digest as Google's console and `keytool` show it: hex with colons."""
    try:
        digest = bytes.fromhex(given.replace(":", ""))
    except ValueError:
        digest = b""
    if len(digest) != CERTIFICATE_DIGEST_BYTES:
        raise Misconfigured("ANDROID_APP_CERT_SHA256 lists SHA-256 digests in hex")
    return digest
