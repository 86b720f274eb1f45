"""An invitation to one number on a roll, and the sending of all those of one poll."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Literal

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from mvote.base import Base, state_check, utc_now
from mvote.people.citizens import hash_check, language_check

InvitationState = Literal["waiting", "sending", "sent", "unknown", "failed", "stopped", "refused"]
INVITATION_STATES: tuple[InvitationState, ...] = (
    "waiting", "sending", "sent", "unknown", "failed", "stopped", "refused",
)  # fmt: skip
RunState = Literal["running", "paused", "stopped", "done"]
RUN_STATES: tuple[RunState, ...] = ("running", "paused", "stopped", "done")
MOST_TRIES = 3


class Invitation(Base):
    """One invitation. The number is there, sealed, until it is sent or given up, and then gone.

    Only for who is on the roll, with whose entry it goes: triggers see to both, once a statement.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        hash_check("token_hash"),
        state_check("state", INVITATION_STATES),
        CheckConstraint(
            "(sealed IS NOT NULL) = (state IN ('waiting', 'sending'))", name="number_until_sent"
        ),
        CheckConstraint(f"tries BETWEEN 0 AND {MOST_TRIES}", name="few_tries"),
        Index("ix_invitation_token", "poll_id", "token_hash", unique=True),
        Index(
            "ix_invitation_waiting",
            "poll_id",
            "entry",
            postgresql_where=text("state IN ('waiting', 'sending')"),
        ),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    #: whose number it is, as the roll has it: one invitation for each
    entry: Mapped[bytes] = mapped_column(primary_key=True)
    #: number and token, encrypted by the poll's own key
    sealed: Mapped[bytes | None]
    #: of the link; the link itself is known to whoever got it
    token_hash: Mapped[bytes]
    state: Mapped[InvitationState] = mapped_column(default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[dt.datetime | None]


class InvitationRun(Base):
    """The sending of all invitations to one poll."""

    __tablename__ = "invitation_run"
    __table_args__ = (
        state_check("state", RUN_STATES),
        language_check(),
        CheckConstraint(
            "(state IN ('stopped', 'done')) = (finished_at IS NOT NULL)", name="finished_at_its_end"
        ),
    )

    poll_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    state: Mapped[RunState] = mapped_column(default="running")
    language: Mapped[str]
    started_by: Mapped[uuid.UUID]
    started_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    #: after the gateway was found ill: not before this
    not_before: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
