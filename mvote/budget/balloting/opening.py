"""Opening the poll of one source of a contest: all hindrances named at once, then it is frozen."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from mvote.base import database_time
from mvote.budget.balloting.asking import Asking
from mvote.budget.balloting.contest_poll import GIVEN_UP, ContestPoll, polls_of_contest
from mvote.budget.balloting.exclusive import never_funded, not_on_ballot
from mvote.budget.balloting.few_ballots import if_few
from mvote.budget.balloting.moving import period_of
from mvote.budget.balloting.paper import hindrances_on_paper, question_of
from mvote.budget.balloting.projects import Candidate, Groups, candidates, question_of_contest
from mvote.budget.balloting.voters import Listed, anchors_of_seats, eligibility_of
from mvote.budget.deciding.unsealed import unsealed
from mvote.budget.definition.contests import ACTIVE_SEATS
from mvote.budget.deliberation.unreviewed import approve_unreviewed
from mvote.budget.hindrances import open_matters
from mvote.errors import Fault, ImpossibleTransition, InvalidRequest
from mvote.journal import Event, write_down
from mvote.people.anchors import hold_still
from mvote.polls.drafting import Author, draft_poll
from mvote.polls.hindrances import Hindrance
from mvote.polls.opening import Obstacle, Surroundings, begins, open_poll
from mvote.polls.poll import Poll
from mvote.polls.roll import put_on_roll
from mvote.wording import say


@dataclass(frozen=True, kw_only=True)
class ContestPollOpened(Event):
    kind: ClassVar[str] = "cycle:poll"
    contest: str
    source: str
    poll_id: uuid.UUID
    #: how many projects were frozen with it; 0 if they were before
    frozen: int


def open_contest_poll(
    session: Session,
    *,
    asking: Asking,
    groups: Groups,
    listed: Listed,
    by: Author,
    around: Surroundings,
) -> tuple[Poll, Sequence[Obstacle]]:
    """The poll, frozen, and warnings. Its projects and their prices are those of the contest's
    first poll, which freezes them.

    The cycle's row must be locked. *groups*: which projects a group of the contest holds, said with
    the first poll. *listed*: who is on a roll that is not the committee's. Raises
    ImpossibleTransition, InvalidRequest, NotReadyToOpen with all that hinders.
    """
    hold_still(session)  # who is on the roll is settled at the instant the poll is frozen
    n = _next_attempt(session, asking)
    question = question_of_contest(session, cycle=asking.cycle, contest=asking.contest.key)
    found: list[Candidate] = []
    obstacles: list[Obstacle] = [*_too_early(session, asking)]
    if question is None:
        approve_unreviewed(session, cycle=asking.cycle)
        obstacles += _open_matters(session, asking)  # holds them: what is approved now is all
        found = _candidates(session, asking, groups)
        options = [each.option for each in found]
        obstacles += hindrances_on_paper(asking.definition, asking.contest, options)
        obstacles += never_funded(asking.definition, asking.contest, options)
        question = question_of(asking.definition, asking.contest, options)
    poll = _draft(session, asking, question, by, around)
    now = database_time(session)
    hindering, left_out = _put_on_roll(session, asking, poll, listed, now)
    to_seal = unsealed(
        session, cycle=asking.cycle, definition=asking.definition, contest=asking.contest
    )
    obstacles += [*hindering, *to_seal.hindering]
    warnings = open_poll(
        session, poll=poll, actor_id=by.citizen_id, around=around, obstacles=obstacles, at=now
    )
    _freeze(session, found)
    _write_down(session, asking, poll, n, frozen=len(found), by=by)
    unheard = not_on_ballot(asking.definition, asking.contest, question["options"])
    few = if_few(asking.definition, asking.contest)
    return poll, [*warnings, *to_seal.warned_of, *unheard, *few, *left_out]


def _next_attempt(session: Session, asking: Asking) -> int:
    """The number of this attempt. Raises ImpossibleTransition while an earlier poll stands, or once
    any result of the contest is public."""
    asked = polls_of_contest(session, cycle_id=asking.cycle.id, contest=asking.contest.key)
    if any(poll.state == "published" for _, poll in asked):
        raise ImpossibleTransition(state="published", verb="poll")
    before = next((each for each in asked if each[0].source == asking.source.key), None)
    if before is None:
        return 1
    row, poll = before
    if poll.state not in GIVEN_UP:
        raise ImpossibleTransition(state=poll.state, verb="poll")
    return row.n + 1


def _too_early(session: Session, asking: Asking) -> Iterator[Hindrance]:
    """Whoever may still propose must not find the ballot full."""
    now = database_time(session)
    for n, phase in enumerate(asking.definition.phases):
        if phase.kind == "proposing" and now < phase.closes_at:
            yield Hindrance("proposing-open", f"/phases/{n}/closes_at")


def _open_matters(session: Session, asking: Asking) -> Sequence[Obstacle]:
    cycle_id, headings = asking.cycle.id, asking.contest.headings
    return open_matters(session, cycle_id=cycle_id, headings=headings, held=True)


def _candidates(session: Session, asking: Asking, groups: Groups) -> list[Candidate]:
    known = {each.key for each in asking.contest.groups}
    faults = [
        Fault(f"/groups/{n}/key", say("The contest has no such group."))
        for n, key in enumerate(groups)
        if key not in known
    ]
    if faults:
        raise InvalidRequest(*faults)
    return candidates(session, cycle=asking.cycle, headings=asking.headings, groups=groups)


def _draft(
    session: Session, asking: Asking, question: Any, by: Author, around: Surroundings
) -> Poll:
    source = asking.source
    opens_at, closes_at = period_of(asking.definition, source)
    content = {
        "title": asking.title,
        "question": question,
        "eligibility": eligibility_of(source),
        "records": asking.contest.records_of(source),
        "cycle": {
            "id": str(asking.cycle.id),
            "contest": asking.contest.key,
            "source": source.key,
        },
    }
    return draft_poll(
        session,
        author=by,
        content=content,
        opens_at=opens_at,
        closes_at=closes_at,
        places=around.places,
        quota=0,
    )


def _put_on_roll(
    session: Session, asking: Asking, poll: Poll, listed: Listed, now: dt.datetime
) -> tuple[list[Hindrance], list[Hindrance]]:
    """Freeze who is asked by name; an empty roll hinders the poll, and one that leaves numbers out
    is warned of. Raises InvalidRequest."""
    if listed.numbers and asking.source.roll in (None, ACTIVE_SEATS):
        raise InvalidRequest(Fault("/roll", say("This source asks nobody by a list of numbers.")))
    if asking.source.roll is None:
        return [], []
    opens_at, closes_at = begins(poll, now), poll.closes_at or now
    if asking.source.roll == ACTIVE_SEATS:
        anchors, left_out = anchors_of_seats(session, asking.cycle, opens_at), 0
    else:
        anchors, left_out = listed.anchors(session, opens_at, closes_at)
    put_on_roll(session, poll_id=poll.id, anchors=anchors)
    at = f"{asking.place}/sources/{asking.contest.sources.index(asking.source)}/roll"
    hindering = [] if anchors else [Hindrance("roll-empty", at)]
    return hindering, [Hindrance("roll-numbers-left-out", at)] if left_out else []


def _freeze(session: Session, found: Sequence[Candidate]) -> None:
    now = database_time(session)
    for each in found:
        if each.proposal.state != "on_ballot":
            each.proposal.move("freeze", now=now)
    session.flush()


def _write_down(
    session: Session, asking: Asking, poll: Poll, n: int, *, frozen: int, by: Author
) -> None:
    contest, source = asking.contest.key, asking.source.key
    key = {"cycle_id": asking.cycle.id, "contest": contest, "source": source, "n": n}
    session.add(ContestPoll(**key, poll_id=poll.id))
    session.flush()
    event = ContestPollOpened(contest=contest, source=source, poll_id=poll.id, frozen=frozen)
    write_down(session, event, actor_id=by.citizen_id, subject_id=asking.cycle.id)
