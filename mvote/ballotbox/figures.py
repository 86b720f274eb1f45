"""Tables of figures: how far a count is, live counts, and turnout by area and age."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ARRAY, BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, utc_now


class CountingProgress(Base):
    """How far the counter is with a poll: for whoever waits for it. Decides nothing."""

    __tablename__ = "counting_progress"

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: entries of the log that are unsealed, of how many
    done: Mapped[int]
    size: Mapped[int]
    began_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class LiveCount(Base):
    """What was counted of a poll with live results, up to a checkpoint. It only goes on."""

    __tablename__ = "live_count"

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: the size of the log at that checkpoint
    size: Mapped[int]
    ballots: Mapped[int]
    blank: Mapped[int]
    #: in the order of the options
    totals: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class TurnoutCell(Base):
    """How many took part in one area, or at one age, rounded to fives. Written once."""

    __tablename__ = "turnout_cell"
    __table_args__ = (
        CheckConstraint("dimension IN ('area', 'age')", name="dimension_known"),
        CheckConstraint("ballots >= 0 AND ballots % 5 = 0", name="rounded"),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    dimension: Mapped[str] = mapped_column(primary_key=True)
    #: an area's code, the years of an age band (20-29), or `unknown`
    cell: Mapped[str] = mapped_column(primary_key=True)
    ballots: Mapped[int]
