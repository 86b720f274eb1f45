"""`Idempotency-Key`: a POST that is sent again is answered again, not carried out again."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Response, request

from api.access import caller_id
from api.db import transaction
from api.problems import InvalidParameter
from mvote.answers import Asked, KeptAnswer, answer_before, keep_answer
from mvote.wording import say

View = TypeVar("View", bound=Callable[..., Any])
HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Cache-Control", "Vary")
PARAMETER = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
    "description": "The same request with the same key gets the same answer for 24 hours.",
}


def takes_a_key(view: View) -> View:
    """Tell the contract that the view answers repeated requests again, by `answered_once`."""
    view.idempotent = True  # type: ignore[attr-defined]
    return view


def idempotent(view: View) -> View:
    """Let a request be repeated safely; stands beneath `@access`, above `@blp.arguments`.

    With the header, the view's own transaction becomes part of one that also keeps the answer.
    Refusals are not kept: they changed nothing, and the next try may find things otherwise.
    """

    @wraps(view)
    def carried_out_once(*args: Any, **kwargs: Any) -> Any:
        if HEADER not in request.headers:
            return view(*args, **kwargs)
        return answered_once(request.get_data(), lambda: view(*args, **kwargs))

    return takes_a_key(carried_out_once)  # type: ignore[return-value]


def answered_once(content: bytes, answer: Callable[[], Response]) -> Response:
    """What *answer* gives, or gave to the same request before; *content* is all of its body.

    Without the header it is given each time anew.
    """
    if HEADER not in request.headers:
        return answer()
    asked = _asked(content)
    with transaction() as session:
        kept = answer_before(session, asked)
        if kept is not None:
            return _again(kept)
        response = answer()
        headers = {
            name: response.headers[name] for name in KEPT_HEADERS if name in response.headers
        }
        body = response.get_data()
        keep_answer(session, asked, status=response.status_code, headers=headers, body=body)
    return response


def _asked(body: bytes) -> Asked:
    key = request.headers[HEADER]
    if not KEY.fullmatch(key):
        raise InvalidParameter(("header", HEADER, say("1 to 255 visible ASCII characters.")))
    content = b"\x00".join([request.full_path.encode(), body])
    operation = str(request.endpoint)
    return Asked(citizen_id=caller_id(), operation=operation, key=key, content=content)


def _again(kept: KeptAnswer) -> Response:
    return Response(kept.body, kept.status, headers=kept.headers)
