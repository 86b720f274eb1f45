"""Loading the demo's cycles: each step makes what is missing, as those of the polls do."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from sqlalchemy.orm import Session

from api.db import transaction
from api.demo.budget import plans, running
from api.demo.budget.committee import call_for, seat_by_lot
from api.demo.budget.plans import DemoCycle
from api.demo.budget.proposing import assess_all, propose_all
from api.demo.budget.reviewing import give_out_all, opine_all
from api.demo.ledger import DemoMade, made, note
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
    _done(demo_cycle, cycle_id)
    say(f"{demo_cycle.key} cycle: opinions")


def _started(demo_cycle: DemoCycle) -> uuid.UUID | None:
    """The cycle to go on with: a new one if the last is past what it is to show; None if whole."""
    with transaction() as session:
        known = made(session)
        if _serves(session, demo_cycle, known):
            return None
        name = f"cycle:{demo_cycle.key}"
        is_new = name not in known or known.get(f"whole:{demo_cycle.key}") == known[name]
        return running.start(session, demo_cycle) if is_new else known[name]


def _begin(cycle_id: uuid.UUID, kind: PhaseKind) -> None:
    with transaction() as session:
        running.begin(session, cycle_id, kind)


def _done(demo_cycle: DemoCycle, cycle_id: uuid.UUID) -> None:
    with transaction() as session:
        note(session, DemoMade(name=f"whole:{demo_cycle.key}", made=cycle_id))
