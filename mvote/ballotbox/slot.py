"""The slot: the one way a ballot gets into the box. The database decides, under its own clock."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.ballotbox.sealing import Tags
from mvote.driver import Connection, rows_of

Outcome = Literal[
    "recorded",  # this ballot is in the box now
    "replay",  # this very ballot was there already: the same answer again
    "key-reused",  # the key was used by this voter with another ballot
    "already-voted",  # this voter has voted, with another key
    "not-open",  # nothing recorded: the poll does not take ballots
    "refused",  # nothing recorded: the row was not admitted
    "token-spent",  # nothing recorded: the presence token was used before
]


@dataclass(frozen=True, kw_only=True, repr=False)
class SlotRow:
    """One sealed ballot before the slot. `admitted` is false if there are reasons against it."""

    tags: Tags
    admitted: bool
    envelope_id: uuid.UUID
    outer: bytes
    #: hash of the presence token that proves the voter's presence, if that is what proves it
    spends: bytes | None = None


_CAST = text(
    "SELECT cast_ballots(:poll_id, :voter_tags, :key_tags, :ballot_tags,"
    " :admitted, :envelope_ids, :outers, :spends)"
)
_PUT = (
    b"SELECT cast_ballots(%(poll_id)s::uuid, %(voter_tags)s::bytea[], %(key_tags)s::bytea[],"
    b" %(ballot_tags)s::bytea[], %(admitted)s::boolean[], %(envelope_ids)s::uuid[],"
    b" %(outers)s::bytea[], %(spends)s::bytea[])"
)
_PUT_IN_POLLS = (
    b"CALL cast_in_polls(%(poll_ids)s::uuid[], %(last)s::int[], %(voter_tags)s::bytea[],"
    b" %(key_tags)s::bytea[], %(ballot_tags)s::bytea[], %(admitted)s::boolean[],"
    b" %(envelope_ids)s::uuid[], %(outers)s::bytea[], %(spends)s::bytea[], NULL)"
)
_TOOK_PART = text("SELECT took_part(:poll_id, :voter_tag)")


def cast_ballots(session: Session, poll_id: uuid.UUID, rows: Sequence[SlotRow]) -> list[Outcome]:
    """Put *rows* into the box of one poll in one call; one outcome for each, in their order.

    They are in the box once the caller commits. Whoever votes goes through the writer instead.
    """
    outcomes: list[Outcome] = (
        session.connection().execute(_CAST, _of_one(poll_id, rows)).scalar_one()
    )
    return outcomes


def put_ballots(
    connection: Connection, poll_id: uuid.UUID, rows: Sequence[SlotRow]
) -> list[Outcome]:
    """As `cast_ballots`, straight through the driver: durable when it returns."""
    outcomes: list[Outcome]
    [(outcomes,)] = rows_of(connection, _PUT, _of_one(poll_id, rows))
    return outcomes


def put_in_polls(
    connection: Connection, polls: Mapping[uuid.UUID, Sequence[SlotRow]]
) -> list[Outcome | None]:
    """As `put_ballots` for several polls in one call, each in a transaction of its own.

    The outcomes come in the order of the rows, None where the poll was being closed or changed
    just then: nothing is recorded for it, and whoever asks for it alone waits. If the call fails,
    polls before the one it failed at have their ballots; the same rows then find a replay.
    """
    given = _arrays([row for rows in polls.values() for row in rows])
    given |= {"poll_ids": list(polls), "last": list(accumulate(map(len, polls.values())))}
    outcomes: list[Outcome | None]
    [(outcomes,)] = rows_of(connection, _PUT_IN_POLLS, given)
    return outcomes


def _of_one(poll_id: uuid.UUID, rows: Sequence[SlotRow]) -> dict[str, Any]:
    return {"poll_id": poll_id, **_arrays(rows)}


def _arrays(rows: Sequence[SlotRow]) -> dict[str, Any]:
    return {
        "voter_tags": [row.tags.voter_tag for row in rows],
        "key_tags": [row.tags.key_tag for row in rows],
        "ballot_tags": [row.tags.ballot_tag for row in rows],
        "admitted": [row.admitted for row in rows],
        "envelope_ids": [row.envelope_id for row in rows],
        "outers": [row.outer for row in rows],
        "spends": [row.spends for row in rows],
    }


def took_part(session: Session, poll_id: uuid.UUID, voter_tag: bytes) -> bool:
    """Whether the bearer of *voter_tag* has voted in the poll."""
    found: bool = session.execute(
        _TOOK_PART, {"poll_id": poll_id, "voter_tag": voter_tag}
    ).scalar_one()
    return found
