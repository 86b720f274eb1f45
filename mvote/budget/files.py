"""Files that citizens show: pictures and PDF attachments, kept by their SHA-256.

Who sends the same bytes again gets the same file. What is kept was checked to be what it says.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, state_check, utc_now
from mvote.errors import Fault, InvalidRequest, NotFound, stands_for
from mvote.journal import Event, write_down
from mvote.wording import say

PDF = "application/pdf"
PICTURE_TYPES = ("image/png", "image/jpeg", "image/webp")
TYPES = (PDF, *PICTURE_TYPES)
LARGEST_KEPT = LARGEST_PDF = 10 * 1024 * 1024
A_DAY = dt.timedelta(days=1)
PER_DAY = 50
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:by, 10))")
ORPHAN_TERM = dt.timedelta(days=30)
"""So long a file waits for somebody to name it."""
_HEAD = re.compile(rb"%PDF-[12]\.\d")
_START = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF\s*\Z")
_SECTION = re.compile(rb"xref\b|\d+\s+\d+\s+obj\b")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
"""A byte of a name, as any may be written (ISO 32000-1, 7.3.5)."""
_ACTIVE = re.compile(
    rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|EF|RichMedia|XFA|SubmitForm|ImportData)\b"
)

stands_for("fk_file_use_sha256", NotFound)


class StoredFile(Base):
    """A file. Its name is the hash of its bytes, and nothing of it changes but when it was sent."""

    __tablename__ = "stored_file"
    __table_args__ = (
        CheckConstraint("sha256 = sha256(content)", name="sha256_of_the_bytes"),
        CheckConstraint(f"octet_length(content) <= {LARGEST_KEPT}", name="small_enough"),
        state_check("media_type", TYPES),
    )

    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(deferred=True)
    #: who sent it first
    kept_by: Mapped[uuid.UUID] = mapped_column(index=True)
    kept_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: when somebody sent it last; from then on it waits to be named
    sent_at: Mapped[dt.datetime] = mapped_column(server_default=text("clock_timestamp()"))


class FileUse(Base):
    """A file that is part of something frozen: the database lets it go no more."""

    __tablename__ = "file_use"

    sha256: Mapped[bytes] = mapped_column(ForeignKey("stored_file.sha256"), primary_key=True)


@dataclass(frozen=True, kw_only=True)
class FileKept(Event):
    kind: ClassVar[str] = "file:kept"
    sha256: str
    media_type: str


def keep_file(session: Session, *, content: bytes, media_type: str, by: uuid.UUID) -> bytes:
    """Keep a file that was checked before; its SHA-256. What is there waits anew to be named."""
    digest = hashlib.sha256(content).digest()
    if _sent_again(session, digest):
        return digest
    row = {"sha256": digest, "media_type": media_type, "content": content, "kept_by": by}
    keeping = insert(StoredFile).values(**row).on_conflict_do_nothing()
    if session.scalar(keeping.returning(StoredFile.kept_at)) is not None:
        event = FileKept(sha256=digest.hex(), media_type=media_type)
        write_down(session, event, actor_id=by, subject_id=None)
    return digest


def _sent_again(session: Session, digest: bytes) -> bool:
    """Whether the file was there; it is not swept away for another ORPHAN_TERM."""
    there = update(StoredFile).where(StoredFile.sha256 == digest)
    renewed = there.values(sent_at=func.clock_timestamp()).returning(StoredFile.sha256)
    quietly = {"synchronize_session": False}
    return session.scalar(renewed, execution_options=quietly) is not None


def files_kept_today(session: Session, by: uuid.UUID) -> int:
    """How many new files the citizen has sent in the last 24 hours; who asks keeps one next.

    One at a time for each citizen, or two at once would both find room.
    """
    session.execute(ONE_AT_A_TIME, {"by": str(by)})
    mine = select(func.count()).select_from(StoredFile)
    recent = StoredFile.kept_at > func.clock_timestamp() - A_DAY
    return session.scalars(mine.where(StoredFile.kept_by == by, recent)).one()


def kept_files(session: Session, hashes: Collection[bytes], *types: str) -> set[bytes]:
    """Those of *hashes* that name a file of one of the *types*."""
    named = (StoredFile.sha256.in_(hashes), StoredFile.media_type.in_(types))
    return set(session.scalars(select(StoredFile.sha256).where(*named))) if hashes else set()


def keep_for_good(session: Session, hashes: Collection[bytes]) -> None:
    """Let nobody delete these files any more. Raises NotFound if one has gone just now."""
    rows = [{"sha256": digest} for digest in sorted(set(hashes))]
    if rows:
        session.execute(insert(FileUse).on_conflict_do_nothing(), rows)


def forget_orphans(session: Session) -> None:
    """Delete files that nothing has named for ORPHAN_TERM since they were last sent."""
    before = func.clock_timestamp() - ORPHAN_TERM
    session.execute(select(func.forget_orphan_files(before)))


def file_of(session: Session, sha256: bytes, *types: str) -> StoredFile:
    """The file, if it is of one of the *types*. Raises NotFound."""
    found = session.get(StoredFile, sha256)
    if found is None or found.media_type not in types:
        raise NotFound
    return found


def check_pdf(content: bytes) -> None:
    """See that *content* is a whole PDF (ISO 32000-1, 7.5) that says of nothing to be run.

    What lies in compressed object streams (7.5.7) is not looked into: a PDF is no promise, so it
    is handed out to be saved, never shown within a page. Raises InvalidRequest.
    """
    start = _START.search(content[-1024:])
    if not _HEAD.match(content) or start is None:
        raise InvalidRequest(Fault("", say("This is no whole PDF.")))
    if not _SECTION.match(content, int(start[1])):
        raise InvalidRequest(Fault("", say("This is no whole PDF.")))
    if _ACTIVE.search(_ESCAPED.sub(_plain, content)):
        raise InvalidRequest(
            Fault("", say("A PDF that runs programs or hides files is not taken."))
        )


def _plain(escaped: re.Match[bytes]) -> bytes:
    return bytes([int(escaped[1], 16)])


def unknown_files(session: Session, content: dict[str, Any]) -> list[Fault]:
    """Faults for pictures and attachments that nobody has sent before."""
    return [
        *_unknown(session, content, "pictures", PICTURE_TYPES),
        *_unknown(session, content, "attachments", (PDF,)),
    ]


def _unknown(
    session: Session, content: dict[str, Any], member: str, types: tuple[str, ...]
) -> Iterator[Fault]:
    named = [bytes.fromhex(each["sha256"]) for each in content.get(member) or ()]
    known = kept_files(session, named, *types)
    for n, digest in enumerate(named):
        if digest not in known:
            yield Fault(f"/{member}/{n}/sha256", say("There is no such file; send it first."))
