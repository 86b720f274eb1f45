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
from collections.abc import Callable
from contextlib import suppress

from mvote.ballotbox.keystore import KeyMissing, Keystore
from mvote.ballotbox.notation import m
from mvote.ballotbox.poll_keys import KEPT_SECONDS, KEY_BYTES, key_name
from mvote.driver import Connection, rows_of

LETTER = "E"
LABEL = "mvote/roll-entry/1"
MOST_KEPT = 1_000

# The numbers that vote by this anchor in the poll: the account's own, unless it was taken after the
# poll opened, and what was given up since. So no entry votes twice, whoever takes a number.
_PHONE_HASH = b"""
    SELECT c.phone_hash FROM citizen c, poll p
        WHERE c.id = %(citizen_id)s AND p.id = %(poll_id)s AND c.phone_hash IS NOT NULL
            AND (c.phone_since IS NULL OR c.phone_since <= p.opens_at)
    UNION
    SELECT t.bearer_hash FROM tombstone t, poll p
        WHERE t.anchor = %(anchor)s AND p.id = %(poll_id)s AND t.since = (
            SELECT coalesce(max(e.since) FILTER (WHERE e.since <= p.opens_at), min(e.since))
            FROM tombstone e WHERE e.bearer_hash = t.bearer_hash)
"""
_IS_ON_IT = b"""
    SELECT 1 FROM roll_entry WHERE poll_id = %(poll_id)s AND entry = ANY (%(entries)s::bytea[])
"""


def entry_of(key: bytes, poll_id: uuid.UUID, phone_hash: bytes) -> bytes:
    """What stands on the roll for the number with this hash: 32 bytes."""
    return m(key, LABEL, poll_id.bytes, phone_hash)


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


def is_on_roll(
    connection: Connection, keys: RollKeys, poll_id: uuid.UUID, citizen_id: uuid.UUID, anchor: bytes
) -> bool:
    """Whether a citizen, with the *anchor* that they have in the poll, is on its roll: by the
    number that they have confirmed if it was imported, by the anchor if it is a committee's."""
    key = keys.of(poll_id)
    entries = [anchor]
    if key is not None:
        asked = {"citizen_id": citizen_id, "poll_id": poll_id, "anchor": anchor}
        found = rows_of(connection, _PHONE_HASH, asked)
        entries = [entry_of(key, poll_id, phone_hash) for (phone_hash,) in found]
    given = {"poll_id": poll_id, "entries": entries}
    return bool(rows_of(connection, _IS_ON_IT, given))
