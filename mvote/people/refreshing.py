"""Sessions that go on, and end: refresh tokens are traded, and one that comes twice ends it all.

A refusal whose effect must be kept comes back as None: the caller commits first and refuses then.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mvote.errors import NotFound
from mvote.journal import Event, write_down
from mvote.people import sessions
from mvote.people.citizens import Citizen
from mvote.people.notices import tell
from mvote.people.sessions import RefreshToken, SignIn
from mvote.people.signing_in import FrontDesk, SignedIn, keep_token
from mvote.wording import say

#: what a phone gets when a session was ended because a token of it came twice
WARNING = say(
    "[mvote] A sign-in of yours was used in two places, so we ended it. If this was not you, sign"
    " in again and look at your sessions."
)


@dataclass(frozen=True, kw_only=True)
class SessionRevoked(Event):
    """A used refresh token came again after the grace: one of its two bearers is a thief."""

    kind = "session:revoked"
    session_id: uuid.UUID


def refresh(session: Session, *, desk: FrontDesk, token: str, now: dt.datetime) -> SignedIn | None:
    """Trade a refresh token for the next; None, to be committed, if it is not good.

    A used one is answered again as it was for GRACE, as long as nobody has used that answer.
    After that it was stolen, before or since: the whole session ends (RFC 9700, 4.14.2).
    """
    signed_in = _locked_session(session, token, now)
    if signed_in is None:
        return None
    used = session.get_one(RefreshToken, sessions.hash_of_token(token), populate_existing=True)
    successor = sessions.successor_of(desk.keystore, token)
    if used.used_at is None:
        used.used_at = signed_in.last_used_at = now
        keep_token(session, successor, sign_in_id=signed_in.id, now=now)
    elif not _may_be_repeated(session, used.used_at, successor, now):
        _revoke(session, signed_in, desk)
        return None
    return SignedIn(signed_in.citizen_id, signed_in.id, successor)


def _locked_session(session: Session, token: str, now: dt.datetime) -> SignIn | None:
    """The session that a token belongs to, alone with it: its state is read after the lock."""
    is_it = RefreshToken.token_hash == sessions.hash_of_token(token)
    id_ = session.scalars(select(RefreshToken.sign_in_id).where(is_it)).one_or_none()
    return session.execute(
        select(SignIn).where(SignIn.id == id_, SignIn.expires_at > now).with_for_update()
    ).scalar_one_or_none()


def _may_be_repeated(
    session: Session, used_at: dt.datetime, successor: str, now: dt.datetime
) -> bool:
    """Whether the answer may have been lost: it is young, and nobody has come with it."""
    if now - used_at > sessions.GRACE:
        return False
    following = session.get(RefreshToken, sessions.hash_of_token(successor), populate_existing=True)
    return following is not None and following.used_at is None


def _revoke(session: Session, stolen: SignIn, desk: FrontDesk) -> None:
    """End the session, write it down, and tell its citizen once that is durable."""
    citizen = session.get_one(Citizen, stolen.citizen_id)
    event = SessionRevoked(session_id=stolen.id)
    write_down(session, event, actor_id=None, subject_id=citizen.id)
    session.execute(delete(SignIn).where(SignIn.id == stolen.id))
    tell(session, desk, citizen, WARNING)


def sessions_of(session: Session, citizen_id: uuid.UUID, *, now: dt.datetime) -> Sequence[SignIn]:
    """The sessions that go on, the one used last first."""
    mine = select(SignIn).where(SignIn.citizen_id == citizen_id, SignIn.expires_at > now)
    return session.scalars(mine.order_by(SignIn.last_used_at.desc(), SignIn.id)).all()


def end_session(session: Session, *, citizen_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """End one session of the citizen. Raises NotFound if there is none, or it is another's."""
    is_it = (SignIn.id == session_id, SignIn.citizen_id == citizen_id)
    ended = delete(SignIn).where(*is_it).returning(SignIn.id)
    if session.scalar(ended) is None:
        raise NotFound


def sign_out(
    session: Session, *, citizen_id: uuid.UUID, session_id: uuid.UUID | None = None
) -> None:
    """End a session of a citizen, all without one. Access tokens live on for their minutes."""
    ended = delete(SignIn).where(SignIn.citizen_id == citizen_id)
    session.execute(ended if session_id is None else ended.where(SignIn.id == session_id))
