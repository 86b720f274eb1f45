"""Signing: unsigned checkpoints of polls go into the city's log, then all that is new is signed.

Three steps, after each of which the process may be killed:

1. checkpoints of polls that no signature covers yet become entries of the city's log (once each:
   the database allows no second one), after each was proved to extend the one before;
2. the city's checkpoint is signed, and what was signed is marked in a file outside the database;
3. the signatures are stored, the city's and those of the polls' checkpoints that it covers.

So nothing is published that is not remembered, and what is unsigned is not through yet.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mvote.ballotbox import log as logs
from mvote.ballotbox.checkpoints import LogState, name_in_city
from mvote.ballotbox.extending import Known, NotExtended, extends, known_here, require_extended
from mvote.ballotbox.log import CHECKPOINT_ENTRY, CITY, EMPTY, TreeHead
from mvote.ballotbox.log_keys import LogKeys
from mvote.ballotbox.log_tables import Checkpoint
from mvote.ballotbox.marks import MarkFile

PAGE = 1000
ID_BYTES, SIZE_BYTES = 16, 8
PLACE_BYTES = ID_BYTES + SIZE_BYTES
log = logging.getLogger("mvote.signing")


@dataclass(frozen=True, kw_only=True)
class Unsigned:
    """A checkpoint of the poll's log named *origin*, not signed yet."""

    poll_id: uuid.UUID
    size: int
    root: bytes
    origin: str
    is_private: bool = False

    @property
    def name(self) -> bytes:
        """How the city's log names the poll."""
        return name_in_city(self.poll_id.bytes, is_private=self.is_private)

    @property
    def place(self) -> bytes:
        """How the city's log names it: the poll, the size."""
        return self.name + self.size.to_bytes(SIZE_BYTES, "big")


def unsigned_page(session: Session, after: Unsigned | None = None) -> list[Unsigned]:
    """Unsigned checkpoints of polls that follow *after*, at most PAGE, by poll and size."""
    place = {
        "poll_id": after.poll_id if after else CITY,  # the nil UUID: before every poll's id
        "size": after.size if after else 0,
    }
    rows = session.execute(_UNSIGNED, place | {"city": CITY, "page": PAGE})
    return [Unsigned(**row._mapping) for row in rows]  # noqa: SLF001 - public in SQLAlchemy


_UNSIGNED = text(
    "SELECT c.poll_id, c.size, c.root, convert_from(d.canonical, 'UTF8')::json ->> 'origin' origin,"
    " p.is_private FROM checkpoint c JOIN poll_definition d ON d.poll_id = c.poll_id"
    " JOIN poll p ON p.id = c.poll_id"
    " WHERE c.note IS NULL AND c.poll_id <> :city AND (c.poll_id, c.size) > (:poll_id, :size)"
    " ORDER BY c.poll_id, c.size LIMIT :page"
)


def enter_city(
    session: Session, page: Sequence[Unsigned], *, mark: MarkFile, known: Iterable[Known] = ()
) -> list[Unsigned]:
    """Let the city's log name those of *page* that it does not name yet; those it now names.

    A checkpoint that does not extend the one before is left out, with those after it. Raises
    NotExtended, MarkUnreadable or OSError, and then nothing is named.
    """
    session.execute(_LOCK, {"log_id": str(CITY)})
    require_extended(session, [*known_here(session, mark), *known])
    last = _last_named(session, {row.name for row in page})
    named, entries = list[Unsigned](), list[logs.Entry]()
    for (poll_id, name), rows in groupby(page, key=lambda row: (row.poll_id, row.name)):
        before = last.get(name, EMPTY)
        for row in rows:
            state = TreeHead(row.size, row.root)
            is_named = row.size <= before.size  # we were killed after that
            if not (_names(session, row) if is_named else extends(session, poll_id, before, state)):
                log.error("log broken", extra={"poll_id": poll_id, "size": row.size})
                break
            named.append(row)
            if not is_named:
                entries.append((CHECKPOINT_ENTRY, row.place + row.root))
                before = state
    logs.append(session, log_id=CITY, entries=entries)
    return named


