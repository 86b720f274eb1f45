"""Sending invitations, one after another: none twice, whenever the worker is killed.

An invitation is claimed and committed, then sent, then settled. Who is killed between leaves it
claimed: whether it was sent nobody knows, so it is not sent again, and counted as `unknown`. What
the gateway certainly did not take waits for another try, as do all others meanwhile, for it may be
ill; unless it refuses this one number for good, which harms no other.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, func, or_, select, update
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import KeyMissing, Keystore, KeyUnreadable
from mvote.ballotbox.poll_keys import key_name
from mvote.base import database_time
from mvote.languages import said
from mvote.polls.inviting.invitation import MOST_TRIES, Invitation, InvitationRun
from mvote.polls.inviting.links import LETTER, unseal
from mvote.polls.inviting.running import give_up
from mvote.polls.poll import Poll
from mvote.wording import say

LOST_AFTER = dt.timedelta(seconds=60)
"""Longer than any try to send takes."""
WAITS_FOR_GATEWAY = dt.timedelta(seconds=30)
LONGEST_TITLE = 40
Outcome = Literal["sent", "refused", "unknown", "not taken"]
"""Taken by the gateway; this number refused for good; nobody knows; certainly not taken, so that
another try may help."""
ENDED = ("closing", "closed", "counted", "published", "cancelled", "voided")


@dataclass(frozen=True, kw_only=True, repr=False)
class Letter:
    """One message that is to be sent now. Has no repr, so it is never logged."""

    poll_id: uuid.UUID
    entry: bytes
    to: str
    text: str


def claim(session: Session, *, keystore: Keystore, url: str, time_zone: str) -> Letter | None:
    """The next message, claimed; to be committed before it is sent. None if none is due.

    Those that nobody can open any more are given up: no other poll waits for them.
    """
    now = database_time(session)
    while invitation := session.scalars(_next(now)).one_or_none():
        opened = _opened(keystore, invitation)
        if opened is not None:
            return _claimed(session, invitation, *opened, url=url, time_zone=time_zone, now=now)
        invitation.state, invitation.sealed = "stopped", None
        session.flush()
    return None


def _opened(keystore: Keystore, invitation: Invitation) -> tuple[str, str] | None:
    """Number and token; None if the key is gone, or does not open them."""
    try:
        key = keystore.get(key_name(invitation.poll_id, LETTER))
        return unseal(key, invitation.entry, invitation.sealed or b"")
    except (KeyMissing, KeyUnreadable):
        return None


def _claimed(
    session: Session,
    invitation: Invitation,
    number: str,
    token: str,
    *,
    url: str,
    time_zone: str,
    now: dt.datetime,
) -> Letter:
    run = session.get_one(InvitationRun, invitation.poll_id)
    poll = session.get_one(Poll, invitation.poll_id)
    text = _text(poll, run.language, f"{url}/i/{token}", time_zone)
    invitation.state, invitation.claimed_at = "sending", now
    invitation.tries += 1
    session.flush()
    return Letter(poll_id=poll.id, entry=invitation.entry, to=number, text=text)


def settle(session: Session, letter: Letter, became: Outcome) -> None:
    """Write down what became of it."""
    invitation = session.get_one(Invitation, (letter.poll_id, letter.entry), with_for_update=True)
    if invitation.state != "sending":
        return  # it took so long that it was given up as lost
    if became != "not taken":
        invitation.state, invitation.sealed = became, None
        return
    run = session.get_one(InvitationRun, letter.poll_id, with_for_update=True)
    is_over = run.state not in ("running", "paused")  # it does not change any more
    if is_over or invitation.tries >= MOST_TRIES:
        invitation.state, invitation.sealed = "failed", None
    else:
        invitation.state = "waiting"
    if not is_over:
        run.not_before = database_time(session) + WAITS_FOR_GATEWAY


def tidy(session: Session) -> list[uuid.UUID]:
    """Give up what was lost, what is too late, and finish what is sent.

    The polls of which no number is left: their key may be destroyed once this is committed.
    """
    now = database_time(session)
    lost = (Invitation.state == "sending", Invitation.claimed_at < now - LOST_AFTER)
    session.execute(update(Invitation).where(*lost).values(state="unknown", sealed=None))
    over = select(Invitation.poll_id).join(Poll, Poll.id == Invitation.poll_id).distinct()
    is_over = or_(Poll.state.in_(ENDED), Poll.closes_at <= now) & (Poll.state != "draft")
    for poll_id in session.scalars(over.where(is_over, Invitation.state == "waiting")).all():
        give_up(session, poll_id)
    left = exists().where(
        Invitation.poll_id == InvitationRun.poll_id, Invitation.sealed.is_not(None)
    )
    finished = (
        update(InvitationRun)
        .where(InvitationRun.state.in_(("running", "paused")), ~left)
        .values(state="done", finished_at=now)
    )
    session.execute(finished)
    return list(session.scalars(select(InvitationRun.poll_id).where(_FINISHED, ~left)))


def destroy_finished(keystore: Keystore, poll_ids: list[uuid.UUID]) -> None:
    """Destroy the keys of those polls, as far as they are still there."""
    for poll_id in poll_ids:
        if keystore.has(key_name(poll_id, LETTER)):
            keystore.destroy(key_name(poll_id, LETTER))


_FINISHED = InvitationRun.state.in_(("stopped", "done"))


def _next(now: dt.datetime) -> Select[Invitation]:
    return (
        select(Invitation)
        .join(InvitationRun, InvitationRun.poll_id == Invitation.poll_id)
        .join(Poll, Poll.id == Invitation.poll_id)
        .where(
            Invitation.state == "waiting",
            InvitationRun.state == "running",
            func.coalesce(InvitationRun.not_before, now) <= now,
            Poll.state == "open",  # so is one whose voting has not begun
            Poll.opens_at <= now,
            Poll.closes_at > now,
        )
        .order_by(Invitation.poll_id, Invitation.entry)
        .limit(1)
        .with_for_update(of=Invitation, skip_locked=True)
    )


def _text(poll: Poll, language: str, link: str, time_zone: str) -> str:
    title = poll.content["title"]
    own = str(title.get(language) or next(iter(title.values())))[:LONGEST_TITLE]
    assert poll.closes_at is not None  # noqa: S101 - a frozen poll has an end
    closes = poll.closes_at.astimezone(ZoneInfo(time_zone))
    sentence = say(
        "[mvote] You are invited to vote: {title}. Until {closes}. {link}"
        " Sign in with this number.",
        title=own,
        closes=closes,
        link=link,
    )
    return said(sentence, language)
