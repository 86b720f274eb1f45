"""What the council made of a funded project, and who moved up from the reserve list for it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal, get_args

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, state_check, utc_now

Enacted = Literal["enacted", "reduced", "dropped"]
ENACTED: tuple[Enacted, ...] = get_args(Enacted)


class Enactment(Base):
    """The council's amount, entered by two officers. Written by `enact_project` alone."""

    __tablename__ = "enactment"
    __table_args__ = (
        state_check("state", ENACTED),
        CheckConstraint("amount >= 0 AND amount <= funded_amount", name="amount_within_funded"),
        CheckConstraint(
            "(state = 'dropped') = (amount = 0) AND (state = 'enacted') = (amount = funded_amount)",
            name="state_is_by_amount",
        ),
        CheckConstraint("state = 'enacted' OR text IS NOT NULL", name="less_has_reason"),
    )

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    state: Mapped[Enacted]
    #: whole units of the cycle's currency
    amount: Mapped[int] = mapped_column(BigInteger)
    #: what the plenary had confirmed, or what it moved up with
    funded_amount: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class ReserveMove(Base):
    """A project that moved up from the reserve list for the money that a dropped one freed."""

    __tablename__ = "reserve_move"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_counts"),
        CheckConstraint("freed_by <> proposal_id", name="freed_by_another"),
        Index("ix_reserve_move_freed_by", "freed_by"),
    )

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    #: the dropped project
    freed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("enactment.proposal_id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)
