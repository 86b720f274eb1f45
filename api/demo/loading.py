"""Loading the demo: every step makes what is missing, so it may be killed and repeated at will."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.db import reading, transaction
from api.demo import people
from api.demo.asking import ask, is_open
from api.demo.budget import loading as budget
from api.demo.ending import FINISHED, UNDER_WAY, finish
from api.demo.errors import DemoIncomplete
from api.demo.ledger import (
    EDITION,
    DemoBegun,
    DemoLoaded,
    DemoMade,
    is_loaded,
    made,
    note,
    one_at_a_time,
)
from api.demo.poll_shapes import DemoPoll
from api.demo.polls import CLOSED, POLLS
from api.demo.sites import SITES
from api.demo.voting import as_they_lean, cast_all
from api.logins import introduce_holders, stock_sealing_keys
from api.wiring import wiring
from geo.areas import Area
from geo.korea import import_korea
from geo.sites import add_site
from mvote.wording import counted

SEOUL = "11"
DISTRICTS = 25
SPARE_KEYS = 3 * len(POLLS)

Say = Callable[[str], None]
OwnerSession = Callable[[], AbstractContextManager[Session]]


def load(*, say: Say, as_owner: OwnerSession) -> bool:
    """Load what is missing of the demo, telling each step; False if nothing was.

    *as_owner* opens a transaction of the database's owner, who alone may bring in maps. Raises
    DemoIncomplete, DomainError.
    """
    with one_at_a_time():
        if _is_whole():
            return False
        with transaction() as session:
            note(session, DemoBegun(edition=EDITION))
        introduce_holders(wiring().settings)
        stock_sealing_keys(wiring().settings, wanted=SPARE_KEYS)
        # first: their moments pass while the rest is made
        closed = {poll.key: _load_poll(poll, say) for poll in POLLS if poll.ends_at_once}
        _load_areas(say, as_owner)
        _load_sites(say)
        for demo_poll in POLLS:
            if not demo_poll.ends_at_once:
                _load_poll(demo_poll, say)
        contest_polls = budget.let_vote(say)
        budget.load_reviewed(say)
        budget.load_voted_on(say)
        for key, poll_id in closed.items():
            _finish(key, poll_id, say)
        _finish_cycle(contest_polls, say)
        with transaction() as session:
            note(session, DemoLoaded(edition=EDITION, result=closed[CLOSED.key]))
        return True


def _is_whole() -> bool:
    """Whether a load would find nothing to do."""
    with reading() as session:
        known = made(session)
        return (
            is_loaded(session)
            and _has_areas(session)
            and all(_serves(session, poll, known) for poll in POLLS)
            and budget.is_whole(session)
        )


def _serves(session: Session, demo_poll: DemoPoll, known: dict[str, uuid.UUID]) -> bool:
    """Whether the poll is what the demo needs: open, or closed with all of its ballots."""
    poll_id = known.get(f"poll:{demo_poll.key}")
    if poll_id is None:
        return False
    ended_well = demo_poll.ends_at_once and _has_ballots(demo_poll, known)
    return ended_well or is_open(session, poll_id)


def _has_ballots(demo_poll: DemoPoll, known: dict[str, uuid.UUID]) -> bool:
    return known.get(f"ballots:{demo_poll.key}") == known.get(f"poll:{demo_poll.key}")


def _has_areas(session: Session) -> bool:
    of_seoul = select(func.count()).where(Area.kind == "gu", Area.area_code.startswith(SEOUL))
    return session.scalars(of_seoul).one() >= DISTRICTS


def _load_areas(say: Say, as_owner: OwnerSession) -> None:
    with reading() as session:
        if _has_areas(session):
            return
    if not wiring().settings.owner_url:
        raise DemoIncomplete("Only the database's owner can bring in the map: set DATABASE_URL.")
    with as_owner() as session:
        reports, _ = import_korea(session, sido=SEOUL)
    say(", ".join(f"{kind}: {report.new}" for kind, report in reports.items()))


def _load_sites(say: Say) -> None:
    with transaction() as session:
        known = made(session)
        missing = [site for site in SITES if f"site:{site.key}" not in known]
        for site in missing:
            added = add_site(session, facts=site.facts(), created_by=None)
            note(session, DemoMade(name=f"site:{site.key}", made=added.id))
    if missing:
        say(f"sites: {len(missing)}")


def _load_poll(demo_poll: DemoPoll, say: Say) -> uuid.UUID:
    """The poll, with its ballots in it."""
    for period in demo_poll.periods:
        with transaction() as session:
            known = made(session)
            if not _serves(session, demo_poll, known):
                sites = {key: known[f"site:{key}"] for key in demo_poll.sites}
                known[f"poll:{demo_poll.key}"] = ask(session, demo_poll, period, sites)
        poll_id = known[f"poll:{demo_poll.key}"]
        if _has_ballots(demo_poll, known) or _load_ballots(demo_poll, poll_id, say):
            return poll_id
    raise DemoIncomplete(f"{demo_poll.key} closes before all its ballots are cast. Try again.")


def _load_ballots(demo_poll: DemoPoll, poll_id: uuid.UUID, say: Say) -> bool:
    with transaction() as session:
        voters = people.voters(session, demo_poll)
    if not cast_all(poll_id, voters, partial(as_they_lean, demo_poll)):
        return False
    with transaction() as session:
        note(session, DemoMade(name=f"ballots:{demo_poll.key}", made=poll_id))
    say(f"{demo_poll.key}: {counted(len(voters), 'ballot')}")
    return True


def _finish_cycle(polls: Sequence[uuid.UUID], say: Say) -> None:
    """Count the polls of the cycle that is over, and go on to its end; or leave it to the worker.

    Left to the worker, it stops at its votes: the next load goes on.
    """
    recount = current_app.extensions["recount"]
    states = [finish(wiring().settings, each, recount) for each in polls]
    if all(state in FINISHED for state in states):
        budget.load_the_end(say)
    elif not all(state in UNDER_WAY for state in states):
        raise DemoIncomplete(f"The cycle's polls are {', '.join(states)}.")


def _finish(key: str, closed_poll: uuid.UUID, say: Say) -> None:
    state = finish(wiring().settings, closed_poll, current_app.extensions["recount"])
    if state == "published":
        say(f"{key}: counted and published")
    elif state in UNDER_WAY:
        say(f"{key}: left to the worker (jobs.py) to count")
    else:
        raise DemoIncomplete(f"{key} is {state}: its accounting does not hold.")
