"""The tree of a log as it is stored: tiles of 32 hashes, of which few are read or written.

A tile of level l holds roots over 32^l leaves each (`log_tables.TreeTile`). What lies between two
levels of tiles is computed when it is asked for: 31 hashes at most.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import select, text, tuple_
from sqlalchemy.orm import Session

from mvote.ballotbox.log_tables import TreeTile
from mvote.ballotbox.merkle import HASH_BYTES, Hashes, root_at, root_of

TILE_HEIGHT = 5
TILE_WIDTH = 1 << TILE_HEIGHT
FULL_TILE = TILE_WIDTH * HASH_BYTES
Place = tuple[int, int]
"""(level, n) of a tile."""
Tiles = dict[Place, bytes]
Found = TypeVar("Found")


def over_tiles(session: Session, log_id: uuid.UUID, find: Callable[[Hashes], Found]) -> Found:
    """What *find* makes of the stored hashes it asks for, which are read in one statement.

    *find* is called twice, first to learn what it will ask for. LookupError: a tile is missing.
    """
    asked: set[Place] = set()

    def note(level: int, n: int) -> bytes:
        asked.add(_tile_of(level, n))
        return bytes(HASH_BYTES)

    find(note)
    return find(hashes_in(read_tiles(session, log_id, asked)))


def read_tiles(session: Session, log_id: uuid.UUID, places: Iterable[Place]) -> Tiles:
    """Those of the tiles at *places* that are there."""
    wanted = select(TreeTile.level, TreeTile.n, TreeTile.hashes).where(
        TreeTile.poll_id == log_id, tuple_(TreeTile.level, TreeTile.n).in_(list(places))
    )
    return {(level, n): hashes for level, n, hashes in session.execute(wanted)}


def hashes_in(tiles: Tiles) -> Hashes:
    """The roots of perfect subtrees, out of *tiles*. LookupError if one lacks what is asked for."""

    def root(level: int, n: int) -> bytes:
        place = _tile_of(level, n)
        below = 1 << level % TILE_HEIGHT  # so many hashes of the tile lie under the wanted one
        first = n * below % TILE_WIDTH
        part = tiles[place][first * HASH_BYTES : (first + below) * HASH_BYTES]
        if len(part) != below * HASH_BYTES:
            raise LookupError(f"tile {place} is too short")
        return root_of(_split(part))

    return root


def grow(tiles: Tiles, size: int, leaves: Sequence[bytes]) -> Tiles:
    """The tiles that change when *leaves* follow the first *size* ones.

    *tiles* are those at the right edge (`right_edge(size)`), as far as they are there.
    """
    grown: Tiles = {}
    level, count, added = 0, size, list(leaves)
    while added:
        first, offset = divmod(count, TILE_WIDTH)
        old = tiles[level, first] if offset else b""
        hashes = old[: offset * HASH_BYTES] + b"".join(added)
        parts = [hashes[i : i + FULL_TILE] for i in range(0, len(hashes), FULL_TILE)]
        grown |= {(level, first + n): part for n, part in enumerate(parts)}
        added = [root_of(_split(part)) for part in parts if len(part) == FULL_TILE]
        level, count = level + 1, count // TILE_WIDTH
    return grown


def right_edge(size: int) -> list[Place]:
    """The last, unfinished tile of each level of a tree with *size* leaves."""
    edge, level = list[Place](), 0
    while size:
        size, left_over = divmod(size, TILE_WIDTH)
        if left_over:
            edge.append((level, size))
        level += 1
    return edge


def root_of_edge(tiles: Tiles, size: int) -> bytes:
    """The root at *size*, which needs no other tiles than those at the right edge."""
    return root_at(size, hashes_in(tiles))


def write_tiles(session: Session, log_id: uuid.UUID, tiles: Tiles) -> None:
    """Write new tiles, and old ones that have grown."""
    rows = sorted(tiles.items())
    columns = {
        "levels": [level for (level, _), _ in rows],
        "ns": [n for (_, n), _ in rows],
        "hashes": [hashes for _, hashes in rows],
    }
    session.execute(_INTO_TILES, {"log_id": log_id} | columns)


_INTO_TILES = text(
    "INSERT INTO tree_tile (poll_id, level, n, hashes) SELECT :log_id, level, n, hashes FROM unnest"
    " (CAST(:levels AS smallint[]), CAST(:ns AS integer[]), CAST(:hashes AS bytea[]))"
    " AS t (level, n, hashes)"
    " ON CONFLICT (poll_id, level, n) DO UPDATE SET hashes = excluded.hashes"
)


def _tile_of(level: int, n: int) -> Place:
    """Where the root of the n-th perfect subtree over 2^level leaves is found or computed."""
    tile_level, below = divmod(level, TILE_HEIGHT)
    return tile_level, (n << below) // TILE_WIDTH


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]
