"""Unsealing the box: every ballot is opened and checked against its entry in the log.

The log is read in chunks that fall on perfect subtrees of its tree, so that whoever unseals a chunk
also gives its root: together they are the root of exactly the entries that were counted.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.ballotbox.merkle import leaf_hash, root_of
from mvote.ballotbox.sealing import Unreadable, commitment, unseal
from mvote.ballotbox.vectors import NoVector, marks_in
from mvote.polls.definition import FrozenPoll

CHUNK = 4_096
"""Entries read, handed over and unsealed at once: some 800 kB. A power of two."""
BALLOT_ENTRY = 1

Row = tuple[int, bytes, bytes | None]
"""Kind and data of an entry, and the sealed ballot at its place, if there is one."""


@dataclass
class Count:
    """What unsealing gave: how often each vector came. Its size follows the distinct vectors."""

    vectors: Counter[bytes] = field(default_factory=Counter)
    #: entries of ballots, whether they could be opened or not
    entries: int = 0
    unopenable: int = 0
    #: the number of a chunk → the root over its entries
    roots: dict[int, bytes] = field(default_factory=dict)

    def __iadd__(self, other: Self) -> Self:
        self.vectors.update(other.vectors)
        self.entries += other.entries
        self.unopenable += other.unopenable
        self.roots.update(other.roots)
        return self

    @property
    def ballots(self) -> int:
        """How many ballots were opened and are what their entries say."""
        return self.entries - self.unopenable

    def root(self) -> bytes:
        """The root (RFC 9162) over all entries, if all chunks from 0 on are here."""
        return root_of([self.roots[number] for number in sorted(self.roots)])


@dataclass(frozen=True)
class Chunk:
    """The entries from place *number* × CHUNK on, CHUNK of them or what there is."""

    number: int
    rows: Sequence[Row]


@dataclass(frozen=True, repr=False)
class Opener:
    """Unseals the ballots of one poll with its private key."""

    poll: FrozenPoll
    private: X25519PrivateKey

    def open(self, chunk: Chunk) -> Count:
        """The count of one chunk, with its root."""
        count = self.count(chunk.rows)
        leaves = [leaf_hash(bytes([kind]) + data) for kind, data, _ in chunk.rows]
        count.roots[chunk.number] = root_of(leaves)
        return count

    def count(self, rows: Sequence[Row]) -> Count:
        """The count of some entries, wherever they stand."""
        count = Count()
        for kind, data, sealed in rows:
            if kind == BALLOT_ENTRY:
                self._open_one(count, data, sealed)
        return count

    def _open_one(self, count: Count, data: bytes, sealed: bytes | None) -> None:
        count.entries += 1
        vector = self.checked_vector(data, sealed)
        if vector is None:
            count.unopenable += 1
        else:
            count.vectors[vector] += 1

    def checked_vector(self, data: bytes, sealed: bytes | None) -> bytes | None:
        """The vector of a ballot that is what its entry says; None for one that is not."""
        if sealed is None:
            return None
        try:
            ballot = unseal(self.private, sealed)
            marks_in(self.poll.question, ballot.vector)
        except (Unreadable, NoVector):
            return None
        c = commitment(self.poll.P, ballot.tracker, ballot.salt, ballot.vector)
        return ballot.vector if ballot.tracker + c == data else None


# One range of both keys: a plan that stays good, whatever the box has grown to.
_ENTRIES = text(
    "SELECT e.kind, e.data, b.sealed FROM log_entry e"
    " LEFT JOIN box b ON b.poll_id = e.poll_id AND b.idx = e.idx"
    " AND b.idx >= :first AND b.idx < :end"
    " WHERE e.poll_id = :poll_id AND e.idx >= :first AND e.idx < :end ORDER BY e.idx"
)


def chunks(session: Session, poll_id: uuid.UUID, size: int) -> Iterator[Chunk]:
    """The first *size* entries of a poll's log with their ballots, one chunk in memory a time."""
    for number in range(-(-size // CHUNK)):
        first = number * CHUNK
        rows = entries(session, poll_id, first, min(first + CHUNK, size))
        yield Chunk(number, rows)


def entries(session: Session, poll_id: uuid.UUID, first: int, end: int) -> list[Row]:
    """The entries of a poll's log from place *first* to before *end*, with their ballots."""
    bound = {"poll_id": poll_id, "first": first, "end": end}
    return [(row[0], row[1], row[2]) for row in session.execute(_ENTRIES, bound)]
