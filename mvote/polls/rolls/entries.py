"""What stands on an imported roll for a number, and whether a voter is on it.

`entry = m(E, "mvote/roll-entry/1", P, phone hash)`, with E a key of this one poll: whoever has the
database without the keystore can neither try numbers nor join a roll with accounts or other rolls.
It is made of what an account is found by, not of an anchor: so a number matches whoever confirms
it, be it today or after the poll has opened.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from mvote.ballotbox.keystore import KeyMissing, Keystore
from mvote.ballotbox.notation import m
from mvote.ballotbox.poll_keys import KEPT_SECONDS, KEY_BYTES, key_name
from mvote.driver import Connection, rows_of

LETTER = "E"
LABEL = "mvote/roll-entry/1"
MOST_KEPT = 1_000

# The numbers that vote by an anchor in a poll: the account's own, unless it was taken after the
# poll opened, and what was given up since. So no entry votes twice, whoever takes a number.
_PHONE_HASHES = b"""
    WITH asked AS (
        SELECT a.n, a.citizen_id, a.anchor, p.opens_at FROM unnest(
            %(citizen_ids)s::uuid[], %(poll_ids)s::uuid[], %(anchors)s::bytea[]
        ) WITH ORDINALITY AS a (citizen_id, poll_id, anchor, n) JOIN poll p ON p.id = a.poll_id)
    SELECT a.n, c.phone_hash FROM asked a JOIN citizen c ON c.id = a.citizen_id
        WHERE c.phone_hash IS NOT NULL
            AND (c.phone_since IS NULL OR c.phone_since <= a.opens_at)
    UNION
    SELECT a.n, t.bearer_hash FROM asked a JOIN tombstone t ON t.anchor = a.anchor
        WHERE t.since = (
            SELECT coalesce(max(e.since) FILTER (WHERE e.since <= a.opens_at), min(e.since))
            FROM tombstone e WHERE e.bearer_hash = t.bearer_hash)
"""
_THERE = b"""
    SELECT a.n FROM unnest(%(poll_ids)s::uuid[], %(entries)s::bytea[])
            WITH ORDINALITY AS a (poll_id, entry, n)
        JOIN roll_entry e ON e.poll_id = a.poll_id AND e.entry = a.entry
"""


def entry_of(key: bytes, poll_id: uuid.UUID, phone_hash: bytes) -> bytes:
    """What stands on the roll for the number with this hash: 32 bytes."""
    return m(key, LABEL, poll_id.bytes, phone_hash)


class AskedFor(NamedTuple):
    """Somebody of whom is asked whether they are on the roll of a poll."""

    poll_id: uuid.UUID
    citizen_id: uuid.UUID
    #: the one that they have in this poll
    anchor: bytes


class RollKeys:
    """The keys of rolls, remembered for a minute: so long one is used after its end."""

    def __init__(self, keystore: Keystore, clock: Callable[[], float] = time.monotonic) -> None:
        self._keystore, self._clock = keystore, clock
        self._kept: dict[uuid.UUID, tuple[float, bytes | None]] = {}

    def of(self, poll_id: uuid.UUID) -> bytes | None:
        """The key of a frozen poll's roll; None if it was not imported, or is destroyed."""
        now = self._clock()
        seen_at, key = self._kept.get(poll_id, (-KEPT_SECONDS, None))
        if now >= seen_at + KEPT_SECONDS:
            key = self._read(poll_id)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[poll_id] = now, key
        return key

    def made(self, poll_id: uuid.UUID) -> bytes:
        """The key of a draft's roll, made now if there is none yet. Raises OSError."""
        name = key_name(poll_id, LETTER)
        with suppress(FileExistsError):
            self._keystore.put(name, os.urandom(KEY_BYTES))
        return self._keystore.get(name)

    def _read(self, poll_id: uuid.UUID) -> bytes | None:
        try:
            return self._keystore.get(key_name(poll_id, LETTER))
        except KeyMissing:
            return None


def are_on_rolls(connection: Connection, keys: RollKeys, asked: Sequence[AskedFor]) -> list[bool]:
    """Whether each is on the roll of their poll: by the numbers that vote by their anchor if it was
    imported, by the anchor itself if it is a committee's. One statement, two if any was imported.
    """
    known = {each: key for each in {one.poll_id for one in asked} if (key := keys.of(each))}
    imported = [n for n, each in enumerate(asked) if each.poll_id in known]
    looked_for = [(n, each.anchor) for n, each in enumerate(asked) if each.poll_id not in known]
    for n, phone_hash in _phone_hashes(connection, asked, imported):
        poll_id = asked[n].poll_id
        looked_for.append((n, entry_of(known[poll_id], poll_id, phone_hash)))
    given = {
        "poll_ids": [asked[n].poll_id for n, _ in looked_for],
        "entries": [entry for _, entry in looked_for],
    }
    there = {looked_for[place - 1][0] for (place,) in rows_of(connection, _THERE, given)}
    return [n in there for n in range(len(asked))]


def _phone_hashes(
    connection: Connection, asked: Sequence[AskedFor], places: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    """The hashes of the numbers by which those at *places* vote, each with its place."""
    if not places:
        return
    given = {
        "citizen_ids": [asked[n].citizen_id for n in places],
        "poll_ids": [asked[n].poll_id for n in places],
        "anchors": [asked[n].anchor for n in places],
    }
    for place, phone_hash in rows_of(connection, _PHONE_HASHES, given):
        yield places[place - 1], phone_hash
