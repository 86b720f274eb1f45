"""Casting the demo's ballots: voter by voter, proof of presence and all, as over HTTP.

Choice and key of each ballot follow from the poll and the voter's place alone. So a load that was
killed casts the very same ballots once more, which are replays; real voters' keys are random.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from api.crowd import Comer
from api.db import reading
from api.demo.poll_shapes import DemoPoll
from api.demo.standing import Turn, evidence_of, fraction
from api.wiring import wiring
from mvote.ballotbox.casting import Ballot, cast
from mvote.base import utc_now
from mvote.errors import DomainError
from mvote.people.voters import Voter
from mvote.polls.definition import FrozenPoll
from mvote.polls.eligibility import reasons_not_to_vote
from mvote.polls.errors import PollNotOpen
from mvote.polls.proving import proven_presence

AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A filled paper, and what speaks against it."""

    ballot: Ballot
    reasons: list[DomainError]


Choose = Callable[[FrozenPoll, int], list[Any]]
"""What the voter in that place, counted from 0, marks."""


def cast_all(poll_id: uuid.UUID, voters: Sequence[uuid.UUID], choose: Choose) -> bool:
    """Cast the ballot of each of *voters*; False if the poll closed before all were in."""
    box = wiring().box
    with reading() as session:
        poll = wiring().polls.of(session, poll_id)
        papers = [
            _paper(session, choose, Turn(poll=poll, place=place, citizen_id=citizen_id))
            for place, citizen_id in enumerate(voters)
        ]

    def put(paper: Paper) -> None:
        cast(box, poll, paper.ballot, reasons=paper.reasons)

    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(put, papers))
    except PollNotOpen:
        return False
    return True


def _paper(session: Session, choose: Choose, turn: Turn) -> Paper:
    voter = _voter(turn)
    evidence = evidence_of(session, turn)
    presence = proven_presence(
        session,
        judge=wiring().judge,
        poll=turn.poll,
        citizen_id=turn.citizen_id,
        evidence=evidence,
        now=utc_now(),
    )
    reasons = reasons_not_to_vote(turn.poll, voter, presence.reasons, knows_password=True)
    ballot = Ballot(
        voter=voter,
        selections=choose(turn.poll, turn.place),
        key=hashlib.sha256(f"{turn.poll.poll_id}/{turn.place}".encode()).hexdigest(),
        presence_token=presence.token,
    )
    return Paper(ballot=ballot, reasons=reasons)


def _voter(turn: Turn) -> Voter:
    """As whoever votes over HTTP is seen: with their facts, and on the poll's roll or not."""
    poll = turn.poll
    comer = Comer(turn.citizen_id, poll.poll_id, poll.opens_at, None, poll.eligibility.roll)
    voter = wiring().crowd.ask(comer).voter
    assert voter is not None  # noqa: S101  # registered a moment ago
    return voter


def as_they_lean(demo_poll: DemoPoll, poll: FrozenPoll, place: int) -> list[Any]:
    """One option as the voters lean; where several may be chosen, every other voter takes two.

    A ranking lists what comes to mind, until nothing does; points are given one by one.
    """
    question = poll.question
    marks = {"ranking": len(question.options), "points": question.points or 0}
    usual = min(question.max_selections, 1 + place % 2)
    wished = [
        _wish(demo_poll, f"{place}/{mark}") for mark in range(marks.get(question.kind, usual))
    ]
    counted = Counter(question.options[option] for option in wished if option is not None)
    if question.kind == "points":
        return [{"key": key, "points": points} for key, points in counted.items()]
    return [*counted]


def _wish(demo_poll: DemoPoll, seed: str) -> int | None:
    """The place of an option, or None: what the leaning leaves over of 100 is blank."""
    drawn = fraction(f"{demo_poll.key}/{seed}") * 100
    for option, share in enumerate(demo_poll.leaning):
        if drawn < share:
            return option
        drawn -= share
    return None
