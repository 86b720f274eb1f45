"""The tables of the ballot box. None holds a time, a sequence or a name beside a ballot.

Each starts its key with the poll, so that the box can be spread over machines by poll.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Computed, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, utc_now

CITY = f"'{uuid.UUID(int=0)}'"
"""In place of a poll's id: the city's log, whose entries are checkpoints of the polls'."""


VECTOR_BYTES = "(4 + 2 * (256 * get_byte(vectors, 2) + get_byte(vectors, 3)))"
"""The length of the first vector of a row of records, as its head tells it."""


class Participation(Base):
    """*That* somebody has voted: three tags, which say nothing without the poll's keys."""

    __tablename__ = "participation"
    __table_args__ = (
        CheckConstraint(
            "length(voter_tag) = 16 AND length(key_tag) = 16 AND length(ballot_tag) = 16",
            name="tags_of_16_bytes",
        ),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    voter_tag: Mapped[bytes] = mapped_column(primary_key=True)
    key_tag: Mapped[bytes]
    ballot_tag: Mapped[bytes]


class Envelope(Base):
    """A ballot that waits to be shuffled, under both layers. The id is random."""

    __tablename__ = "envelope"

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    outer: Mapped[bytes]


class QuarantinedEnvelope(Base):
    """An envelope whose outer layer did not open: kept as it was, and counted."""

    __tablename__ = "quarantined_envelope"

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    outer: Mapped[bytes]


class BoxedBallot(Base):
    """A sealed ballot that was shuffled in, at its place in the log."""

    __tablename__ = "box"

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes]


class LogEntry(Base):
    """An entry of a poll's log, or of the city's: kind ‖ data; `log.py` names the kinds."""

    __tablename__ = "log_entry"
    __table_args__ = (
        CheckConstraint("kind BETWEEN 0 AND 5", name="kind_known"),
        CheckConstraint(f"(idx = 0 AND poll_id <> {CITY}) = (kind = 0)", name="definition_first"),
        CheckConstraint(f"(poll_id = {CITY}) = (kind = 5)", name="checkpoints_in_the_city"),
        CheckConstraint(
            "length(data) = CASE kind WHEN 1 THEN 48 WHEN 5 THEN 56 ELSE 32 END",
            name="data_length",
        ),
        # The city's log names each size of a poll's log once: its first 24 bytes are both.
        Index(
            "uq_log_entry_city",
            "poll_id",
            text("substr(data, 1, 24)"),
            unique=True,
            postgresql_where=text("kind = 5"),
        ),
        Index(
            "ix_log_entry_tracker",
            text("substr(data, 1, 16)"),
            postgresql_using="hash",
            postgresql_where=text("kind = 1"),
        ),
        Index(
            "ix_log_entry_acts",
            "poll_id",
            "kind",
            "idx",
            postgresql_where=text("kind IN (0, 3, 4)"),
        ),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[int] = mapped_column(SmallInteger)
    data: Mapped[bytes]


class Record(Base):
    """Cast vote records: vectors of ballots, sorted, so their places say nothing; 256 in a row."""

    __tablename__ = "record"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN length(vectors) >= 4 THEN"
            f" length(vectors) % {VECTOR_BYTES} = 0 AND length(vectors) / {VECTOR_BYTES} <= 256"
            " ELSE false END",
            name="whole_vectors",
        ),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: the place of the first of them among all
    j: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: up to 256 vectors back to back, all of one length
    vectors: Mapped[bytes]


class Result(Base):
    """The count's statement (canonical JSON) and the accounting that decides its publication."""

    __tablename__ = "result"

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    statement: Mapped[bytes]
    participations: Mapped[int]
    entries: Mapped[int]
    records: Mapped[int]
    quarantined: Mapped[int]
    unopenable: Mapped[int]
    #: the vectors may be shown, as far as the definition and the number of ballots allow
    records_public: Mapped[bool]
    #: other code counted the records, too, and found the same; empty where nobody did
    recounted: Mapped[bool | None]
    #: the root over the entries that were counted is the final checkpoint's
    log_agrees: Mapped[bool | None]
    accounting_holds: Mapped[bool] = mapped_column(
        Computed(
            "participations = entries AND entries = records AND quarantined = 0 AND unopenable = 0",
            persisted=True,
        )
    )


class SpentToken(Base):
    """A presence token that was used: its hash, for minutes."""

    __tablename__ = "spent_token"

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    #: after this instant the token is expired anyway, and the row goes
    expires_at: Mapped[dt.datetime]


class SealingKey(Base):
    """A public sealing key that the counter made; a poll takes one when it is frozen."""

    __tablename__ = "sealing_key"
    __table_args__ = (CheckConstraint("length(public_key) = 32", name="x25519"),)

    public_key: Mapped[bytes] = mapped_column(primary_key=True)
    made_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    poll_id: Mapped[uuid.UUID | None]