# The city's log is extended by one at a time; the same lock that appending takes.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:log_id, 2))")


def _last_named(session: Session, names: Iterable[bytes]) -> dict[bytes, TreeHead]:
    """The newest state of each poll's log that the city's log names, by the poll's name there."""
    found = session.scalars(_LAST_NAMED, {"city": CITY, "ids": [*names]})
    return {
        data[:ID_BYTES]: TreeHead(
            int.from_bytes(data[ID_BYTES:PLACE_BYTES], "big"), data[PLACE_BYTES:]
        )
        for data in found
    }


_LAST_NAMED = text(
    "SELECT e.data FROM unnest(CAST(:ids AS bytea[])) AS p (id) CROSS JOIN LATERAL ("
    " SELECT data FROM log_entry WHERE poll_id = :city AND kind = 5"
    " AND substr(data, 1, 24) BETWEEN p.id AND p.id || '\\xffffffffffffffff'"
    " ORDER BY substr(data, 1, 24) DESC LIMIT 1) AS e"
)


def _names(session: Session, row: Unsigned) -> bool:
    found: bytes | None = session.scalar(_NAMED, {"city": CITY, "place": row.place})
    return found == row.place + row.root


_NAMED = text(
    "SELECT data FROM log_entry WHERE poll_id = :city AND kind = 5 AND substr(data, 1, 24) = :place"
)


def sign(
    session: Session,
    named: Sequence[Unsigned],
    *,
    keys: LogKeys,
    city: str,
    mark: MarkFile,
    known: Iterable[Known] = (),
) -> None:
    """Sign the newest state of the city's log, named *city*, and the polls' that it *named*.

    Raises NotExtended, MarkUnreadable, or OSError if it cannot be marked; nothing is signed then.
    """
    session.execute(_LOCK, {"log_id": str(CITY)})
    require_extended(session, [*known_here(session, mark), *known])
    states = _unsigned_of_the_city(session)
    notes = [(CITY, at.size, keys.sign(_text(city, at), origin=city)) for at in states]
    if notes:
        mark.write(notes[-1][2])
    for row in named:
        signed = keys.sign(_text(row.origin, TreeHead(row.size, row.root)), origin=row.origin)
        notes.append((row.poll_id, row.size, signed))
    _store(session, notes)


def _store(session: Session, notes: Sequence[tuple[uuid.UUID, int, str]]) -> None:
    columns = {
        "poll_ids": [poll_id for poll_id, _, _ in notes],
        "sizes": [size for _, size, _ in notes],
        "notes": [note for _, _, note in notes],
    }
    session.execute(_STORE, columns)


_STORE = text(
    "UPDATE checkpoint SET note = t.note FROM unnest(CAST(:poll_ids AS uuid[]),"
    " CAST(:sizes AS integer[]), CAST(:notes AS text[])) AS t (poll_id, size, note)"
    " WHERE checkpoint.poll_id = t.poll_id AND checkpoint.size = t.size"
    " AND checkpoint.note IS NULL"
)


def _unsigned_of_the_city(session: Session) -> list[TreeHead]:
    """States that no signature covers yet, each proved to extend what was signed before."""
    signed = logs.signed_checkpoint(session, CITY)
    before = TreeHead(signed.size, signed.root) if signed else EMPTY
    unsigned = (
        select(Checkpoint.size, Checkpoint.root)
        .where(Checkpoint.poll_id == CITY, Checkpoint.note.is_(None))
        .order_by(Checkpoint.size)
    )
    states = [TreeHead(row.size, row.root) for row in session.execute(unsigned)]
    for state in states:
        if not extends(session, CITY, before, state):
            raise NotExtended(f"the city's log at {state.size} does not extend {before.size}")
        before = state
    return states


def _text(origin: str, state: TreeHead) -> str:
    return LogState(origin=origin, size=state.size, root=state.root).text
