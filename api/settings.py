"""What can be configured, read once from the environment. `.env.example` explains each name."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from click import ClickException

from api.attestation.settings import AttestationSettings, read_attestation
from mvote.languages import languages
from mvote.people.attributes import NAMES

ROOT = Path(__file__).resolve().parent.parent
Environment = Literal["development", "production", "test"]


class Misconfigured(ClickException):
    """The environment does not say what it must; the message says what is missing.

    A command then ends with that message; in other processes it is an error like any other.
    """


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, with the defaults of a development machine."""

    environment: Environment = "development"
    #: SQLAlchemy URLs, one login each: the owner migrates, the api serves, and so on
    owner_url: str = ""
    api_url: str = ""
    shuffler_url: str = ""
    counter_url: str = ""
    auditor_url: str = ""
    var: Path = ROOT / "var"
    keystore: Path = ROOT / "var" / "keys"
    #: base64 of 32 bytes for each holder; empty in development: a file beside the keys
    master_keys: Mapping[str, str]
    #: the ones before, while `keys rewrap` is under way
    old_master_keys: Mapping[str, str] = field(default_factory=dict)
    #: a second place for every key, on another disk; the folder must be there
    keystore_copy: Path | None = None
    #: how long after publication the sealed ballots can still be opened
    appeal_days: int = 30
    #: how long after closing it can be told who took part
    retention_days: int = 365
    public_url: str = "http://127.0.0.1:8000"
    city_time_zone: str = "Asia/Seoul"
    #: who asks for no language that we speak is answered in this one
    city_language: str = "ko"
    phone_region: str = "KR"
    citizen_polls_per_week: int = 3
    #: so many people who report a citizen's poll hold it back until an officer has looked
    reports_to_hold: int = 5
    #: a hold that no officer has looked at ends after so long
    hold_hours: int = 72
    #: text messages with invitations that the worker sends
    invitations_per_second: int = 10
    trusted_proxies: int = 0
    #: that one process works at; who comes beyond is told to come again
    requests_at_once: int = 64
    #: that one request may take to allocate money; commands take as many as they need
    allocation_steps: int = 300_000
    #: serve /metrics; in production only where it is asked for
    metrics: bool = True
    sms_gateway_url: str = ""
    sms_gateway_secret: str = ""
    #: each "<vkey> <address>": who cosigns the city's log, and how they are reached
    witnesses: tuple[str, ...] = ()
    #: who vouches for identities (OpenID Connect): issuer, our client id there, and its keys
    identity_issuer: str = ""
    identity_audience: str = ""
    identity_jwks: str = ""
    #: an attribute of ours and the claim that tells it
    identity_claims: tuple[tuple[str, str], ...] = ()
    identity_acr: tuple[str, ...] = ()
    apple_app_ids: tuple[str, ...] = ()
    android_app_package: str = ""
    android_app_cert_sha256: tuple[str, ...] = ()
    #: which platforms vouch for phones
    attestation: AttestationSettings = field(default_factory=AttestationSettings)

    @property
    def host(self) -> str:
        """The public host (and port), as it stands in receipts and origins of logs."""
        return self.public_url.split("://", 1)[1].rstrip("/")


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises Misconfigured."""
    given = dict(os.environ if environ is None else environ)
    var = Path(given.get("VAR_DIR") or ROOT / "var")
    values = _running_port(var) | _with_private_cluster(given, var)
    environment = _environment(values)
    settings = Settings(
        environment=environment,
        owner_url=_driver(values.get("DATABASE_URL", "")),
        api_url=_driver(values.get("API_DATABASE_URL", "")),
        shuffler_url=_driver(values.get("SHUFFLER_DATABASE_URL", "")),
        counter_url=_driver(values.get("COUNTER_DATABASE_URL", "")),
        auditor_url=_driver(values.get("AUDITOR_DATABASE_URL", "")),
        var=var,
        keystore=Path(values.get("KEYSTORE_DIR") or var / "keys"),
        master_keys=_master_keys(values),
        old_master_keys=_master_keys(values, suffix="_OLD"),
        keystore_copy=_folder(values.get("KEYSTORE_COPY_DIR")),
        appeal_days=_number(values, "APPEAL_DAYS", 30),
        retention_days=_number(values, "RETENTION_DAYS", 365),
        public_url=_public_url(values),
        city_time_zone=values.get("CITY_TIME_ZONE") or "Asia/Seoul",
        city_language=_language(values),
        phone_region=values.get("PHONE_REGION") or "KR",
        citizen_polls_per_week=_number(values, "CITIZEN_POLLS_PER_WEEK", 3),
        reports_to_hold=max(1, _number(values, "REPORTS_TO_HOLD", 5)),
        hold_hours=max(1, _number(values, "HOLD_HOURS", 72)),
        invitations_per_second=max(1, _number(values, "INVITATIONS_PER_SECOND", 10)),
        trusted_proxies=_number(values, "TRUSTED_PROXIES", 0),
        requests_at_once=_number(values, "REQUESTS_AT_ONCE", 64),
        allocation_steps=_number(values, "ALLOCATION_STEPS", 300_000),
        metrics=_switch(values, "METRICS", default=environment != "production"),
        sms_gateway_url=values.get("SMS_GATEWAY_URL", ""),
        sms_gateway_secret=values.get("SMS_GATEWAY_SECRET", ""),
        witnesses=_lines(values.get("WITNESSES", "")),
        identity_issuer=values.get("IDENTITY_ISSUER", ""),
        identity_audience=values.get("IDENTITY_AUDIENCE", ""),
        identity_jwks=values.get("IDENTITY_JWKS", ""),
        identity_claims=_pairs(values, "IDENTITY_CLAIMS"),
        identity_acr=_listed(values.get("IDENTITY_ACR", "")),
        apple_app_ids=_listed(values.get("APPLE_APP_IDS", "")),
        android_app_package=values.get("ANDROID_APP_PACKAGE", ""),
        android_app_cert_sha256=_listed(values.get("ANDROID_APP_CERT_SHA256", "")),
        attestation=_attestation(values, environment),
    )
    _check_keys(settings)
    _check_identity(settings)
    _check_production(settings)
    return settings


def _with_private_cluster(given: dict[str, str], var: Path) -> dict[str, str]:
    """The environment over what set-up left in `var/`: logins for the given database, or all."""
    url = given.get("DATABASE_URL", "")
    found = _urls_in(var / ("roles.env" if url else "cluster.env"))
    if url and _place(found.get("DATABASE_URL", "")) != _place(url):
        found = {}  # logins of another server
    return found | {key: value for key, value in given.items() if value}


def _running_port(var: Path) -> dict[str, str]:
    """The port of the `make run` that uses this folder: tokens that commands print are for it."""
    try:
        note = json.loads((var / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {"PORT": str(note["port"])} if isinstance(note, dict) and "port" in note else {}


def _urls_in(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.partition("=") for line in lines)
    return {key: value for key, _, value in pairs if key.endswith("DATABASE_URL")}


def _place(url: str) -> tuple[str, str, str]:
    """Server, database and socket of a URL, whoever logs in."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2], parts.path, parts.query


