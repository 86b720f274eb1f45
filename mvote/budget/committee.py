"""The committee: a body of a cycle, how its seats are to be drawn, and who applied for one."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, new_id, utc_now
from mvote.people.citizens import hash_check


class Committee(Base):
    """A committee of a cycle. Insert-only: what was published before the draw stays as it is.

    Where seats are drawn by lot, the hash of the seed is published before applications close, and
    the public value that is mixed in becomes known only afterwards, at `public_value_at`.
    """

    __tablename__ = "committee"
    __table_args__ = (
        CheckConstraint("kind ~ '^[A-Za-z0-9_-]{1,40}$'", name="kind_named"),
        CheckConstraint(
            "num_nonnulls(commitment, public_source, applications_close_at, public_value_at)"
            " IN (0, 4)",
            name="draw_whole",
        ),
        CheckConstraint(
            "created_at < applications_close_at AND applications_close_at < public_value_at",
            name="committed_before_applications_close",
        ),
        CheckConstraint("starts_on < ends_on", name="starts_before_it_ends"),
        hash_check("commitment"),
        Index("ix_committee_cycle_id", "cycle_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    cycle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cycle.id"))
    #: `{"ko": …, "en": …}`, at least one of them
    name: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: one of the bodies that the cycle names; see `body_names`
    kind: Mapped[str]
    #: whose projects it reviews, with all below them; empty: all
    headings: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: the same by districts
    area_codes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: the term of those who are drawn
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    #: `[{"value", "min_age", "max_age"}]`: what the category `age` is made of
    age_bands: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    #: SHA-256 of the secret half of the seed
    commitment: Mapped[bytes | None]
    #: which public value will be mixed in, in a sentence
    public_source: Mapped[str | None]
    applications_close_at: Mapped[dt.datetime | None]
    public_value_at: Mapped[dt.datetime | None]
    created_by: Mapped[uuid.UUID]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class CommitteeTargets(Base):
    """How many are drawn, and of whom how many. Insert-only; the last one counts.

    The first is published with the committee; two officers may lower quotas in public, until the
    public value is known.
    """

    __tablename__ = "committee_targets"
    __table_args__ = (
        CheckConstraint("n >= 0", name="numbered"),
        CheckConstraint("(n = 0) = (text IS NULL)", name="change_has_reason"),
    )

    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: `seats`, `quotas`, `reserves`, `reserve_quotas`: see `drawing.published.rule_from`
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: why it was changed
    text: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class Application(Base):
    """One person's wish to sit in a committee. Once applications are closed it never changes.

    It outlives its account without naming it, so that the draw stays repeatable.
    """

    __tablename__ = "application"
    __table_args__ = (
        UniqueConstraint("committee_id", "pseudonym"),
        Index(
            "uq_application_citizen", "committee_id", "citizen_id", unique=True,
            postgresql_where=text("citizen_id IS NOT NULL"),
        ),
        Index("ix_application_citizen_id", "citizen_id"),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    committee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("committee.id"))
    citizen_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("citizen.id", ondelete="SET NULL")
    )
    #: a keyed hash of committee and citizen: nobody without the key joins two of them
    pseudonym: Mapped[str]
    #: for each category the values that hold, as they were known when the person applied
    categories: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: which of the categories rest on a fact that an officer verified
    verified: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: `organisations`, `points` (lat, lon), `text`: what may make a recusal
    interests: Mapped[dict[str, Any]] = mapped_column(JSONB)
    #: headings that the person would rather review, the dearest first
    preferences: Mapped[list[str]] = mapped_column(ARRAY(Text))
    applied_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    withdrawn_at: Mapped[dt.datetime | None]
