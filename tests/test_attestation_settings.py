"""Which platforms vouch for phones is configured, checked at the start, and told to nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from api.attestation.attestors import attestors_of, development_attestor
from api.holders import open_keystore
from api.settings import Misconfigured, Settings, read_settings
from mvote.ballotbox.keystore import DirectoryKeystore
from mvote.polls.integrity.development import DEVELOPMENT_KEY
from tests.support.made_up_apple import APP_ID, Apple
from tests.support.made_up_google import PACKAGE, Google
from tests.test_asking_google import key_file
from tests.test_settings import PRODUCTION

GOOGLE = Google()
DIGEST = ":".join(["AB"] * 32)
ANDROID = {"ANDROID_APP_PACKAGE": PACKAGE, "ANDROID_APP_CERT_SHA256": DIGEST}
OWN_KEYS = {
    "PLAY_INTEGRITY_DECRYPTION_KEY": GOOGLE.decryption,
    "PLAY_INTEGRITY_VERIFICATION_KEY": GOOGLE.verification,
}


@pytest.fixture
def root(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "root.pem"
    path.write_bytes(Apple().root.certificate.public_bytes(Encoding.PEM))
    return {"APPLE_ATTEST_ROOT": str(path), "APPLE_APP_IDS": APP_ID}


@pytest.fixture
def keystore(settings: Settings) -> DirectoryKeystore:
    return open_keystore(settings, "api")


def read(tmp_path: Path, **given: str) -> Settings:
    return read_settings({"MVOTE_ENV": "test", "VAR_DIR": str(tmp_path)} | given)


def platforms(settings: Settings, keystore: DirectoryKeystore) -> tuple[str, ...]:
    return attestors_of(settings, keystore).platforms


def test_each_platform_is_there_once_it_is_configured(
    tmp_path: Path, root: dict[str, str], keystore: DirectoryKeystore
) -> None:
    assert platforms(read(tmp_path), keystore) == ("development",)
    whole = read(tmp_path, **root, **ANDROID, **OWN_KEYS)
    assert platforms(whole, keystore) == ("app-attest", "development", "play-integrity")
    account = tmp_path / "account.json"
    account.write_bytes(key_file("https://oauth2.example"))
    by_google = read(tmp_path, **ANDROID, PLAY_INTEGRITY_SERVICE_ACCOUNT=str(account))
    assert platforms(by_google, keystore) == ("development", "play-integrity")


def test_nobody_vouches_by_a_key_of_development_in_production(
    settings: Settings, keystore: DirectoryKeystore
) -> None:
    production = replace(settings, environment="production")
    assert platforms(production, keystore) == ()
    with pytest.raises(ValueError, match="in production"):
        development_attestor(production, keystore)


def test_production_makes_no_key_of_development(tmp_path: Path, settings: Settings) -> None:
    production = replace(settings, environment="production", keystore=tmp_path / "keys")
    keystore = open_keystore(
        replace(production, environment="test", keystore=tmp_path / "keys"), "api"
    )
    attestors_of(production, keystore)
    assert not keystore.has(DEVELOPMENT_KEY)


@pytest.mark.parametrize(
    "given",
    [
        {"APPLE_ATTEST_ROOT": "/root.pem"},
        {"APPLE_ATTEST_ENVIRONMENT": "staging"},
        {"PLAY_INTEGRITY_DECRYPTION_KEY": GOOGLE.decryption, **ANDROID},
        {"PLAY_INTEGRITY_VERIFICATION_KEY": GOOGLE.verification, **ANDROID},
        {**OWN_KEYS, **ANDROID, "PLAY_INTEGRITY_SERVICE_ACCOUNT": "/account.json"},
        OWN_KEYS,
        {**OWN_KEYS, "ANDROID_APP_PACKAGE": PACKAGE},
        {"PLAY_INTEGRITY_SERVICE_ACCOUNT": "/account.json"},
        {"PLAY_INTEGRITY_DEVICE_VERDICT": "MEETS_NOTHING"},
        {"PLAY_INTEGRITY_LICENSED": "yes"},
    ],
    ids=range(10),
)
def test_settings_that_do_not_go_together_are_said_at_once(
    tmp_path: Path, given: dict[str, str]
) -> None:
    with pytest.raises(Misconfigured):
        read(tmp_path, **given)


def test_keys_and_files_that_are_none_are_said_at_once(
    tmp_path: Path, keystore: DirectoryKeystore
) -> None:
    no_file, broken = tmp_path / "missing", tmp_path / "broken"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    wrong = [
        {"APPLE_APP_IDS": APP_ID, "APPLE_ATTEST_ROOT": str(no_file)},
        {"APPLE_APP_IDS": APP_ID, "APPLE_ATTEST_ROOT": str(broken)},
        {**ANDROID, "PLAY_INTEGRITY_SERVICE_ACCOUNT": str(no_file)},
        {**ANDROID, "PLAY_INTEGRITY_SERVICE_ACCOUNT": str(broken)},
        {**ANDROID, **OWN_KEYS, "PLAY_INTEGRITY_DECRYPTION_KEY": "AAAA"},
        {**ANDROID, **OWN_KEYS, "PLAY_INTEGRITY_VERIFICATION_KEY": "?"},
        {**ANDROID, **OWN_KEYS, "ANDROID_APP_CERT_SHA256": "AB:CD"},
    ]
    for given in wrong:
        with pytest.raises(Misconfigured):
            attestors_of(read(tmp_path, **given), keystore)


def test_production_takes_no_keys_of_apps_that_are_being_developed() -> None:
    with pytest.raises(Misconfigured, match="being developed"):
        read_settings(PRODUCTION | {"APPLE_ATTEST_ENVIRONMENT": "development"})


def test_no_secret_shows_where_settings_are_printed(tmp_path: Path) -> None:
    assert GOOGLE.decryption not in repr(read(tmp_path, **ANDROID, **OWN_KEYS))
