"""Tokens of Play Integrity, opened by Google's server: one call for each, which may take a while.

Few calls are under way at a time, none for long. Whoever finds no place, or Google away, is told
so: nothing was recorded, and other ballots are not held up.

Sources: "Decode the integrity token" of Play Integrity's documentation; OAuth 2.0 for service
accounts with a signed JWT (RFC 7523).
"""

from __future__ import annotations

import http.client
import logging
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from api.redirects import NoRedirects
from api.turns import Turns
from mvote.errors import Overloaded
from mvote.polls.integrity.attesting import LONGEST_TOKEN
from mvote.polls.integrity.errors import AttestationInvalid, AttestorAway

SERVER = "https://playintegrity.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/playintegrity"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TIMEOUT_S = 3.0
AT_ONCE = 4
PATIENCE_S = 0.0
"""Who finds no place is told at once: workers that wait for Google serve nobody else."""
LARGEST = 64 * 1024
CHUNK = 8 * 1024
ASSERTION_S = 600
PAUSE_S = 2.0
"""So long nobody asks again who may ask: those who wait would wait for one another's time-outs."""
EARLY_S = 60
"""So long before its end an access token is replaced."""
AWAY = (urllib.error.URLError, http.client.HTTPException, OSError, ValueError, TypeError)
log = logging.getLogger("mvote.attestation")


@dataclass(frozen=True, kw_only=True, repr=False)
class ServiceAccount:
    """Who we are to Google. Has no repr, so its key is never logged."""

    email: str
    key: RSAPrivateKey
    key_id: str
    token_uri: str


def read_service_account(content: bytes) -> ServiceAccount:
    """The account of a key file as Google makes it. Raises ValueError."""
    found = orjson.loads(content)
    names = ("client_email", "private_key", "private_key_id", "token_uri")
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in names):
        raise ValueError("no service account")
    key = load_pem_private_key(found["private_key"].encode(), password=None)
    if found.get("type") != "service_account" or not isinstance(key, RSAPrivateKey):
        raise ValueError("no service account")
    return ServiceAccount(
        email=found["client_email"],
        key=key,
        key_id=found["private_key_id"],
        token_uri=found["token_uri"],
    )


class GoogleDecoder:
    """Asks Google what a token says.

    *timeout_s*: the longest silence, and the longest that the body of an answer may take.
    """

    def __init__(
        self,
        account: ServiceAccount,
        *,
        package: str,
        server: str = SERVER,
        timeout_s: float = TIMEOUT_S,
        at_once: int = AT_ONCE,
    ) -> None:
        self._account = account
        self._url = f"{server}/v1/{urllib.parse.quote(package)}:decodeIntegrityToken"
        self._timeout_s = timeout_s
        self._turns = Turns(at_once, patience_s=PATIENCE_S)
        self._opener = urllib.request.build_opener(NoRedirects)
        self._access, self._access_ends = "", float("-inf")
        self._asked_at = float("-inf")
        self._alone = threading.Lock()

    def payload(self, token: str) -> Any:
        """The verdict, parsed JSON. Raises AttestationInvalid, AttestorAway."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise AttestationInvalid("form")
        try:
            with self._turns.one():
                return self._decoded(token)
        except Overloaded:
            raise AttestorAway from None

    def _decoded(self, token: str) -> Any:
        body = orjson.dumps({"integrity_token": token})
        headers = {
            "Authorization": f"Bearer {self._access_token()}",
            "Content-Type": "application/json",
        }
        try:
            answer = self._asked(urllib.request.Request(self._url, body, headers))  # noqa: S310 - https, or the operator's own
            verdict: Any = answer["tokenPayloadExternal"]
        except urllib.error.HTTPError as error:
            if error.code == http.client.BAD_REQUEST:
                raise AttestationInvalid("token") from None
            if error.code == http.client.UNAUTHORIZED:
                self._access_ends = self._asked_at = float("-inf")  # believed no longer
            raise _away(error) from None
        except (*AWAY, KeyError) as error:
            raise _away(error) from None
        return verdict

    def _access_token(self) -> str:
        """One is fetched for all, and kept until it is about to end; nobody waits while another
        fetches it. Raises AttestorAway."""
        if time.monotonic() < self._access_ends:
            return self._access
        if not self._alone.acquire(blocking=False):
            raise AttestorAway
        try:
            return self._fetched(time.monotonic())
        finally:
            self._alone.release()

    def _fetched(self, now: float) -> str:
        if now >= self._access_ends:
            if now < self._asked_at + PAUSE_S:
                raise AttestorAway
            self._asked_at = now
            try:
                self._access, self._access_ends = self._new_access(now)
            except (*AWAY, KeyError) as error:
                raise _away(error) from None
        return self._access

    def _new_access(self, now: float) -> tuple[str, float]:
        form = {"grant_type": GRANT, "assertion": self._assertion()}
        body = urllib.parse.urlencode(form).encode()
        answer = self._asked(urllib.request.Request(self._account.token_uri, body))  # noqa: S310 - the operator's
        return str(answer["access_token"]), now + float(answer["expires_in"]) - EARLY_S

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self._account.email,
            "scope": SCOPE,
            "aud": self._account.token_uri,
            "iat": now,
            "exp": now + ASSERTION_S,
        }
        headers = {"kid": self._account.key_id}
        return jwt.encode(claims, self._account.key, algorithm="RS256", headers=headers)

    def _asked(self, request: urllib.request.Request) -> Mapping[str, Any]:
        """The JSON object that is answered. Raises what AWAY names, and KeyError."""
        until = time.monotonic() + self._timeout_s
        content = b""
        with self._opener.open(request, timeout=self._timeout_s) as answer:
            while chunk := answer.read1(CHUNK):
                content += chunk
                if len(content) > LARGEST or time.monotonic() > until:
                    raise ValueError("too much, or too slowly")
        found = orjson.loads(content)
        if not isinstance(found, dict):
            raise ValueError("no object")  # noqa: TRY004 - what was answered is wrong
        return found


def _away(error: Exception) -> AttestorAway:
    """Log what kind of failure it was, never what was sent."""
    status = getattr(error, "code", None)
    log.error("Google opens no tokens", extra={"error": type(error).__name__, "answer": status})
    return AttestorAway()
