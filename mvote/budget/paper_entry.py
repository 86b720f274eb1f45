"""A proposal that came on paper: whose it is, and which department entered it for them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy import CheckConstraint, ForeignKey, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, utc_now
from mvote.people.citizens import RoleGrant


class PaperEntry(Base):
    """What stands on the sheet about its author: for officers alone, until it is forgotten."""

    __tablename__ = "paper_entry"
    __table_args__ = (
        CheckConstraint(
            "(person IS NULL) = (forgotten_at IS NOT NULL)", name="person_or_forgotten"
        ),
        CheckConstraint("person IS NOT NULL OR contact IS NULL", name="contact_of_somebody"),
    )

    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    #: it acts for the author, who has no account
    department_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("department.id"))
    entered_by: Mapped[uuid.UUID]
    person: Mapped[str | None]
    contact: Mapped[str | None]
    received_on: Mapped[dt.date]
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    forgotten_at: Mapped[dt.datetime | None]


def acts_for_paper(session: Session, proposal_id: uuid.UUID, citizen_id: uuid.UUID | None) -> bool:
    """Whether the citizen is an officer of the department that entered it from paper."""
    officers = (
        select(RoleGrant.id)
        .join(PaperEntry, PaperEntry.department_id == RoleGrant.department_id)
        .where(PaperEntry.proposal_id == proposal_id, RoleGrant.citizen_id == citizen_id)
    )
    return bool(session.scalar(select(exists(officers))))


def on_paper(session: Session, ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Which of the proposals came on paper."""
    came = select(PaperEntry.proposal_id).where(PaperEntry.proposal_id.in_(list(ids)))
    return set(session.scalars(came))
