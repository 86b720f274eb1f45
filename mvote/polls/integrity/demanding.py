"""What a poll asks of positions beside their place; a part of its definition."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from mvote.polls.hindrances import Hindrance
from mvote.polls.integrity.checking import Demand


def demand_of(content: dict[str, Any]) -> Demand:
    """What a poll with this content asks."""
    demand: Demand = (content.get("presence") or {}).get("integrity", "none")
    return demand


def hindrances_in_demand(
    content: dict[str, Any], platforms: Collection[str]
) -> Iterator[Hindrance]:
    """Where no platform can vouch nobody could vote by a position."""
    if demand_of(content) == "attested" and not platforms:
        yield Hindrance("no-platform", "/presence/integrity")
