"""What is done to a frozen poll beside its plan: closing early, extending, voiding, publishing.

Two officers do it together; a citizen closes a poll of their own alone. The functions of the
database decide by its clock, carry the act out, grant the request and write the public notice, all
in one transaction. What is checked here says the same earlier, with a better message.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from mvote.approvals import Approval, ask, one_at_a_time
from mvote.base import database_time
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest, NotAllowed
from mvote.journal import Event, write_down
from mvote.people.citizens import Citizen
from mvote.polls.drafting import poll_known_to
from mvote.polls.notices import Notice, notices_of
from mvote.polls.opening import LONGEST_PERIOD
from mvote.polls.places import Places
from mvote.polls.poll import STATUSES, Poll, Status
from mvote.wording import say

Arguments: TypeAlias = dict[str, Any]
"""What is asked for, as JSON: `closes_at` (RFC 3339), `text` (`{"ko": …, "en": …}`)."""


@dataclass(frozen=True, kw_only=True)
class PollGoverned(Event):
    #: empty where the author acted alone
    approval_id: uuid.UUID | None


class PollClosedEarly(PollGoverned):
    kind: ClassVar[str] = "poll:closed_early"


class PollExtended(PollGoverned):
    kind: ClassVar[str] = "poll:extended"


class PollVoided(PollGoverned):
    kind: ClassVar[str] = "poll:voided"


class PollPublished(PollGoverned):
    """Published against its accounting."""

    kind: ClassVar[str] = "poll:published"


class PollCorrected(PollGoverned):
    """A correction was published."""

    kind: ClassVar[str] = "poll:corrected"


class PollDrawn(PollGoverned):
    """A lot was drawn between tied winners."""

    kind: ClassVar[str] = "poll:drawn"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A poll at a moment, and what is asked for it."""

    poll: Poll
    told: Sequence[Notice]
    arguments: Arguments
    now: dt.datetime


def _check_nothing(_: Case) -> None:
    """The status says it all."""


def _check_new_end(case: Case) -> None:
    new_end = dt.datetime.fromisoformat(case.arguments["closes_at"])
    begun, ends = case.poll.opens_at or case.now, case.poll.closes_at or case.now
    if new_end <= max(case.now, ends):
        raise InvalidRequest(Fault("/closes_at", say("Must be later than now and than closes_at.")))
    if new_end - begun > LONGEST_PERIOD:
        raise InvalidRequest(Fault("/closes_at", say("Voting may last 366 days at most.")))


def _check_is_new(case: Case) -> None:
    said = [each.document for each in case.told]
    if any((n["kind"], n.get("text")) == ("correction", case.arguments["text"]) for n in said):
        raise InvalidRequest(Fault("/text", say("This correction has been published.")))


def _check_is_undecided(case: Case) -> None:
    """Of a contest, what is decided waits for the other sources."""
    if any(each.document["kind"] == "publication" for each in case.told):
        raise ImpossibleTransition(state="counted", verb="publish")


def _stay(places: Places, session: Session, poll_id: uuid.UUID) -> None:
    """Where the poll is found does not change."""


def _hide(places: Places, session: Session, poll_id: uuid.UUID) -> None:
    places.hide(session, poll_id=poll_id)


def _show(places: Places, session: Session, poll_id: uuid.UUID) -> None:
    places.show(session, poll_id=poll_id)


@dataclass(frozen=True, kw_only=True)
class Act:
    """One act of governance: when it may be done, by which function, and what follows from it."""

    verb: str
    statuses: frozenset[Status]
    carry_out: TextClause
    event: type[PollGoverned]
    check: Callable[[Case], None] = _check_nothing
    settle: Callable[[Places, Session, uuid.UUID], None] = _stay

    @property
    def name(self) -> str:
        """As approvals know it."""
        return f"poll:{self.verb}"


