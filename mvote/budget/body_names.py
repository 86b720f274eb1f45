"""The names of a cycle's bodies: whatever its definition calls them, beside those in use anyway.

They are data. A city's plenary may be an `assembly`, its subcommittees `juries`; what a committee
does follows from where the definition names it, never from the word.
"""

from __future__ import annotations

from collections.abc import Mapping

from mvote.base import Json

SUBCOMMITTEE, PLENARY, APPEALS = "subcommittee", "plenary", "appeals"


def bodies_at_work(definition: Mapping[str, Json]) -> set[str]:
    """Those that review and decide: whoever sits in one of them votes as a member."""
    review = definition.get("review") or {}
    named = {review.get(role) for role in ("body", "confirm", "fallback")}
    named.add((definition.get("decision") or {}).get("by"))
    return {SUBCOMMITTEE, PLENARY, *(each for each in named if each)}


def bodies_of(definition: Mapping[str, Json]) -> set[str]:
    """All of which committees may be formed: those at work, and who judges appeals."""
    appeal_body = (definition.get("review") or {}).get("appeal_body")
    return bodies_at_work(definition) | {APPEALS, appeal_body or APPEALS}


def divided_into(definition: Mapping[str, Json]) -> str:
    """The body among whose committees the members of a larger one are divided."""
    return str((definition.get("review") or {}).get("body") or SUBCOMMITTEE)


def may_be_divided(definition: Mapping[str, Json], kind: str) -> bool:
    """Whether a committee of this *kind* is larger than those among which it is divided."""
    return kind in bodies_at_work(definition) - {divided_into(definition), SUBCOMMITTEE}
