"""The bundle: all that is public of a published poll, in one archive for the verifier."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Response, request, send_file
from sqlalchemy.orm import Session

from api.access import access, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.db import db
from api.wiring import wiring
from mvote.ballotbox.bundle_tables import Bundle
from mvote.ballotbox.bundling import newest_bundle, write_archive
from mvote.errors import DomainError, Overloaded
from mvote.polls.drafting import poll_known_to
from mvote.polls.errors import BundleNotReady, ResultsNotAvailable
from mvote.polls.poll import Poll
from mvote.polls.results import not_available

blp = Blueprint("bundles", "bundles", description="Bundles for the verifier.")
ARCHIVE = "application/zip"
BINARY = {"type": "string", "format": "binary"}
MOST_KEPT_BYTES = 2 * 1024**3
PATIENCE_S = 5.0
_one_at_a_time = threading.Lock()
"""Of the requests for a bundle that is not at hand, one makes it and the others wait for it."""


@blp.get("/polls/<uuid:poll_id>/bundle.zip")
@access("public")
@may_raise(ResultsNotAvailable, BundleNotReady, Overloaded)
@blp.response(200, BINARY, content_type=ARCHIVE)
@blp.alt_response(304, description="Not modified")
def download_bundle(poll_id: uuid.UUID) -> Response:
    """Definition, log, checkpoints, statement and public records under one signed manifest.

    `verifier/mvote_verify.py` checks it offline; `docs/verifying.md` says what that proves.
    """
    session = db.session()
    poll = poll_known_to(session, poll_id, caller_or_nobody())
    bundle = newest_bundle(session, poll.id)
    if bundle is None:
        raise _why_there_is_none(session, poll)
    session.close()  # the connection goes back: who waits for the archive must not keep it
    name = hashlib.sha256(bundle.manifest + bundle.signature).hexdigest()[:24]
    archive = _at_hand(bundle, name)
    response = send_file(archive, ARCHIVE, download_name=f"{poll_id}.zip", as_attachment=True,
                         conditional=False, etag=name, max_age=0)  # fmt: skip
    response.make_conditional(request)
    return response


def _why_there_is_none(session: Session, poll: Poll) -> DomainError:
    """Nothing is published yet; or it is, and the shuffler has not signed the bundle yet."""
    return BundleNotReady() if poll.state == "published" else not_available(session, poll)


def _at_hand(bundle: Bundle, name: str) -> Path:
    """The archive as a file, made now if it was not asked for before. Raises Overloaded."""
    folder = wiring().settings.var / "bundles"
    archive = folder / f"{bundle.poll_id}-{name}.zip"
    if not archive.exists():
        with _turn():
            if not archive.exists():
                write_archive(db.session(), bundle, archive)
                _forget_the_oldest(folder)
    return archive


@contextmanager
def _turn() -> Iterator[None]:
    """One at a time. Raises Overloaded: who waits for long takes the place of those who vote."""
    if not _one_at_a_time.acquire(timeout=PATIENCE_S):
        raise Overloaded
    try:
        yield
    finally:
        _one_at_a_time.release()


def _forget_the_oldest(folder: Path) -> None:
    """Keep the newest archives, as many as fit; the others can be made again."""
    left = MOST_KEPT_BYTES
    newest_first = sorted(folder.glob("*.zip"), key=lambda path: -path.stat().st_mtime_ns)
    for path in newest_first[1:]:
        left -= path.stat().st_size
        if left < newest_first[0].stat().st_size:
            path.unlink(missing_ok=True)