CLOSE = Act(
    verb="close",
    statuses=frozenset({"open"}),
    carry_out=text("SELECT close_poll_early(:poll_id, :approval_id, :by)"),
    event=PollClosedEarly,
    settle=_hide,
)
_ALONE_WITH_ENDS = text("SELECT pg_advisory_xact_lock(hashtextextended('extending', 11))")
EXTEND = Act(
    verb="extend",
    statuses=frozenset({"scheduled", "open"}),
    carry_out=text("SELECT extend_poll(:poll_id, :approval_id, :by)"),
    event=PollExtended,
    check=_check_new_end,
    settle=_show,
)
VOID = Act(
    verb="void",
    statuses=frozenset({"scheduled", "open", "closing", "closed", "counted"}),
    carry_out=text("SELECT void_poll(:poll_id, :approval_id, :by)"),
    event=PollVoided,
    settle=_hide,
)
PUBLISH = Act(
    verb="publish",
    statuses=frozenset({"counted"}),
    carry_out=text("SELECT publish_poll(:poll_id, :approval_id, :by)"),
    event=PollPublished,
    check=_check_is_undecided,
)
CORRECT = Act(
    verb="correct",
    statuses=frozenset(STATUSES) - {"draft"},
    carry_out=text("SELECT publish_correction(:poll_id, :approval_id, :by)"),
    event=PollCorrected,
    check=_check_is_new,
)
DRAW = Act(
    verb="draw",
    statuses=frozenset({"published"}),
    carry_out=text("SELECT draw_tie(:poll_id, :approval_id, :by)"),
    event=PollDrawn,
)
ACTS = (CLOSE, EXTEND, VOID, PUBLISH, CORRECT, DRAW)


def govern(
    session: Session,
    *,
    act: Act,
    poll_id: uuid.UUID,
    by: Citizen,
    arguments: Arguments,
    places: Places,
    has_pass: bool = False,
) -> Approval | None:
    """Do *act* to the poll, or ask for it: the request that now waits, or None once it is done.

    Raises NotFound, NotAllowed, ImpossibleTransition, and InvalidRequest for arguments that break
    a rule of the act.
    """
    if act is EXTEND:  # as a cycle that is moved, which then moves its polls
        session.execute(_ALONE_WITH_ENDS)
    one_at_a_time(session, poll_id)
    poll = poll_known_to(session, poll_id, by, has_pass=has_pass)
    session.refresh(poll)
    approval = None
    is_theirs = act is CLOSE and poll.origin == "citizen" and poll.author_id == by.id
    if not (is_theirs or by.is_officer):
        raise NotAllowed
    now = _time_that_allows(session, act, poll)
    told = notices_of(session, poll_id)
    act.check(Case(poll=poll, told=told, arguments=arguments, now=now))
    if not is_theirs:
        approval = ask(
            session, act=act.name, subject_id=poll_id, arguments=arguments, officer_id=by.id
        )
        if approval.asked_by == by.id:
            return approval
    _carry_out(session, act, poll, approval, by)
    act.settle(places, session, poll_id)
    return None


def _time_that_allows(session: Session, act: Act, poll: Poll) -> dt.datetime:
    """The database's time, at which the status allows the act."""
    now = database_time(session)
    status = poll.status_at(now)
    if status not in act.statuses:
        raise ImpossibleTransition(state=status, verb=act.verb)
    return now


def _carry_out(
    session: Session, act: Act, poll: Poll, approval: Approval | None, by: Citizen
) -> None:
    approval_id = approval.id if approval else None
    bound = {"poll_id": poll.id, "approval_id": approval_id, "by": by.id}
    is_done = session.execute(act.carry_out, bound).scalar_one()
    session.refresh(poll)
    if not is_done:  # the clock or a worker was quicker
        raise ImpossibleTransition(state=poll.status_at(database_time(session)), verb=act.verb)
    event = act.event(approval_id=approval_id)
    write_down(session, event, actor_id=by.id, subject_id=poll.id)
