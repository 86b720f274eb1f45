"""The public keys of the identity provider (RFC 7517): from a file, or from where it serves them.

They are kept and asked for again when they have grown old, or when a token names one that is not
there, because keys are replaced now and then; but never more often than once a minute, so that
made-up names of keys cost the provider nothing.
"""

from __future__ import annotations

import http.client
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from api.redirects import NoRedirects
from mvote.people.errors import IdentityProviderAway
from mvote.people.id_tokens import Jwk

TIMEOUT_S = 5.0
LARGEST = 64 * 1024
FRESH_S = 3600.0
OLDEST_S = 24 * 3600.0
"""So long keys are believed while the provider cannot be reached."""
PAUSE_S = 60.0
log = logging.getLogger("mvote.identities")


class KeySet:
    """The provider's keys; *where*: a URL or a path. *clock*: seconds that only grow."""

    def __init__(self, where: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._where = where
        self._clock = clock
        self._keys: list[Jwk] = []
        self._read_at = self._asked_at = float("-inf")
        self._alone = threading.Lock()
        self._opener = urllib.request.build_opener(NoRedirects)

    def key(self, kid: str | None) -> Jwk | None:
        """The key of that id, the only one if None. Raises IdentityProviderAway."""
        if self._clock() - self._read_at > FRESH_S or self._named(kid) is None:
            self._read_again()
        if self._clock() - self._read_at > OLDEST_S:
            raise IdentityProviderAway
        return self._named(kid)

    def _named(self, kid: str | None) -> Jwk | None:
        """No id will do where there is one key; two of one id are none."""
        found = [each for each in self._keys if kid is None or each.get("kid") == kid]
        return found[0] if len(found) == 1 else None

    def _read_again(self) -> None:
        """At most once in PAUSE_S; whoever comes meanwhile waits for the answer."""
        with self._alone:
            now = self._clock()
            if now - self._asked_at < PAUSE_S:
                return
            self._asked_at = now
            try:
                self._keys = _keys_in(self._content())
                self._read_at = now
            except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
                _note(error)

    def _content(self) -> bytes:
        if not self._where.startswith(("https://", "http://")):
            return Path(self._where).read_bytes()
        request = urllib.request.Request(self._where, headers={"Accept": "application/json"})  # noqa: S310 - the URL is the operator's
        with self._opener.open(request, timeout=TIMEOUT_S) as answer:
            content: bytes = answer.read(LARGEST + 1)
        return content


def _note(error: Exception) -> None:
    log.error("no keys of the identity provider", extra={"error": type(error).__name__})


def _keys_in(content: bytes) -> list[Jwk]:
    """Raises ValueError for what is no key set."""
    if len(content) > LARGEST:
        raise ValueError("a key set is smaller")
    document: Any = orjson.loads(content)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(each, dict) for each in keys):
        raise ValueError("no key set")
    return keys
