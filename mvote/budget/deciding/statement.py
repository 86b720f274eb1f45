"""A survey's statement: what a source that is no poll says of each project, sealed by its hash.

It is a document in canonical JSON (RFC 8785). Its SHA-256 is public from the moment at which two
officers seal it, before anybody votes; its text, with a salt that nobody could guess, when all
sources of the contest are released. Then anyone sees that it is the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785
from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base
from mvote.people.citizens import hash_check

FORMAT = "mvote-statement/1"
SALT = b"mvote/statement-salt/1"


class SourceStatement(Base):
    """A statement that was sealed. Written by `seal_statement` alone; of several the last counts.

    Its `content` cannot be read before the release: `released_statements` gives it then.
    """

    __tablename__ = "source_statement"
    __table_args__ = (CheckConstraint("n >= 0", name="numbered"), hash_check("sha256"))

    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"), primary_key=True)
    #: keys of the cycle's definition
    contest: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    #: 0, 1, 2 … in the order of sealing
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: of the content, public at once
    sha256: Mapped[bytes]
    content: Mapped[bytes] = mapped_column(deferred=True)
    sealed_at: Mapped[dt.datetime]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What the survey found: *values* by reference, in *unit*, of so many people asked."""

    values: Mapping[str, int]
    unit: str
    sample_size: int
    #: `{"url", "sha256"}` of the survey's own report
    document: Mapping[str, str]

    def content(self, *, cycle_id: uuid.UUID, contest: str, source: str, key: bytes) -> bytes:
        """The bytes whose hash is published. Equal statements give equal bytes.

        The salt is made with *key*, so that who does not hold it cannot try values until the hash
        fits.
        """
        plain: dict[str, Any] = {
            "format": FORMAT,
            "cycle_id": str(cycle_id),
            "contest": contest,
            "source": source,
            "values": dict(self.values),
            "unit": self.unit,
            "sample_size": self.sample_size,
            "document": dict(self.document),
        }
        salt = hmac.digest(key, SALT + rfc8785.dumps(plain), "sha256")
        return rfc8785.dumps(plain | {"salt": salt.hex()})


def sha256_of(content: bytes) -> bytes:
    """The hash that is published."""
    return hashlib.sha256(content).digest()
