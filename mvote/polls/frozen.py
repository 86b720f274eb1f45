"""Frozen polls at hand: a definition never changes, so it is read once and kept."""

from __future__ import annotations

import uuid
from collections import OrderedDict

from sqlalchemy.orm import Session

from mvote.errors import NotFound
from mvote.polls.definition import FrozenPoll, read_definition
from mvote.polls.results import definition_of

KEPT = 20_000


class FrozenPolls:
    """The frozen polls that were asked for lately, at most KEPT of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[uuid.UUID, FrozenPoll] = OrderedDict()

    def known(self, poll_id: uuid.UUID) -> FrozenPoll | None:
        """The poll if it is at hand; asks no database."""
        return self._kept.get(poll_id)

    def of(self, session: Session, poll_id: uuid.UUID) -> FrozenPoll:
        """The frozen poll. Raises NotFound if there is none, or not yet."""
        poll = self._kept.get(poll_id)
        return poll or self._read(session, poll_id)

    def _read(self, session: Session, poll_id: uuid.UUID) -> FrozenPoll:
        content = definition_of(session, poll_id)
        if content is None:
            raise NotFound
        poll = self._kept[poll_id] = read_definition(content)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return poll
