"""The bundle: all that is public of a published poll, in one archive for the verifier."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

from flask import Response, request, send_file
from sqlalchemy.orm import Session

from api.access import access, caller_or_nobody
from api.blueprint import Blueprint, may_raise
from api.bodies import BINARY
from api.db import db
from api.made_once import MadeOnce
from api.polls.visiting import poll_shown_to, takes_a_pass
from api.wiring import wiring
from mvote.ballotbox.bundle_tables import Bundle
from mvote.ballotbox.bundling import newest_bundle, write_archive
from mvote.errors import DomainError, Overloaded
from mvote.polls.errors import BundleNotReady, ResultsNotAvailable
from mvote.polls.poll import Poll
from mvote.polls.results import not_available

blp = Blueprint("bundles", "bundles", description="Bundles for the verifier.")
ARCHIVE = "application/zip"
archives = MadeOnce(pattern="*.zip", most_bytes=2 * 1024**3, patience_s=5.0)


@blp.get("/polls/<uuid:poll_id>/bundle.zip")
@access("anybody")
@takes_a_pass
@may_raise(ResultsNotAvailable, BundleNotReady, Overloaded)
@blp.response(200, BINARY, content_type=ARCHIVE)
@blp.alt_response(304, description="Not modified")
def download_bundle(poll_id: uuid.UUID) -> Response:
    """Definition, log, checkpoints, statement and public records under one signed manifest.

    `verifier/mvote_verify.py` checks it offline; `docs/verifying.md` says what that proves.
    """
    session = db.session()
    poll = poll_shown_to(session, poll_id, caller_or_nobody())
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
    archive = wiring().settings.var / "bundles" / f"{bundle.poll_id}-{name}.zip"
    return archives.at_hand(archive, lambda: write_archive(db.session(), bundle, archive))
