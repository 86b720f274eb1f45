"""Importing a roll: first read and checked, which changes nothing, then kept as a whole.

The numbers themselves are kept nowhere, but for invitations that are still to be sent, sealed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Sized
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from mvote.approvals import Approval, ask
from mvote.ballotbox.keystore import Keystore
from mvote.base import database_time
from mvote.errors import ImpossibleTransition, NotAllowed, NotFound, Overloaded
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.people.limits import Limit, use_up_for_person
from mvote.people.phones import Phones
from mvote.polls.drafting import is_own, own_poll, poll_known_to
from mvote.polls.inviting.running import keep_invitations
from mvote.polls.poll import Poll
from mvote.polls.roll import AT_ONCE, Roll
from mvote.polls.rolls.breathing import BREATH, Breathe, Breathing
from mvote.polls.rolls.clearing import clear_entries
from mvote.polls.rolls.entries import RollKeys, entry_of
from mvote.polls.rolls.errors import RollTooLarge, RollUnreadable
from mvote.polls.rolls.reading import Choice, Kind, Reading, Report

LARGEST_FILE = 64 * 2**20
MOST_OF_A_CITIZEN = 1_000
"""So many may be on the roll of a citizen's own poll."""
READINGS = Limit("roll-readings", 30, dt.timedelta(hours=1))
"""Of a citizen; a large file keeps a processor busy for long."""
REPLACE = "poll:replace_roll"
PIECE = 2**16

_BEGIN = text("SELECT begin_roll(:poll_id, :approval_id, :by)")
_INSERT = text(
    "INSERT INTO roll_entry (poll_id, entry) SELECT :poll_id, unnest(CAST(:entries AS bytea[]))"
)


@dataclass(frozen=True, kw_only=True)
class RollImported(Event):
    kind: ClassVar[str] = "poll:roll_imported"
    size: int
    #: whether another roll was there before
    replaced: bool
    approval_id: uuid.UUID | None


@dataclass(frozen=True, kw_only=True, repr=False)
class RollFile:
    """A file that was read. Has no repr, so it is never logged."""

    report: Report
    sha256: bytes
    #: what finds the account of each number, with the number
    numbers: dict[bytes, str]
    choice: Choice
    #: whether to keep them, sealed, until invitations are sent
    invites: bool = False


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What importing needs of the world."""

    phones: Phones
    keys: RollKeys
    keystore: Keystore
    region: str
    #: lets other requests of the same process go on meanwhile
    breathe: Breathe


def check_may_import(session: Session, *, poll_id: uuid.UUID, by: Citizen) -> int | None:
    """Whether *by* may give this poll a roll now, before a large file is read, and without a lock.

    How many may be on it, None if as many as are. Raises NotFound, NotAllowed or
    ImpossibleTransition.
    """
    poll = poll_known_to(session, poll_id, by)
    if not is_own(poll, by):
        raise NotAllowed
    _check_is_draft(session, poll)
    return _most_on_roll_of(poll)


def count_reading(session: Session, *, by: Citizen) -> None:
    """Count one file that *by* has sent, before it is looked at: to be committed by itself, for
    what cannot be read has taken its time, too. Raises TooManyRequests."""
    now, label = database_time(session), "mvote/roll-reading/1"
    use_up_for_person(session, READINGS, citizen_id=by.id, label=label, now=now)


def read_roll(
    file: BinaryIO,
    kind: Kind,
    *,
    desk: Desk,
    choice: Choice,
    invites: bool = False,
    most: int | None = None,
) -> RollFile:
    """Read a file; nothing is kept. Raises RollUnreadable if it is none that could be imported,
    RollTooLarge as soon as there are more than *most* on it."""
    breathing = Breathing.of(file, desk.breathe)
    reading = Reading(breathing, kind, region=desk.region, choice=choice, breathe=desk.breathe)
    report, numbers = reading.report, dict[bytes, str]()
    for number in reading:
        numbers.setdefault(desk.phones.hash_of(number), number)
        _check_size(numbers, most)
    report.accepted = len(numbers)
    report.duplicates = report.rows - report.rejected_total - report.accepted
    if not numbers:
        raise RollUnreadable("nobody", rows=report.rows, reasons=dict(report.reasons))
    return RollFile(
        report=report, sha256=_hash_of(breathing), numbers=numbers, choice=choice, invites=invites
    )


def keep_roll(
    session: Session,
    *,
    poll_id: uuid.UUID,
    by: Citizen,
    found: RollFile,
    entries: dict[bytes, str],
    desk: Desk,
) -> Approval | None:
    """Make *found*, with its *entries*, the roll of a draft, in the place of one that it has.

    A government's roll is replaced by two officers, each of whom sends the same file: the request
    that now waits, or None once it is done. Raises NotFound, NotAllowed, ImpossibleTransition,
    RollTooLarge.
    """
    poll = own_poll(session, poll_id, by)
    _check_is_draft(session, poll)
    _check_size(found.numbers, _most_on_roll_of(poll))
    if found.invites and poll.origin == "citizen":
        raise NotAllowed
    before = session.get(Roll, poll_id)
    approval = _asked(session, poll, by, found) if before and poll.origin == "government" else None
    if approval and approval.asked_by == by.id:
        return approval
    approval_id = approval.id if approval else None
    given = {"poll_id": poll_id, "approval_id": approval_id, "by": by.id}
    if not session.execute(_BEGIN, given).scalar_one():
        raise ImpossibleTransition(state=poll.state, verb="import_roll")
    if before is not None:
        session.expunge(before)  # the database has deleted it
        clear_entries(session, poll_id)
    _write(session, poll_id, by, found, entries, desk)
    size = len(found.numbers)
    event = RollImported(size=size, replaced=before is not None, approval_id=approval_id)
    write_down(session, event, actor_id=by.id, subject_id=poll_id)
    return None


def roll_of(session: Session, *, poll_id: uuid.UUID, by: Citizen) -> Roll:
    """What may be known of a poll's roll by its own people. Raises NotFound, NotAllowed."""
    poll = poll_known_to(session, poll_id, by)
    if not is_own(poll, by):
        raise NotAllowed
    roll = session.get(Roll, poll_id)
    if roll is None:
        raise NotFound
    return roll


