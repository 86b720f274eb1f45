"""Starting, pausing and stopping the sending of a poll's invitations, and how far it is."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from mvote.ballotbox.keystore import Keystore
from mvote.base import database_time
from mvote.errors import ImpossibleTransition, NotAllowed
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.polls.drafting import own_poll, poll_known_to
from mvote.polls.inviting.invitation import Invitation, InvitationRun, RunState
from mvote.polls.inviting.links import hash_of_link, key_of, new_token, poll_of, seal
from mvote.polls.poll import Poll

AT_ONCE = 1_000
"""So many are sealed between two statements: the transaction is never idle for long."""
_INSERT = text(
    "INSERT INTO invitation (poll_id, entry, sealed, token_hash, state, tries)"
    " SELECT :poll_id, *, 'waiting', 0 FROM unnest("
    "CAST(:entries AS bytea[]), CAST(:sealed AS bytea[]), CAST(:token_hashes AS bytea[]))"
)
MOVES: dict[tuple[RunState, str], RunState] = {
    ("running", "pause"): "paused",
    ("paused", "resume"): "running",
    ("running", "stop"): "stopped",
    ("paused", "stop"): "stopped",
}


@dataclass(frozen=True, kw_only=True)
class InvitationsMoved(Event):
    kind: ClassVar[str] = "poll:invitations"
    verb: str


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the sending is; *run* is None before it is started."""

    run: InvitationRun | None
    states: Counter[str]
    #: the gateway was found ill, and is left alone for so long
    paused_until: dt.datetime | None


def keep_invitations(
    session: Session, *, poll_id: uuid.UUID, keystore: Keystore, numbers: dict[bytes, str]
) -> None:
    """Keep the numbers, by their entries, sealed for invitations that may be sent once it opens."""
    key = key_of(keystore, poll_id)
    entries = sorted(numbers)
    for first in range(0, len(entries), AT_ONCE):
        some = entries[first : first + AT_ONCE]
        tokens = [new_token(poll_id) for _ in some]
        given = {
            "poll_id": poll_id,
            "entries": some,
            "sealed": [
                seal(key, entry, numbers[entry], token)
                for entry, token in zip(some, tokens, strict=True)
            ],
            "token_hashes": [hash_of_link(token) for token in tokens],
        }
        session.execute(_INSERT, given)


def start(session: Session, *, poll_id: uuid.UUID, by: Citizen, language: str) -> Progress:
    """Begin to send. Raises NotFound, NotAllowed but for officers, ImpossibleTransition unless the
    poll is frozen and voting is not over, or once it was started."""
    poll = _governed(session, poll_id, by)
    status = poll.status_at(database_time(session))
    found = progress_of(session, poll_id)
    if status not in ("scheduled", "open") or found.run or not found.states:
        state = found.run.state if found.run else status
        raise ImpossibleTransition(state=state, verb="invite")
    session.add(InvitationRun(poll_id=poll_id, language=language, started_by=by.id))
    session.flush()
    _tell(session, poll_id, by, "start")
    return progress_of(session, poll_id)


def move(session: Session, *, poll_id: uuid.UUID, by: Citizen, verb: str) -> Progress:
    """Pause, resume or stop; what is stopped gives up its numbers. Raises as `start`."""
    _governed(session, poll_id, by)
    run = session.get(InvitationRun, poll_id, with_for_update=True)
    state = MOVES.get((run.state, verb)) if run else None
    if run is None or state is None:
        raise ImpossibleTransition(state=run.state if run else "not_started", verb=verb)
    ended_at = database_time(session) if state == "stopped" else None
    run.state, run.finished_at = state, ended_at
    session.flush()
    if ended_at:
        give_up(session, poll_id)
    _tell(session, poll_id, by, verb)
    return progress_of(session, poll_id)


def progress_for(session: Session, *, poll_id: uuid.UUID, by: Citizen) -> Progress:
    """How far it is, for those who govern the poll. Raises NotFound, NotAllowed."""
    poll = poll_known_to(session, poll_id, by)
    _check_governs(poll, by)
    return progress_of(session, poll_id)


def progress_of(session: Session, poll_id: uuid.UUID) -> Progress:
    """How many invitations are in which state."""
    states = select(Invitation.state, func.count()).where(Invitation.poll_id == poll_id)
    found = [(state, count) for state, count in session.execute(states.group_by(Invitation.state))]
    run = session.get(InvitationRun, poll_id)
    return Progress(run=run, states=Counter(dict(found)), paused_until=_pause_of(session, run))


def _pause_of(session: Session, run: InvitationRun | None) -> dt.datetime | None:
    if run is None or run.state != "running" or run.not_before is None:
        return None
    return run.not_before if run.not_before > database_time(session) else None


def give_up(session: Session, poll_id: uuid.UUID) -> None:
    """Delete the numbers of those who wait. What is being sent now is settled by its sender."""
    session.execute(
        update(Invitation)
        .where(Invitation.poll_id == poll_id, Invitation.state == "waiting")
        .values(state="stopped", sealed=None)
    )


def invited(session: Session, token: str) -> Invitation | None:
    """The invitation that a link stands for."""
    poll_id = poll_of(token)
    if poll_id is None:
        return None
    meant = (Invitation.poll_id == poll_id, Invitation.token_hash == hash_of_link(token))
    return session.scalars(select(Invitation).where(*meant)).one_or_none()


def _governed(session: Session, poll_id: uuid.UUID, by: Citizen) -> Poll:
    poll = own_poll(session, poll_id, by)
    _check_governs(poll, by)
    return poll


def _check_governs(poll: Poll, by: Citizen) -> None:
    if not (by.is_officer and poll.department_id in by.department_ids):
        raise NotAllowed


def _tell(session: Session, poll_id: uuid.UUID, by: Citizen, verb: str) -> None:
    write_down(session, InvitationsMoved(verb=verb), actor_id=by.id, subject_id=poll_id)
