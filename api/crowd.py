"""What casting asks of the database, asked at once for all who cast at the same moment."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import driving
from api.pausing import pause_of_this_process
from geo import geofence
from geo.geofence import Geofences
from mvote.driver import Connection
from mvote.gathering import Gathered
from mvote.people.voters import Voter, voters_seen
from mvote.polls.frozen import definitions_seen
from mvote.polls.presence import Position, Verdict
from mvote.polls.rolls.entries import AskedFor, RollKeys, are_on_rolls


@dataclass(frozen=True, slots=True, repr=False)
class Comer:
    """Somebody who comes to vote."""

    citizen_id: uuid.UUID
    poll_id: uuid.UUID
    opened_at: dt.datetime
    #: where they say they are, if the poll asks for an area
    position: Position | None
    #: whether the poll asks people by name
    has_roll: bool = False


class Seen(Geofences):
    """What the database knows of a comer: the voter, None if the account is gone; the verdict."""

    def __init__(self, voter: Voter | None, verdict: Verdict | None) -> None:
        self.voter = voter
        self._verdict = verdict

    def verdict(self, session: Session, *, poll_id: uuid.UUID, position: Position) -> Verdict:
        """The verdict on the comer's position, which is known already."""
        return self._verdict or super().verdict(session, poll_id=poll_id, position=position)


def crowd(engine: Engine, roll_keys: RollKeys) -> Gathered[Comer, Seen]:
    """Looks at comers together, on one connection of *engine*: in two statements, and two more
    for all who must be on a roll."""

    def look(comers: Sequence[Comer]) -> Sequence[Seen]:
        wanted = [(comer.citizen_id, comer.opened_at) for comer in comers]
        with driving(engine) as connection:
            voters = voters_seen(connection, wanted)
            voters = _on_rolls(connection, roll_keys, comers, voters)
            verdicts = _verdicts_on(connection, comers)
        return [Seen(voter, verdicts.get(n)) for n, voter in enumerate(voters)]

    return Gathered(look, pause=pause_of_this_process())


def definitions(engine: Engine) -> Gathered[uuid.UUID, bytes | None]:
    """Reads the definitions of polls that this process has not met yet, in one statement."""

    def look(poll_ids: Sequence[uuid.UUID]) -> Sequence[bytes | None]:
        with driving(engine) as connection:
            return definitions_seen(connection, poll_ids)

    return Gathered(look, pause=pause_of_this_process())


def _on_rolls(
    connection: Connection,
    keys: RollKeys,
    comers: Sequence[Comer],
    voters: Sequence[Voter | None],
) -> list[Voter | None]:
    """The voters, and whether they are on the roll of their poll, if it has one."""
    asked = {
        n: AskedFor(comer.poll_id, comer.citizen_id, voter.anchor)
        for n, (comer, voter) in enumerate(zip(comers, voters, strict=True))
        if voter and comer.has_roll
    }
    if not asked:
        return list(voters)
    there = are_on_rolls(connection, keys, list(asked.values()))
    is_there = dict(zip(asked, there, strict=True))
    return [
        replace(voter, is_on_roll=is_there[n]) if voter and n in is_there else voter
        for n, voter in enumerate(voters)
    ]


def _verdicts_on(connection: Connection, comers: Sequence[Comer]) -> dict[int, Verdict]:
    """By place among the comers, for those who say where they are."""
    placed = [(n, comer.position) for n, comer in enumerate(comers) if comer.position]
    if not placed:
        return {}
    asked = [(comers[n].poll_id, position) for n, position in placed]
    found = geofence.verdicts_seen(connection, asked)
    return {n: verdict for (n, _), verdict in zip(placed, found, strict=True)}