def _environment(values: Mapping[str, str]) -> Environment:
    match values.get("MVOTE_ENV", "development"):
        case "development" | "production" | "test" as name:
            return name
        case other:
            raise Misconfigured(f"MVOTE_ENV is development, production or test, not {other!r}")


def _driver(url: str) -> str:
    """The URL with the driver's name that SQLAlchemy wants."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def _public_url(values: Mapping[str, str]) -> str:
    default = f"http://127.0.0.1:{values.get('PORT') or 8000}"
    url = (values.get("PUBLIC_URL") or default).rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise Misconfigured("PUBLIC_URL begins with https:// (or http:// in development)")
    return url


def _language(values: Mapping[str, str]) -> str:
    language = values.get("CITY_LANGUAGE") or "ko"
    if language not in languages():
        raise Misconfigured(f"CITY_LANGUAGE is one of {', '.join(languages())}, not {language!r}")
    return language


def _number(values: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(values.get(name) or default)
    except ValueError:
        raise Misconfigured(f"{name} is a whole number") from None


def _switch(values: Mapping[str, str], name: str, *, default: bool) -> bool:
    match values.get(name):
        case None | "":
            return default
        case "on" | "off" as said:
            return said == "on"
        case _:
            raise Misconfigured(f"{name} is on or off")


def _lines(value: str) -> tuple[str, ...]:
    """What stands in lines or between semicolons, each with single spaces."""
    lines = value.replace(";", "\n").splitlines()
    return tuple(" ".join(line.split()) for line in lines if line.strip())


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _pairs(values: Mapping[str, str], name: str) -> tuple[tuple[str, str], ...]:
    """`a=b, c=d` as pairs."""
    pairs = [part.partition("=") for part in _listed(values.get(name, ""))]
    if not all(left.strip() and right.strip() for left, _, right in pairs):
        raise Misconfigured(f"{name} is a list of attribute=claim")
    return tuple((left.strip(), right.strip()) for left, _, right in pairs)


def _master_keys(values: Mapping[str, str], suffix: str = "") -> dict[str, str]:
    holders = ("api", "shuffler", "counter", "auditor")
    return {holder: values.get(f"{holder.upper()}_MASTER_KEY{suffix}", "") for holder in holders}


def _folder(given: str | None) -> Path | None:
    return Path(given) if given else None


def _attestation(values: Mapping[str, str], environment: Environment) -> AttestationSettings:
    try:
        return read_attestation(values, is_production=environment == "production")
    except ValueError as error:
        raise Misconfigured(str(error)) from None


def _check_keys(settings: Settings) -> None:
    copy = settings.keystore_copy
    if copy and copy.resolve() == settings.keystore.resolve():
        raise Misconfigured("KEYSTORE_COPY_DIR is KEYSTORE_DIR: that is no second copy")
    if min(settings.appeal_days, settings.retention_days) < 0:
        raise Misconfigured("APPEAL_DAYS and RETENTION_DAYS are not negative")


def _check_identity(settings: Settings) -> None:
    named = (settings.identity_issuer, settings.identity_audience, settings.identity_jwks)
    if any(named) and not all(named):
        raise Misconfigured("IDENTITY_ISSUER, IDENTITY_AUDIENCE and IDENTITY_JWKS go together")
    if settings.environment == "production" and any(named) and not settings.identity_acr:
        raise Misconfigured("production needs IDENTITY_ACR; * if the provider verifies everybody")
    if unknown := {name for name, _ in settings.identity_claims} - set(NAMES):
        raise Misconfigured(f"IDENTITY_CLAIMS names no attribute: {', '.join(sorted(unknown))}")
    if settings.environment == "production" and settings.identity_jwks.startswith("http://"):
        raise Misconfigured("production needs IDENTITY_JWKS with https://, or a file")


def _check_production(settings: Settings) -> None:
    if settings.environment != "production":
        return
    if not any(settings.master_keys.values()):
        raise Misconfigured("production needs a master key: set API_MASTER_KEY (see .env.example)")
    if not (settings.sms_gateway_url and settings.sms_gateway_secret):
        raise Misconfigured("production needs SMS_GATEWAY_URL and SMS_GATEWAY_SECRET")
    if not settings.public_url.startswith("https://"):
        raise Misconfigured("production needs PUBLIC_URL with https://")
