"""Frozen polls at hand: a definition never changes, so it is read once and kept."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Sequence

from sqlalchemy.orm import Session

from mvote.driver import Connection, rows_of
from mvote.errors import NotFound
from mvote.polls.definition import FrozenPoll, read_definition
from mvote.polls.results import definition_of

KEPT = 20_000
_CONTENTS = b"""
    SELECT poll_id, canonical FROM poll_definition WHERE poll_id = any(%(poll_ids)s::uuid[])
"""


def definitions_seen(
    connection: Connection, poll_ids: Sequence[uuid.UUID]
) -> Sequence[bytes | None]:
    """The canonical bytes of those polls, in their order, straight from the driver."""
    rows = rows_of(connection, _CONTENTS, {"poll_ids": list(set(poll_ids))})
    found: dict[uuid.UUID, bytes] = dict(rows)
    return [found.get(poll_id) for poll_id in poll_ids]


class FrozenPolls:
    """The frozen polls that were asked for lately, at most KEPT of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[uuid.UUID, FrozenPoll] = OrderedDict()

    def known(self, poll_id: uuid.UUID) -> FrozenPoll | None:
        """The poll if it is at hand; asks no database."""
        return self._kept.get(poll_id)

    def of(self, session: Session, poll_id: uuid.UUID) -> FrozenPoll:
        """The frozen poll. Raises NotFound if there is none, or not yet."""
        return self.known(poll_id) or self.keep(poll_id, definition_of(session, poll_id))

    def keep(self, poll_id: uuid.UUID, content: bytes | None) -> FrozenPoll:
        """The poll of these canonical bytes, at hand from now on. Raises NotFound if None."""
        if content is None:
            raise NotFound
        poll = self._kept[poll_id] = read_definition(content)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return poll
