"""Whom a poll is shown to: everyone, its own people, or who has a pass for its private room."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from flask import request
from sqlalchemy.orm import Session

from api.wiring import wiring
from mvote.people.citizens import Citizen
from mvote.polls.drafting import poll_known_to
from mvote.polls.poll import Poll

HEADER = "Room-Pass"
PARAMETER = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string"},
    "description": "Of a private poll: the pass that `POST /rooms/lookup` has answered with.",
}
View = TypeVar("View", bound=Callable[..., Any])


def takes_a_pass(view: View) -> View:
    """Tell the contract that the view shows private polls to whoever has a pass."""
    view.takes_a_pass = True  # type: ignore[attr-defined]
    return view


def has_pass(poll_id: uuid.UUID) -> bool:
    """Whether the request came with a pass for the poll's private room."""
    return wiring().room_passes.admit(request.headers.get(HEADER), poll_id)


def poll_shown_to(session: Session, poll_id: uuid.UUID, citizen: Citizen | None) -> Poll:
    """The poll, if *citizen* or the pass that came along may know of it. Raises NotFound."""
    return poll_known_to(session, poll_id, citizen, has_pass=has_pass(poll_id))
