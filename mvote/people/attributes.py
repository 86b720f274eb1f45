"""What is known of a citizen and decides where they may vote: each with who verified it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, state_check, utc_now

AREA_NAMES = ("home_area", "work_area", "business_area", "study_area")
NAMES = ("birth_year", "gender", "occupation", *AREA_NAMES, "public_body_staff")
GENDERS = ("female", "male", "other")


class Attribute(Base):
    """One attribute of one citizen, declared by themselves until an officer verifies it."""

    __tablename__ = "attribute"
    __table_args__ = (
        state_check("name", NAMES),
        CheckConstraint(
            "num_nonnulls(verified_by, verified_issuer) = (verified_at IS NOT NULL)::integer",
            name="verifier_if_verified",
        ),
        CheckConstraint("verified_how IS NULL OR verified_at IS NOT NULL", name="how_if_verified"),
        CheckConstraint(
            "(right(name, 5) = '_area') = (cardinality(lineage) > 0)", name="lineage_if_area"
        ),
    )

    citizen_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("citizen.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    #: a year, a word, an area's code, true or false
    value: Mapped[Any] = mapped_column(JSONB)
    #: of an area: its own code and those of all areas that contain it
    lineage: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=list, server_default=text("'{}'")
    )
    set_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: the officer who verified the value, when, and by what (a document, a register)
    verified_by: Mapped[uuid.UUID | None]
    #: or the identity provider that did
    verified_issuer: Mapped[str | None]
    verified_at: Mapped[dt.datetime | None]
    verified_how: Mapped[str | None]
