"""A witness that is asked over HTTP: c2sp.org/tlog-witness, `add-checkpoint`."""

from __future__ import annotations

import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from typing import Any

from mvote.ballotbox.notes import Verifier
from mvote.ballotbox.witnessing import Answer, Offer, WitnessContradicts, WitnessFault

TIMEOUT_S = 10.0
LARGEST_ANSWER = 64 * 1024
SIZE_TYPE = "text/x.tlog.size"
SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
MEANINGS = {
    400: "it does not understand our request",
    403: "it does not accept our key: has the witness pinned the newest one?",
    404: "it does not know our log",
    429: "it is asked too often",
}


class HttpWitness:
    """A witness at *url*, the prefix before `/add-checkpoint`."""

    readable = False
    every_s = 1.0

    def __init__(self, verifier: Verifier, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.verifier = verifier
        self._url = url.rstrip("/") + "/add-checkpoint"
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(_NoRedirects)

    def look(self) -> Answer:
        """The protocol lets nobody look; it answers to an offer."""
        return Answer()

    def offer(self, offer: Offer) -> Answer:
        status, kind, body = self._post(offer.body)
        if status == http.client.OK:
            return Answer(notes=(offer.note + _text(body),))
        if status == http.client.UNPROCESSABLE_ENTITY:
            raise WitnessContradicts(f"our proof from {offer.old} does not fit what it remembers")
        if status != http.client.CONFLICT:
            raise WitnessFault(f"it answered {status}: {MEANINGS.get(status, 'unexpected')}")
        size = SIZE.fullmatch(body)
        if kind == SIZE_TYPE and size and int(size[1]) != offer.old:
            return Answer(holds=int(size[1]))
        if offer.old == offer.size > 0:
            raise WitnessContradicts(f"it remembers another root at {offer.size}")
        raise WitnessFault("it answered 409 without the size that it holds")

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        """Status, media type and body of its answer. Raises WitnessFault."""
        until = time.monotonic() + self._timeout_s
        kind = {"Content-Type": "text/plain"}
        try:
            request = urllib.request.Request(self._url, body, kind)  # noqa: S310 - the operator's URL
            try:
                response = self._opener.open(request, timeout=self._timeout_s)
            except urllib.error.HTTPError as error:
                response = error
            with response:
                media_type = response.headers.get_content_type()
                return response.status, media_type, _read(response, until)
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                why = error.reason.verify_message
                raise WitnessFault(f"its certificate is not accepted: {why}") from None
            raise WitnessFault(f"unreachable: {error.reason}") from None
        except (http.client.HTTPException, OSError, ValueError) as error:
            raise WitnessFault(f"unreachable: {error}") from None


def _read(response: Any, until: float) -> bytes:
    """The whole body, unless it is too large or comes too slowly."""
    parts, length = list[bytes](), 0
    while part := response.read1(LARGEST_ANSWER):
        parts.append(part)
        length += len(part)
        if length > LARGEST_ANSWER:
            raise WitnessFault(f"it answered with more than {LARGEST_ANSWER} bytes")
        if time.monotonic() > until:
            raise WitnessFault("it answers too slowly")
    return b"".join(parts)


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise WitnessFault("it answered with bytes that are no text") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What another server signs is not what was asked for."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
