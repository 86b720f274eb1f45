"""The end of keys: each is destroyed when its time is over, and that is written down when no
holder has a copy any more.

Destroying is safe to repeat and to be killed in: what is gone is gone, what is left goes the next
time.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Interval, Select, func, literal, literal_column, select, text
from sqlalchemy.orm import Session

from mvote.ballotbox.clocks import ClockWatch
from mvote.ballotbox.keystore import Keystore, KeystoreAway
from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.stock import sealing_key_name
from mvote.ballotbox.tables import SealingKey
from mvote.ballotbox.trustees import COUNTED, TrusteeKey, TrusteeKeyErased
from mvote.base import database_time
from mvote.journal import Event, JournalEntry, write_down
from mvote.polls.integrity.day_keys import keep_day_keys
from mvote.polls.integrity.flags import forget_flags
from mvote.polls.inviting.ending import without_numbers
from mvote.polls.inviting.links import LETTER as NUMBERS_LETTER
from mvote.polls.poll import Poll
from mvote.polls.rolls.entries import LETTER as ROLL_LETTER
from mvote.polls.rolls.forgetting import forget_rolls, never_opened

NO_TERM = dt.timedelta()
REQUEST_KEY_TERM = dt.timedelta(hours=24)
REMEMBERED = dt.timedelta(days=90)
"""How far back a destruction that was due, but was not written down, is looked for."""
ENDED = ("closed", "counted", "published", "voided", "cancelled")
DECIDED = ("published", "voided", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How long keys outlive their poll, as the city has it."""

    #: after publication, and after the last notice: so long the box can be opened again
    appeal: dt.timedelta = dt.timedelta(days=30)
    #: after closing: so long it can be told who took part
    retention: dt.timedelta = dt.timedelta(days=365)

    @classmethod
    def of_days(cls, *, appeal: int, retention: int) -> Terms:
        """The terms that are so many days long."""
        return cls(appeal=dt.timedelta(days=appeal), retention=dt.timedelta(days=retention))

    @property
    def of_letters(self) -> dict[str, dt.timedelta]:
        """How long each key of the api's outlives the closing."""
        return {"L": NO_TERM, "R": REQUEST_KEY_TERM, "V": self.retention}

    @property
    def of_all_letters(self) -> dict[str, dt.timedelta]:
        """The same, and of the key of a roll that was imported, which not every poll has."""
        return self.of_letters | {ROLL_LETTER: self.retention}


@dataclass(frozen=True, kw_only=True)
class Ends:
    """When keys end, and who watches the clock that decides it."""

    terms: Terms = field(default_factory=Terms)
    watch: ClockWatch | None = None
    #: after which the keeper puts a poll back into the lists that no officer has looked at
    hold: dt.timedelta = dt.timedelta(hours=72)


UNWATCHED = Ends()


@dataclass(frozen=True, kw_only=True)
class KeyDestroyed(Event):
    """The last copy of a poll's key is gone."""

    kind: ClassVar[str] = "key:destroyed"
    #: L, R, V or `sealing`
    key: str


def may_destroy(session: Session, keystore: Keystore, watch: ClockWatch | None) -> bool:
    """Whether the clock is one to destroy keys by; what was begun is finished first."""
    keystore.finish_destroying()
    return watch is None or watch.is_steady(session)


def destroy_keys(
    session: Session,
    keystore: Keystore,
    letter: str,
    *,
    term: dt.timedelta = NO_TERM,
    needed: Callable[[uuid.UUID], object] | None = None,
    names: Iterable[str] | None = None,
) -> list[uuid.UUID]:
    """Destroy this holder's copies of a key of every poll that ended *term* ago or earlier.

    But for polls in which it is still *needed*, which is asked after it was seen that they ended.
    *names* saves listing the keys of polls again.
    """
    held = _polls_with(letter, keystore.names("poll/") if names is None else names)
    due = list(session.scalars(_ended(term).where(Poll.id.in_(held)))) if held else []
    due = [poll_id for poll_id in due if not (needed and needed(poll_id))]
    _destroy(keystore, [key_name(poll_id, letter) for poll_id in due])
    return due


def destroy_keys_of_polls(session: Session, keystore: Keystore, terms: Terms) -> None:
    """Destroy all that the api holds for polls and that has served its time."""
    names = keystore.names("poll/")
    for letter, term in terms.of_all_letters.items():
        destroy_keys(session, keystore, letter, term=term, names=names)
    unused = {
        ROLL_LETTER: never_opened(session, _polls_with(ROLL_LETTER, names)),
        NUMBERS_LETTER: without_numbers(session, _polls_with(NUMBERS_LETTER, names)),
    }
    _destroy(keystore, [key_name(each, letter) for letter in unused for each in unused[letter]])


def _polls_with(letter: str, names: Iterable[str]) -> set[uuid.UUID]:
    """The polls that have a key of this letter among *names*."""
    return {uuid.UUID(name.split("/")[1]) for name in names if name.endswith(f"/{letter}")}


def destroy_sealing_keys(session: Session, keystore: Keystore, *, term: dt.timedelta) -> None:
    """Destroy the counter's private key of every poll whose time for appeals, *term*, is over."""
    over = _sealed_by().where(_appeals_end(term) <= func.clock_timestamp())
    names = {sealing_key_name(public_key) for _, public_key in session.execute(over)}
    _destroy(keystore, names.intersection(keystore.names("sealing/")))


