"""Two persons for one act: one officer asks, a second grants it by doing the same.

A request stands for an act, its subject and its arguments together; with other arguments it is
another request. The database keeps the rules: `ask_approval` is the only way in, and a grant is
written only by the function that carries the act out, in the same transaction.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
import rfc8785
from sqlalchemy import CheckConstraint, Index, Select, exists, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from mvote.base import Base, new_id
from mvote.errors import NotAllowed, OutcomeUnknown, stands_for
from mvote.journal import Event, write_down
from mvote.people.citizens import RoleGrant

_ASK = text("SELECT ask_approval(:id, :act, :subject_id, :arguments, :asked_by)")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:subject_id AS text), 4))")

stands_for("ck_approval_by_two_persons", NotAllowed)
# it expired between being found and being granted: the next try asks anew
stands_for("ck_approval_granted_in_time", OutcomeUnknown)


class Approval(Base):
    """A request that waits for a second officer, was granted by one, or has lapsed."""

    __tablename__ = "approval"
    __table_args__ = (
        CheckConstraint("act ~ '^[a-z_]+:[a-z_]+$'", name="act_named"),
        CheckConstraint("granted_by <> asked_by", name="by_two_persons"),
        CheckConstraint("asked_at < expires_at", name="expires"),
        CheckConstraint("(granted_by IS NULL) = (granted_at IS NULL)", name="granted_by_one"),
        CheckConstraint("granted_by IS NULL OR lapsed_at IS NULL", name="granted_or_lapsed"),
        CheckConstraint(
            "granted_at >= asked_at AND granted_at < expires_at", name="granted_in_time"
        ),
        Index(
            "ix_approval_waiting",
            "subject_id",
            "act",
            postgresql_where=text("granted_by IS NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: `subject:verb`
    act: Mapped[str]
    #: the poll, cycle … that is to be acted on
    subject_id: Mapped[uuid.UUID]
    #: what is asked for, in canonical JSON (RFC 8785): the second officer grants exactly this
    arguments: Mapped[bytes]
    asked_by: Mapped[uuid.UUID]
    asked_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    granted_by: Mapped[uuid.UUID | None]
    granted_at: Mapped[dt.datetime | None]
    #: when the end of voting moved, which it was about: it can be granted no more
    lapsed_at: Mapped[dt.datetime | None]

    @property
    def asked_for(self) -> dict[str, Any]:
        """The arguments, read."""
        found: dict[str, Any] = orjson.loads(self.arguments)
        return found


@dataclass(frozen=True, kw_only=True)
class ApprovalAsked(Event):
    kind: ClassVar[str] = "approval:asked"
    approval_id: uuid.UUID
    act: str


def one_at_a_time(session: Session, subject_id: uuid.UUID) -> None:
    """Wait until nobody else asks for or grants an act on the subject; then be the only one."""
    session.execute(_ALONE, {"subject_id": subject_id})


def ask(
    session: Session,
    *,
    act: str,
    subject_id: uuid.UUID,
    arguments: dict[str, Any],
    officer_id: uuid.UUID,
) -> Approval:
    """The request that waits for this very act; a new one of the officer's if there is none.

    Another officer's request may be granted: hand its id to the function that carries out the act.
    """
    asked = {
        "id": new_id(),
        "act": act,
        "subject_id": subject_id,
        "arguments": rfc8785.dumps(arguments),
        "asked_by": officer_id,
    }
    approval = session.get_one(Approval, session.execute(_ASK, asked).scalar_one())
    if approval.id == asked["id"]:
        event = ApprovalAsked(approval_id=approval.id, act=act)
        write_down(session, event, actor_id=officer_id, subject_id=subject_id)
    return approval


def waiting(
    session: Session,
    *,
    subject_id: uuid.UUID | None = None,
    before: uuid.UUID | None = None,
    limit: int = 100,
    hidden: Select[uuid.UUID] | None = None,
) -> Sequence[Approval]:
    """Up to *limit* requests that can still be granted, newest first, older than *before*.

    Those about a *hidden* subject are left out.
    """
    query = select(Approval).where(
        Approval.granted_by.is_(None),
        Approval.lapsed_at.is_(None),
        Approval.expires_at > func.clock_timestamp(),
        exists().where(RoleGrant.citizen_id == Approval.asked_by, RoleGrant.role == "officer"),
    )
    if subject_id is not None:
        query = query.where(Approval.subject_id == subject_id)
    if before is not None:
        query = query.where(Approval.id < before)
    if hidden is not None:
        query = query.where(Approval.subject_id.not_in(hidden))
    return session.scalars(query.order_by(Approval.id.desc()).limit(limit)).all()


def lapsed(session: Session, *, subject_id: uuid.UUID, act: str) -> Sequence[Approval]:
    """Requests for *act*, not a day old, that ended because the end of voting has moved since."""
    query = select(Approval).where(
        Approval.subject_id == subject_id,
        Approval.act == act,
        Approval.lapsed_at.is_not(None),
        Approval.expires_at > func.clock_timestamp(),
    )
    return session.scalars(query.order_by(Approval.id)).all()
