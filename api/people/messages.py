"""How text messages leave: into a file in development, through a signed gateway in production."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import logging
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

import orjson

from api.redirects import NoRedirects
from api.settings import Settings
from mvote.people.errors import MessageNotSent
from mvote.people.messages import TextMessages

TIMEOUT_S = 5.0
NUMBER_REFUSED = 422
log = logging.getLogger("mvote.messages")


class Outbox:
    """Writes messages to a file, one JSON object a line: `to`, `text`, `code`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, *, to: str, text: str, code: str = "") -> None:
        line = orjson.dumps({"to": to, "text": text, "code": code}) + b"\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line)  # one write: lines of several processes do not mix
        finally:
            os.close(descriptor)


class Gateway:
    """Hands messages to an HTTP gateway: POST of `{"to", "text"}` as JSON.

    `X-Timestamp` is the time in whole seconds; `X-Signature` is `sha256=` and the hex digest of
    HMAC-SHA256 with the shared *secret* over timestamp, a full stop and the body. Any status of
    200 to 299 means that the message was taken; 422 that this number can never be reached (it does
    not exist, or wants no messages); any other that the gateway is ill. Redirects are not followed.
    """

    def __init__(self, url: str, secret: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._secret = secret.encode()
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(NoRedirects)

    def send(self, *, to: str, text: str, code: str = "") -> None:
        body = orjson.dumps({"to": to, "text": text})
        timestamp = str(int(time.time()))
        request = urllib.request.Request(self._url, body, self._headers(timestamp, body))  # noqa: S310 - the URL is the operator's
        try:
            with self._opener.open(request, timeout=self._timeout_s):
                return
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            raise _not_sent(error) from None

    def _headers(self, timestamp: str, body: bytes) -> dict[str, str]:
        signed = timestamp.encode() + b"." + body
        signature = hmac.new(self._secret, signed, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "X-Timestamp": timestamp,
            "X-Signature": f"sha256={signature}",
        }


def _not_sent(error: Exception) -> MessageNotSent:
    """Log what kind of failure it was; its text could name the number."""
    status = getattr(error, "code", None)
    log.error("message not sent", extra={"error": type(error).__name__, "answer": status})
    reason = getattr(error, "reason", None)
    is_certain = isinstance(reason, ConnectionRefusedError)
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # nobody reads what else it says
        is_certain = True
    return MessageNotSent(is_certain=is_certain, is_for_good=status == NUMBER_REFUSED)


def messages_of(settings: Settings) -> TextMessages:
    """The way out that the settings ask for."""
    if settings.environment == "production":
        return Gateway(settings.sms_gateway_url, settings.sms_gateway_secret)
    return Outbox(settings.var / "outbox.jsonl")