def _check_is_draft(session: Session, poll: Poll) -> None:
    if poll.state != "draft":
        status = poll.status_at(database_time(session))
        raise ImpossibleTransition(state=status, verb="import_roll")


def _most_on_roll_of(poll: Poll) -> int | None:
    return MOST_OF_A_CITIZEN if poll.origin == "citizen" else None


def _check_size(numbers: Sized, most: int | None) -> None:
    if most is not None and len(numbers) > most:
        raise RollTooLarge(most=most)


def _asked(session: Session, poll: Poll, by: Citizen, found: RollFile) -> Approval:
    """The request to put exactly this file in the place of the roll that is there."""
    choice = {"sheet": found.choice.sheet, "column": found.choice.column}
    arguments = {
        "file_sha256": found.sha256.hex(),
        "size": len(found.numbers),
        "invite": found.invites,
        **{name: said for name, said in choice.items() if said is not None},
    }
    return ask(session, act=REPLACE, subject_id=poll.id, arguments=arguments, officer_id=by.id)


def _write(
    session: Session,
    poll_id: uuid.UUID,
    by: Citizen,
    found: RollFile,
    entries: dict[bytes, str],
    desk: Desk,
) -> None:
    """Write the entries, in their order, then the row that makes them a whole roll."""
    in_order = sorted(entries)
    for first in range(0, len(in_order), AT_ONCE):
        some = in_order[first : first + AT_ONCE]
        session.execute(_INSERT, {"poll_id": poll_id, "entries": some})
    report = found.report
    roll = Roll(
        poll_id=poll_id,
        size=len(entries),
        rows=report.rows,
        duplicates=report.duplicates,
        rejected=report.rejected_total,
        file_sha256=found.sha256,
        imported_by=by.id,
        imported_at=database_time(session),
    )
    session.add(roll)
    session.flush()
    if found.invites:
        keep_invitations(session, poll_id=poll_id, keystore=desk.keystore, numbers=entries)


def entries_of(poll_id: uuid.UUID, found: RollFile, desk: Desk) -> dict[bytes, str]:
    """Each entry of a draft's roll with its number: worked out before anything is locked, for it
    draws breath. Raises Overloaded without a keystore."""
    try:
        key = desk.keys.made(poll_id)
    except OSError:  # a copy of the keystore is out of reach, or a disk is full
        raise Overloaded from None
    entries = dict[bytes, str]()
    for n, (phone_hash, number) in enumerate(found.numbers.items()):
        entries[entry_of(key, poll_id, phone_hash)] = number
        if n % BREATH == 0:
            desk.breathe()
    return entries


def _hash_of(file: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(PIECE):
        digest.update(piece)
    return digest.digest()
