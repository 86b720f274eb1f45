"""Ballots below HTTP: rows for the slot, and casting with a slot of the test's own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Barrier
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.ballotbox.casting import Ballot, BallotBox, cast
from mvote.ballotbox.receipts import Receipt
from mvote.ballotbox.sealing import tracker_of
from mvote.ballotbox.slot import Outcome, SlotRow, cast_ballots
from mvote.errors import DomainError
from mvote.people.voters import Voter, voter_of
from mvote.polls.definition import FrozenPoll
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.world import Person, World, new_key


@dataclass
class Tray:
    """A slot that only collects: what would have gone into the box."""

    rows: list[SlotRow] = field(default_factory=list)

    def cast(self, poll_id: uuid.UUID, row: SlotRow) -> Outcome:
        self.rows.append(row)
        return "recorded"


@dataclass
class SingleSlot:
    """A slot that casts each row by itself, in a transaction of its own."""

    engine: Engine

    def cast(self, poll_id: uuid.UUID, row: SlotRow) -> Outcome:
        return cast_alone(self.engine, poll_id, row)


def cast_alone(engine: Engine, poll_id: uuid.UUID, row: SlotRow) -> Outcome:
    """One row, one call, one transaction."""
    with Session(engine) as session, transaction(session):
        return cast_ballots(session, poll_id, [row])[0]


def frozen(world: World, poll: Mapping[str, Any]) -> FrozenPoll:
    """The frozen poll of an open one."""
    with Session(world.engines["api"]) as session:
        return world.wiring.polls.of(session, uuid.UUID(poll["id"]))


def with_slot(box: BallotBox, slot: Any) -> BallotBox:
    """The same box with another slot."""
    return replace(box, slot=slot)


def ballot(
    world: World,
    poll: FrozenPoll,
    voter: Person,
    selections: Sequence[str] = ("yes",),
    key: str | None = None,
) -> Ballot:
    """A filled paper of *voter*."""
    with Session(world.engines["api"]) as session:
        found = voter_of(session, voter.id, opened_at=poll.opens_at)
    assert found is not None
    return Ballot(voter=found, selections=list(selections), key=key or new_key())


def strangers(count: int, selections: Sequence[str] = ("yes",)) -> list[Ballot]:
    """So many papers, each of a voter of whom there is no account: the box does not ask."""
    return [
        Ballot(
            voter=Voter(uuid.uuid4(), os.urandom(32), {}),
            selections=list(selections),
            key=new_key(),
        )
        for _ in range(count)
    ]


def cast_together(world: World, poll: FrozenPoll, papers: Sequence[Ballot]) -> list[str]:
    """Cast *papers* in one call of the slot; their trackers."""
    with Session(world.engines["api"]) as session, transaction(session):
        outcomes = cast_ballots(session, poll.poll_id, rows_for(world, poll, papers))
    assert set(outcomes) <= {"recorded"}
    return [tracker_of(poll.P, paper.voter.id, paper.key).hex() for paper in papers]


def rows_for(world: World, poll: FrozenPoll, papers: Sequence[Ballot]) -> list[SlotRow]:
    """The sealed rows of *papers*, as casting hands them to the slot."""
    tray = Tray()
    for paper in papers:
        cast(with_slot(world.wiring.box, tray), poll, paper, reasons=[])
    return tray.rows


def at_once(act: Any, arguments: Sequence[Any], *, threads: int = 16) -> list[Any]:
    """The results of *act* on each of the arguments, begun together in so many threads."""
    barrier = Barrier(min(threads, len(arguments)))
    started: set[int] = set()

    def run(argument: tuple[int, Any]) -> Any:
        number, value = argument
        if number < barrier.parties:
            started.add(number)
            barrier.wait(PATIENCE_SECONDS)
        return act(value)

    with ThreadPoolExecutor(barrier.parties) as pool:
        return list(pool.map(run, enumerate(arguments)))


def outcome_of(box: BallotBox, poll: FrozenPoll, paper: Ballot) -> Receipt | str:
    """The receipt, or the code of the refusal."""
    try:
        return cast(box, poll, paper, reasons=[])
    except DomainError as error:
        return error.code
