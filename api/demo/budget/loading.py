"""Loading the demo's cycles: each step makes what is missing, as those of the polls do."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from sqlalchemy.orm import Session

from api.db import reading, transaction
from api.demo.budget import people, plans, running
from api.demo.budget.approving import appointed, approve_all, members_of
from api.demo.budget.balloting import ask, vote
from api.demo.budget.committee import call_for, seat_by_lot
from api.demo.budget.deciding import allocate, confirm, enact_all, seal_survey
from api.demo.budget.delivering import deliver
from api.demo.budget.plans import DemoCycle
from api.demo.budget.proposing import assess_all, propose_all
from api.demo.budget.reviewing import give_out_all, opine_all, vote_on_first
from api.demo.errors import DemoIncomplete
from api.demo.ledger import DemoMade, made, note
from api.demo.poll_shapes import MOMENTS
from mvote.base import database_time
from mvote.budget.cycle import PhaseKind
from mvote.budget.phases import phase_now
from mvote.wording import counted

Say = Callable[[str], None]


def is_whole(session: Session) -> bool:
    """Whether every cycle is there, with all that belongs to it, in the phase that it shows."""
    known = made(session)
    return all(_serves(session, each, known) for each in plans.CYCLES)


def _serves(session: Session, demo_cycle: DemoCycle, known: dict[str, uuid.UUID]) -> bool:
    cycle_id = known.get(f"cycle:{demo_cycle.key}")
    if cycle_id is None or known.get(f"whole:{demo_cycle.key}") != cycle_id:
        return False
    return phase_now(session, cycle_id) == demo_cycle.phase


def load_reviewed(say: Say) -> None:
    """A cycle whose committee is in the midst of its review."""
    demo_cycle = plans.REVIEWED
    cycle_id = _started(demo_cycle)
    if cycle_id is None:
        return
    committee_id = call_for(demo_cycle.key, cycle_id)
    propose_all(cycle_id, demo_cycle.ideas)
    say(f"{demo_cycle.key} cycle: {counted(len(demo_cycle.ideas), 'proposal')}")
    _begin(cycle_id, "assessing")
    assess_all(cycle_id, demo_cycle.ideas)
    seat_by_lot(committee_id)
    say(f"{demo_cycle.key} cycle: assessed, and a committee drawn")
    _begin(cycle_id, "reviewing")
    give_out_all(cycle_id)
    opine_all(cycle_id)
    vote_on_first(cycle_id, committee_id)
    _done(demo_cycle, cycle_id)
    say(f"{demo_cycle.key} cycle: opinions and votes")


def load_voted_on(say: Say) -> None:
    """A cycle in which people vote."""
    demo_cycle = plans.VOTED_ON
    cycle_id = _started(demo_cycle)
    if cycle_id is None:
        return
    propose_all(cycle_id, demo_cycle.ideas)
    say(f"{demo_cycle.key} cycle: {counted(len(demo_cycle.ideas), 'proposal')}")
    _begin(cycle_id, "assessing")
    assess_all(cycle_id, demo_cycle.ideas)
    _begin(cycle_id, "balloting")
    vote(ask(cycle_id, "citizens"), _citizens())
    _done(demo_cycle, cycle_id)
    say(f"{demo_cycle.key} cycle: ballots")


def let_vote(say: Say) -> list[uuid.UUID]:
    """A cycle that is voted on for some moments; its polls. None where it is whole.

    Raises DemoIncomplete.
    """
    demo_cycle = plans.IN_THE_END
    for period in MOMENTS:
        cycle_id = _started(demo_cycle)
        if cycle_id is None:
            return []
        _approve(demo_cycle, cycle_id, say)
        seal_survey(cycle_id)
        with transaction() as session:
            running.begin(session, cycle_id, "balloting", until=database_time(session) + period)
            polls = {source: ask(cycle_id, source) for source in ("citizens", "committee")}
        voters = {"citizens": _citizens(), "committee": _members()}
        if all(vote(polls[source], voters[source]) for source in polls):
            say(f"{demo_cycle.key} cycle: ballots")
            return [*polls.values()]
        with transaction() as session:
            note(session, DemoMade(name=f"given-up:{demo_cycle.key}", made=cycle_id))
    raise DemoIncomplete("The cycle that is over closes before all have voted. Try again.")


def load_the_end(say: Say) -> None:
    """What follows once the votes of that cycle are counted."""
    demo_cycle = plans.IN_THE_END
    cycle_id = _started(demo_cycle)
    if cycle_id is None:
        return
    _begin(cycle_id, "deciding")
    allocate(cycle_id)
    confirm(cycle_id)
    enact_all(cycle_id)
    _begin(cycle_id, "delivering")
    deliver(cycle_id)
    _done(demo_cycle, cycle_id)
    say(f"{demo_cycle.key} cycle: allocated, enacted, and being built")


def _approve(demo_cycle: DemoCycle, cycle_id: uuid.UUID, say: Say) -> None:
    """From ideas to projects that a committee has approved, unless they are voted on already."""
    with reading() as session:
        if running.has_begun(session, cycle_id, "balloting"):
            return
    propose_all(cycle_id, demo_cycle.ideas)
    say(f"{demo_cycle.key} cycle: {counted(len(demo_cycle.ideas), 'proposal')}")
    _begin(cycle_id, "assessing")
    assess_all(cycle_id, demo_cycle.ideas)
    committee_id = appointed(demo_cycle.key, cycle_id)
    _begin(cycle_id, "reviewing")
    give_out_all(cycle_id)
    approve_all(cycle_id, committee_id)
    say(f"{demo_cycle.key} cycle: approved by its committee")


def _citizens() -> list[uuid.UUID]:
    with transaction() as session:
        return people.citizens(session)


def _members() -> list[uuid.UUID]:
    with transaction() as session:
        return members_of(session)


def _started(demo_cycle: DemoCycle) -> uuid.UUID | None:
    """The cycle to go on with: a new one if the last is past what it is to show; None if whole."""
    with transaction() as session:
        known = made(session)
        if _serves(session, demo_cycle, known):
            return None
        name = f"cycle:{demo_cycle.key}"
        ended = {known.get(f"{how}:{demo_cycle.key}") for how in ("whole", "given-up")}
        is_new = name not in known or known[name] in ended
        return running.start(session, demo_cycle) if is_new else known[name]


def _begin(cycle_id: uuid.UUID, kind: PhaseKind) -> None:
    with transaction() as session:
        running.begin(session, cycle_id, kind)


def _done(demo_cycle: DemoCycle, cycle_id: uuid.UUID) -> None:
    with transaction() as session:
        note(session, DemoMade(name=f"whole:{demo_cycle.key}", made=cycle_id))
