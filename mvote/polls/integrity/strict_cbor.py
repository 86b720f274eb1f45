"""CBOR (RFC 8949) from strangers: flat, short, spelt in the one shortest way, nothing behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cbor2

DEEPEST = 4
UNREADABLE = (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError)
"""The last three: tags whose content is no date, no number or no set."""


class Unreadable(ValueError):
    """Not the map that was looked for."""


def read_map(content: bytes, types: Mapping[str, type], *, longest: int) -> dict[str, Any]:
    """The map that *content* is, with exactly the members of *types*. Raises Unreadable.

    What is written again must come to the same bytes: so there are no bytes behind it, no tags, no
    indefinite lengths and no second spelling of anything.
    """
    if len(content) > longest:
        raise Unreadable("too long")
    try:
        found: Any = cbor2.loads(
            content,
            max_depth=DEEPEST,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
        is_spelt_so = is_map_of(found, types) and cbor2.dumps(found) == content
    except UNREADABLE:
        raise Unreadable("no CBOR") from None
    if not is_spelt_so:
        raise Unreadable("another map")
    members: dict[str, Any] = found
    return members


def is_map_of(value: object, types: Mapping[str, type]) -> bool:
    """Whether *value* is a dict with exactly these members, each of exactly its type."""
    if type(value) is not dict or set(value) != set(types):
        return False
    return all(type(value[name]) is kind for name, kind in types.items())
