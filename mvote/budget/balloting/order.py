"""The order in which one voter sees the projects: their own, the same each time, kept nowhere."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from mvote.ballotbox.notation import m


def order_for(poll: bytes, citizen_id: uuid.UUID, keys: Iterable[str]) -> list[str]:
    """The option *keys* in the citizen's order: ascending by
    HMAC-SHA256(citizen, "mvote/order/1", poll, key).

    It follows from the poll and the citizen's id, which other people do not know; no order is
    better for a project than another over all voters.
    """
    return sorted(keys, key=lambda key: m(citizen_id.bytes, "mvote/order/1", poll, key.encode()))
