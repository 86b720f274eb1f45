"""Bundling: all that is public of a published poll in one archive, under a signed manifest.

The shuffler makes and signs the manifest. Whoever serves the bundle rebuilds the same bytes from
the database, checks each file against the manifest, and serves nothing that differs.
"""

from __future__ import annotations

import hashlib
import os
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.bundle_tables import Bundle
from mvote.ballotbox.checkpoints import name_in_city
from mvote.ballotbox.log import CITY, STATEMENT_ENTRY, inclusion
from mvote.ballotbox.log_tables import Checkpoint
from mvote.ballotbox.renewing import NEWEST_FIRST
from mvote.ballotbox.vectors import PACK
from mvote.polls.definition import canonical
from mvote.polls.poll import Poll
from mvote.polls.results import definition_of

Part = Callable[[], Iterator[bytes]]
"""Reads a file of the bundle piece by piece; can be called again."""
Parts = Mapping[str, Part]

FORMAT = "mvote-bundle/1"
HEADING = b"mvote-bundle/1\n"
"""Stands before the manifest in what is signed, so that it can be taken for nothing else."""
CHUNK = 80 * PACK
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The date of every file in the archive: the same content always gives the same bytes."""


class BundleDiffers(ValueError):
    """What the database holds now is not what the signed manifest says."""


def newest_bundle(session: Session, poll_id: uuid.UUID) -> Bundle | None:
    """The bundle of the longest log, of these the last: it shows most witnesses of its time."""
    newest = select(Bundle).where(Bundle.poll_id == poll_id).order_by(text(NEWEST_FIRST)).limit(1)
    return session.scalars(newest).one_or_none()


def parts_of(session: Session, bundle: Bundle) -> dict[str, Part]:
    """The files of a bundle but the manifest, by name. Raises LookupError if one is missing."""
    poll_id, size = bundle.poll_id, bundle.log_size
    public = session.execute(_PUBLISHED, {"poll_id": poll_id}).one_or_none()
    definition = definition_of(session, poll_id)
    note = session.get_one(Checkpoint, (poll_id, size)).note
    if public is None or definition is None or note is None:
        raise LookupError("not published, or not signed")
    small = {
        "definition.json": definition,
        "keys.json": bundle.keys,
        "checkpoint": note.encode(),
        "city/checkpoint": bundle.city_checkpoint,
        "city/proof.json": _city_proof(session, bundle),
        "statement.json": public.statement,
        **_notices(session, poll_id, size),
    }
    parts: dict[str, Part] = {name: partial(iter, (content,)) for name, content in small.items()}
    parts["log.bin"] = partial(_log, session, poll_id, size)
    parts["checkpoints.json"] = partial(_boundaries, session, poll_id, size)
    if public.records_public:
        parts["records.bin"] = partial(_records, session, poll_id, public.records)
    return dict(sorted(parts.items()))


_PUBLISHED = text(
    "SELECT statement, records, records_public FROM published_result WHERE poll_id = :poll_id"
)


def manifest_of(bundle: Bundle, parts: Parts) -> bytes:
    """Name, hash and length of every file: the bytes of manifest.json."""
    origin = orjson.loads(next(parts["definition.json"]()))["origin"]
    files = {name: _described(part) for name, part in parts.items()}
    document = {"format": FORMAT, "poll_id": str(bundle.poll_id), "origin": origin, "files": files}
    return canonical(document)


def _described(part: Part) -> dict[str, Any]:
    digest, length = hashlib.sha256(), 0
    for chunk in part():
        digest.update(chunk)
        length += len(chunk)
    return {"sha256": digest.hexdigest(), "bytes": length}


def write_archive(session: Session, bundle: Bundle, path: Path) -> None:
    """Write the archive to *path*, whole or not at all. Raises BundleDiffers, LookupError, OSError.

    Files are stored as they are, in a fixed order, with a fixed date: always the same bytes.
    """
    parts = parts_of(session, bundle)
    told = orjson.loads(bundle.manifest)["files"]
    if told.keys() != parts.keys():
        raise BundleDiffers(f"other files than signed: {sorted(told.keys() ^ parts.keys())}")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with zipfile.ZipFile(draft, "w") as archive:
            _store(archive, "manifest.json", partial(iter, (bundle.manifest,)))
            _store(archive, "manifest.sig", partial(iter, (bundle.signature,)))
            for name, part in parts.items():
                if _store(archive, name, part) != told[name]["sha256"]:
                    raise BundleDiffers(f"{name} is not what was signed")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _store(archive: zipfile.ZipFile, name: str, part: Part) -> str:
    digest = hashlib.sha256()
    with archive.open(zipfile.ZipInfo(name, LONG_AGO), "w") as file:
        for chunk in part():
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _log(session: Session, poll_id: uuid.UUID, size: int) -> Iterator[bytes]:
    """Kind and data of each entry, back to back; the database puts many of them together."""
    yield from _in_pieces(session, _ENTRIES, poll_id, size)


_ENTRIES = text(
    "SELECT string_agg(set_byte('\\x00'\\:\\:bytea, 0, kind) || data, '' ORDER BY idx)"
    " FROM log_entry WHERE poll_id = :poll_id AND idx >= :start AND idx < :end"
)


def _records(session: Session, poll_id: uuid.UUID, records: int) -> Iterator[bytes]:
    yield from _in_pieces(session, _VECTORS, poll_id, records)


_VECTORS = text(
    "SELECT string_agg(vector, '' ORDER BY j) FROM published_record"
    " WHERE poll_id = :poll_id AND pack >= :start AND pack < :end"
)


def _in_pieces(session: Session, query: Any, poll_id: uuid.UUID, end: int) -> Iterator[bytes]:
    for start in range(0, end, CHUNK):
        bound = {"poll_id": poll_id, "start": start, "end": min(end, start + CHUNK)}
        yield session.execute(query, bound).scalar_one() or b""


def _boundaries(session: Session, poll_id: uuid.UUID, size: int) -> Iterator[bytes]:
    """The ends of all batches: `[{"root","size"}, …]`, canonical."""
    batches = (
        select(Checkpoint.size, Checkpoint.root)
        .where(Checkpoint.poll_id == poll_id, Checkpoint.size <= size)
        .order_by(Checkpoint.size)
        .execution_options(yield_per=CHUNK)
    )
    before = b"["
    for end, root in session.execute(batches):
        yield before + b'{"root":"%b","size":%d}' % (root.hex().encode(), end)
        before = b","
    yield b"]"


def _notices(session: Session, poll_id: uuid.UUID, size: int) -> dict[str, bytes]:
    """The notices that the log knows of, in its order."""
    found = session.scalars(_NOTICES, {"poll_id": poll_id, "size": size})
    return {f"notices/{number:03}.json": content for number, content in enumerate(found)}


_NOTICES = text(
    "SELECT n.content FROM log_entry e"
    " JOIN notice n ON n.poll_id = e.poll_id AND sha256(n.content) = e.data"
    " WHERE e.poll_id = :poll_id AND e.kind = 3 AND e.idx < :size ORDER BY e.idx"
)


def _city_proof(session: Session, bundle: Bundle) -> bytes:
    """That the city's log holds the poll's checkpoint."""
    held = place_in_city(session, bundle.poll_id, bundle.log_size)
    if held is None:
        raise LookupError("the city's log does not hold this checkpoint")
    steps = inclusion(session, CITY, index=held.idx, size=bundle.city_size)
    entry = b"\x05" + held.data
    proof = [step.hex() for step in steps]
    return canonical(
        {"index": held.idx, "entry": entry.hex(), "size": bundle.city_size, "proof": proof}
    )


def place_in_city(session: Session, poll_id: uuid.UUID, size: int) -> Row[Any] | None:
    """Index and data of the city's entry for the poll's log of that size."""
    is_private = session.scalars(select(Poll.is_private).where(Poll.id == poll_id)).one()
    name = name_in_city(poll_id.bytes, is_private=is_private)
    wanted = {"city": CITY, "named": name + size.to_bytes(8, "big")}
    return session.execute(_IN_CITY, wanted).one_or_none()


_IN_CITY = text(
    "SELECT idx, data FROM log_entry"
    " WHERE poll_id = :city AND kind = 5 AND substr(data, 1, 24) = :named"
)


def has_statement(session: Session, poll_id: uuid.UUID) -> bool:
    """Whether the log holds the count's statement, the last thing that a bundle waits for."""
    return (
        session.execute(_STATEMENT, {"poll_id": poll_id, "kind": STATEMENT_ENTRY}).first()
        is not None
    )


_STATEMENT = text(
    "SELECT 1 FROM log_entry WHERE poll_id = :poll_id AND kind = :kind ORDER BY idx DESC LIMIT 1"
)
