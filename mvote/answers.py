"""Answers that are kept for a day: a request that comes twice is carried out once.

Ballots have a rule of their own (their key is stored nowhere); this is for everything else.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, utc_now
from mvote.errors import RequestKeyReused

TERM = dt.timedelta(hours=24)


class KeptAnswer(Base):
    """What was answered to a citizen's request, kept in the same transaction as its effect."""

    __tablename__ = "kept_answer"
    __table_args__ = (
        CheckConstraint("octet_length(key_hash) = 32", name="key_hash_whole"),
        CheckConstraint("octet_length(request_hash) = 32", name="request_hash_whole"),
        Index("ix_kept_answer_kept_until", "kept_until"),
    )

    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), primary_key=True
    )
    operation: Mapped[str] = mapped_column(primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    status: Mapped[int] = mapped_column(SmallInteger)
    #: those that belong to the body: its type, its tag
    headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[bytes]
    kept_until: Mapped[dt.datetime]


@dataclass(frozen=True, kw_only=True, repr=False)
class Asked:
    """A request: who asks for which operation, under which key of theirs, and all it says."""

    citizen_id: uuid.UUID
    operation: str
    key: str
    content: bytes

    @property
    def key_hash(self) -> bytes:
        return hashlib.sha256(b"mvote/request-key/1\x00" + self.key.encode()).digest()

    @property
    def request_hash(self) -> bytes:
        # With the key, which is not kept: a stolen hash of a content that can be guessed but for a
        # password in it is then no means to guess the password.
        key = self.key.encode()
        return hashlib.sha256(b"mvote/request/1\x00" + key + b"\x00" + self.content).digest()

    @property
    def lock(self) -> int:
        """64 bits that stand for caller, operation and key together."""
        whole = self.citizen_id.bytes + self.key_hash + self.operation.encode()
        return int.from_bytes(hashlib.sha256(whole).digest()[:8], signed=True)


def answer_before(session: Session, asked: Asked) -> KeptAnswer | None:
    """The answer this very request got before, if it did; its twin is waited for.

    Raises RequestKeyReused if the key came with another request.
    """
    session.execute(select(func.pg_advisory_xact_lock(asked.lock)))
    kept = session.get(KeptAnswer, (asked.citizen_id, asked.operation, asked.key_hash))
    if kept is not None and kept.request_hash != asked.request_hash:
        raise RequestKeyReused
    return kept


def keep_answer(
    session: Session, asked: Asked, *, status: int, headers: dict[str, str], body: bytes
) -> None:
    """Keep what is being answered, for whoever asks the same again within a day."""
    answer = KeptAnswer(
        citizen_id=asked.citizen_id,
        operation=asked.operation,
        key_hash=asked.key_hash,
        request_hash=asked.request_hash,
        status=status,
        headers=headers,
        body=body,
        kept_until=utc_now() + TERM,
    )
    session.add(answer)


def remove_old_answers(session: Session) -> None:
    """Remove what was kept long enough."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.kept_until < func.clock_timestamp()))
