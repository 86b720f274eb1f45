"""Contests of the demo as polls, and how citizens and members vote in them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import current_app

from api.db import transaction
from api.demo.budget import people
from api.demo.budget.plans import CITY
from api.demo.ledger import DemoMade, made, note
from api.demo.standing import fraction
from api.demo.voting import cast_all
from api.wiring import wiring
from mvote.budget.balloting.asking import Asking
from mvote.budget.balloting.opening import open_contest_poll
from mvote.budget.balloting.voters import Listed
from mvote.budget.planning import own_cycle
from mvote.polls.definition import FrozenPoll
from mvote.polls.drafting import Author

MOST = 5


def ask(cycle_id: uuid.UUID, source: str) -> uuid.UUID:
    """The poll of a source, opened now if it was not before."""
    name = f"contest:{source}/{cycle_id}"
    with transaction() as session:
        known = made(session).get(name)
        if known is not None:
            return known
        officer, _ = people.officers(session, people.BUDGET)
        cycle = own_cycle(session, cycle_id, officer)
        poll, _ = open_contest_poll(
            session,
            asking=Asking.of(cycle, CITY, source),
            groups={},
            listed=Listed(numbers=(), phones=current_app.extensions["phones"]),
            by=Author.of(officer),
            around=wiring().around,
        )
        note(session, DemoMade(name=name, made=poll.id))
        return poll.id


def vote(poll_id: uuid.UUID, voters: Sequence[uuid.UUID]) -> bool:
    """Let all of *voters* cast their ballots; False if it closed before all were in."""
    with transaction() as session:
        if made(session).get(f"cast:{poll_id}") is not None:
            return True
    if not cast_all(poll_id, voters, marks):
        return False
    with transaction() as session:
        note(session, DemoMade(name=f"cast:{poll_id}", made=poll_id))
    return True


def marks(poll: FrozenPoll, place: int) -> list[str]:
    """Up to five projects, one of a field: liked by all a little alike, and by each differently."""
    options = poll.document["question"]["options"]
    liked = sorted(options, key=lambda each: -_liking(each["key"], place))
    by_field = {each["heading"]: each["key"] for each in reversed(liked)}
    dearest = [each["key"] for each in liked if each["key"] in by_field.values()]
    return dearest[: MOST - place % 3]


def _liking(reference: str, place: int) -> float:
    return fraction(f"{reference}/{place}") + 0.6 * fraction(f"liked/{reference}")
