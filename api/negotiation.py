"""Which of several forms of a thing the caller wants (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from flask import request

from api.problems import NotAcceptable


def wanted_type(*offered: str) -> str:
    """The offered media type that `Accept` prefers, the first without it. Raises NotAcceptable."""
    if "Accept" not in request.headers:
        return offered[0]
    wanted = request.accept_mimetypes.best_match(offered)
    if wanted is None:
        raise NotAcceptable
    return wanted
