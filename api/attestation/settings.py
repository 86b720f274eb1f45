"""What can be configured of platforms that vouch for phones; `.env.example` explains each name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mvote.polls.integrity.app_attest import AAGUIDS, Environment
from mvote.polls.integrity.play_integrity import DEVICE_VERDICTS, ENOUGH


@dataclass(frozen=True, kw_only=True, repr=False)
class AttestationSettings:
    """Nothing of it is needed. Has no repr: a decryption key is a secret."""

    #: Apple's root certificate (PEM), fetched by the operator
    apple_root: Path | None = None
    apple_environment: Environment = "production"
    #: as Google's console shows them, for tokens that are opened here
    play_decryption_key: str = ""
    play_verification_key: str = ""
    #: a file, for tokens that Google's server opens
    play_service_account: Path | None = None
    play_device_verdict: str = ENOUGH
    play_licensed: bool = False


def read_attestation(values: Mapping[str, str], *, is_production: bool) -> AttestationSettings:
    """What *values* say of attestation. Raises ValueError with what is wrong."""
    settings = AttestationSettings(
        apple_root=_path(values, "APPLE_ATTEST_ROOT"),
        apple_environment=_apple_environment(values, is_production=is_production),
        play_decryption_key=values.get("PLAY_INTEGRITY_DECRYPTION_KEY", ""),
        play_verification_key=values.get("PLAY_INTEGRITY_VERIFICATION_KEY", ""),
        play_service_account=_path(values, "PLAY_INTEGRITY_SERVICE_ACCOUNT"),
        play_device_verdict=_verdict(values),
        play_licensed=_is_on(values, "PLAY_INTEGRITY_LICENSED"),
    )
    _check_together(settings, values)
    return settings


def _check_together(settings: AttestationSettings, values: Mapping[str, str]) -> None:
    if settings.apple_root and not values.get("APPLE_APP_IDS"):
        raise ValueError("APPLE_ATTEST_ROOT needs APPLE_APP_IDS")
    own = (settings.play_decryption_key, settings.play_verification_key)
    if any(own) and not all(own):
        raise ValueError(
            "PLAY_INTEGRITY_DECRYPTION_KEY and PLAY_INTEGRITY_VERIFICATION_KEY go together"
        )
    if any(own) and settings.play_service_account:
        raise ValueError("Play Integrity's tokens are opened by own keys or by Google, not by both")
    needed = ("ANDROID_APP_PACKAGE", "ANDROID_APP_CERT_SHA256")
    if (any(own) or settings.play_service_account) and not all(map(values.get, needed)):
        raise ValueError(f"PLAY_INTEGRITY_… needs {' and '.join(needed)}")


def _apple_environment(values: Mapping[str, str], *, is_production: bool) -> Environment:
    given = values.get("APPLE_ATTEST_ENVIRONMENT") or "production"
    for environment in AAGUIDS:
        if given == environment:
            if is_production and environment != "production":
                raise ValueError("production takes no keys of apps that are being developed")
            return environment
    raise ValueError(f"APPLE_ATTEST_ENVIRONMENT is one of {', '.join(AAGUIDS)}")


def _verdict(values: Mapping[str, str]) -> str:
    verdict = values.get("PLAY_INTEGRITY_DEVICE_VERDICT") or ENOUGH
    if verdict not in DEVICE_VERDICTS:
        raise ValueError(f"PLAY_INTEGRITY_DEVICE_VERDICT is one of {', '.join(DEVICE_VERDICTS)}")
    return verdict


def _is_on(values: Mapping[str, str], name: str) -> bool:
    given = values.get(name) or "off"
    if given not in ("on", "off"):
        raise ValueError(f"{name} is on or off")
    return given == "on"


def _path(values: Mapping[str, str], name: str) -> Path | None:
    return Path(values[name]) if values.get(name) else None
