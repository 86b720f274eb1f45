"""Who has an account: citizens, the roles they hold, departments, their consents and anchors."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mvote.base import Base, new_id, state_check, utc_now

Role = Literal["officer", "administrator"]
"""What a citizen may be beyond a citizen: an officer of a department, or who runs it all."""

ROLES: tuple[Role, ...] = ("officer", "administrator")
HASH_BYTES = 32


def hash_check(column: str) -> CheckConstraint:
    """A named CHECK that *column* holds a whole SHA-256 or HMAC-SHA256."""
    return CheckConstraint(f"octet_length({column}) = {HASH_BYTES}", name=f"{column}_whole")


def language_check() -> CheckConstraint:
    """A named CHECK that `language` is a tag (BCP 47); which there are, only files can tell."""
    tag = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"
    return CheckConstraint(f"language ~ '{tag}'", name="language_tagged")


class Department(Base):
    """A part of the city's government, on whose behalf officers act."""

    __tablename__ = "department"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    #: `{"ko": …, "en": …}`, at least one of them
    name: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class RoleGrant(Base):
    """One role of one citizen: an officer's is tied to a department, an administrator's is not."""

    __tablename__ = "role_grant"
    __table_args__ = (
        state_check("role", ROLES),
        CheckConstraint("(role = 'officer') = (department_id IS NOT NULL)", name="officer_of_one"),
        Index(
            "uq_role_grant_officer", "citizen_id", "department_id", unique=True,
            postgresql_where=text("role = 'officer'"),
        ),
        Index(
            "uq_role_grant_administrator", "citizen_id", unique=True,
            postgresql_where=text("role = 'administrator'"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[str]
    department_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("department.id"))
    granted_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class Citizen(Base):
    """An account: one confirmed number or identity, one citizen. Neither stands here in clear."""

    __tablename__ = "citizen"
    __table_args__ = (
        hash_check("phone_hash"),
        hash_check("identity_hash"),
        language_check(),
        CheckConstraint("(phone_hash IS NULL) = (phone_sealed IS NULL)", name="phone_whole"),
        CheckConstraint(
            "(identity_hash IS NULL) = (identity_confirmed_at IS NULL)", name="identity_dated"
        ),
        CheckConstraint(
            "phone_hash IS NOT NULL OR identity_hash IS NOT NULL", name="with_a_way_in"
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    #: HMAC of the number with a key of its own: finds the account, one for each number
    phone_hash: Mapped[bytes | None] = mapped_column(unique=True)
    #: the number, encrypted, for sending messages
    phone_sealed: Mapped[bytes | None]
    #: when the account took this number, if it was made with another or with an identity
    phone_since: Mapped[dt.datetime | None]
    #: HMAC of who the identity provider says it is: finds the account, one for each identity
    identity_hash: Mapped[bytes | None] = mapped_column(unique=True)
    identity_confirmed_at: Mapped[dt.datetime | None]
    #: when the account took this identity, if it was made otherwise
    identity_since: Mapped[dt.datetime | None]
    #: the language of messages, if one was ever chosen
    language: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    roles: Mapped[list[RoleGrant]] = relationship(
        lazy="selectin", order_by=RoleGrant.id, cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def is_officer(self) -> bool:
        return any(grant.role == "officer" for grant in self.roles)

    @property
    def is_administrator(self) -> bool:
        return any(grant.role == "administrator" for grant in self.roles)

    @property
    def department_ids(self) -> frozenset[uuid.UUID]:
        """The departments that the citizen acts for."""
        return frozenset(grant.department_id for grant in self.roles if grant.department_id)


class Consent(Base):
    """A citizen's consent to one purpose; a withdrawn one stays as a record of its time."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("purpose ~ '^[a-z][a-z0-9_]{0,39}$'", name="purpose_named"),
        CheckConstraint("withdrawn_at >= given_at", name="withdrawn_after_given"),
        CheckConstraint("char_length(text_version) BETWEEN 1 AND 40", name="version_short"),
        Index(
            "uq_consent_in_force", "citizen_id", "purpose", unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), index=True
    )
    purpose: Mapped[str]
    #: which text of the purpose was shown, as the app that showed it calls it
    text_version: Mapped[str | None]
    given_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    withdrawn_at: Mapped[dt.datetime | None]


class Anchor(Base):
    """What one person's ballots are counted once by, and from when: never a number, a keyed HMAC.

    Who has none cannot vote yet; a poll uses the one in force when it opened.
    """

    __tablename__ = "anchor"
    __table_args__ = (hash_check("anchor"), Index("ix_anchor_anchor", "anchor"))

    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), primary_key=True
    )
    since: Mapped[dt.datetime] = mapped_column(primary_key=True, default=utc_now)
    anchor: Mapped[bytes]


class Tombstone(Base):
    """What a number or identity that was given up keeps while a poll of its time lives: anchors."""

    __tablename__ = "tombstone"
    __table_args__ = (
        hash_check("bearer_hash"),
        hash_check("anchor"),
        Index("ix_tombstone_anchor", "anchor"),
    )

    #: as `phone_hash` or `identity_hash` of the account that had it
    bearer_hash: Mapped[bytes] = mapped_column(primary_key=True)
    since: Mapped[dt.datetime] = mapped_column(primary_key=True)
    anchor: Mapped[bytes]
    until: Mapped[dt.datetime] = mapped_column(index=True)