def destroy_counted_trustee_keys(session: Session, keystore: Keystore) -> None:
    """Destroy the counter's copy of every trustees' key whose poll is counted."""
    counted = select(TrusteeKey.public_key).join(Poll, Poll.id == TrusteeKey.poll_id)
    keys = session.scalars(counted.where(Poll.state.in_(COUNTED)))
    names = {sealing_key_name(public_key) for public_key in keys}
    _destroy(keystore, names.intersection(keystore.names("sealing/")))


def _destroy(keystore: Keystore, names: Iterable[str]) -> None:
    """Each of them, as far as it goes; KeystoreAway only at the end."""
    away = None
    for name in names:
        try:
            keystore.destroy(name)
        except KeystoreAway as error:
            away = error
    if away:
        raise away


def journal_destroyed_keys(session: Session, keystore: Keystore, terms: Terms) -> None:
    """Write down, once, each key whose time is over and of which nobody has a copy any more; the
    entries of rolls and the flags of polls go with their keys."""
    session.execute(_ONE_JOURNALIST)
    for letter, term in terms.of_letters.items():
        polls = session.scalars(
            _ended(term).where(_lately(_after(_ended_at(), term)), _not_said(letter))
        )
        names = ((poll_id, key_name(poll_id, letter)) for poll_id in polls.all())
        _write_gone(session, keystore, KeyDestroyed(key=letter), names)
    ends = _appeals_end(terms.appeal)
    over = _sealed_by().where(_lately(ends), _not_said("sealing"))
    sealed = [(poll_id, sealing_key_name(key)) for poll_id, key in session.execute(over)]
    _write_gone(session, keystore, KeyDestroyed(key="sealing"), sealed)
    _journal_erased_trustee_keys(session, keystore)
    forget_rolls(session, keystore)
    forget_flags(session, keystore)
    keep_day_keys(keystore, database_time(session))


def _journal_erased_trustee_keys(session: Session, keystore: Keystore) -> None:
    """The counter has counted and holds the trustees' key no more. Their shares still exist."""
    said = _said(TrusteeKeyErased.kind)
    counted = (
        select(Poll.id, TrusteeKey.public_key)
        .join(TrusteeKey, TrusteeKey.poll_id == Poll.id)
        .where(Poll.state.in_(COUNTED), _lately(_ended_at()), ~said.exists())
    )
    for poll_id, public_key in session.execute(counted).all():
        event = TrusteeKeyErased(public_key=public_key.hex())
        _write_gone(session, keystore, event, [(poll_id, sealing_key_name(public_key))])


def _write_gone(
    session: Session, keystore: Keystore, event: Event, keys: Iterable[tuple[uuid.UUID, str]]
) -> None:
    for poll_id, name in keys:
        try:
            is_held = keystore.is_held(name)
        except KeystoreAway:  # nobody can tell now
            return
        if not is_held:
            write_down(session, event, actor_id=None, subject_id=poll_id)


_ONE_JOURNALIST = text("SELECT pg_advisory_xact_lock(hashtextextended('key:destroyed', 3))")


def _said(kind: str) -> Select[uuid.UUID]:
    return select(JournalEntry.id).where(
        JournalEntry.subject_id == Poll.id, JournalEntry.kind == kind
    )


def _not_said(key: str) -> ColumnElement[bool]:
    said = _said(KeyDestroyed.kind).where(JournalEntry.facts["key"].astext == key)
    return ~said.exists()


def _ended_at() -> ColumnElement[Any]:
    """When voting was over, by the database's clock: closed, voided or cancelled."""
    return func.coalesce(Poll.closed_at, Poll.cancelled_at)


def _lately(instant: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether it has come, and not so long ago that nobody looks any more."""
    now = func.clock_timestamp()
    return (instant <= now) & (instant > now - REMEMBERED)


def _ended(term: dt.timedelta) -> Select[uuid.UUID]:
    """Polls that were frozen and ended *term* ago or earlier."""
    return select(Poll.id).where(
        Poll.frozen_at.is_not(None),
        Poll.state.in_(ENDED),
        _ended_at() <= func.clock_timestamp() - term,
    )


# Every notice (a voiding, a correction …) can be appealed against, too.
_LAST_NOTICE: ColumnElement[dt.datetime] = literal_column(
    "(SELECT max((convert_from(content, 'UTF8')::jsonb ->> 'at')::timestamptz)"
    " FROM notice WHERE notice.poll_id = poll.id)"
)


def _appeals_end(term: dt.timedelta) -> ColumnElement[Any]:
    """When the time for appeals ends; what is neither published nor given up has no end yet."""
    decided_at = func.coalesce(Poll.published_at, _ended_at())
    return _after(func.greatest(decided_at, _LAST_NOTICE), term)


def _after(instant: ColumnElement[Any], term: dt.timedelta) -> ColumnElement[Any]:
    return instant.op("+")(literal(term, Interval()))


def _sealed_by() -> Select[uuid.UUID, bytes]:
    """Decided polls with the public half of the key that their ballots are sealed with."""
    return (
        select(Poll.id, SealingKey.public_key)
        .join(SealingKey, SealingKey.poll_id == Poll.id)
        .where(Poll.state.in_(DECIDED))
    )
