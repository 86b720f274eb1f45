"""What casting asks of the database, asked for all who cast at the same moment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api.db import reading
from geo import geofence
from geo.geofence import Geofences
from mvote.gathering import Gathered
from mvote.people.voters import Voter, Wanted, voters_of
from mvote.polls.presence import Position, Verdict

Whereabouts = tuple[uuid.UUID, Position]


def gathered_voters(engine: Engine) -> Gathered[Wanted, Voter | None]:
    """Voters by citizen and opening of the poll; None for an account that is gone."""

    def read(wanted: Sequence[Wanted]) -> Sequence[Voter | None]:
        with reading(engine) as session:
            return voters_of(session, wanted)

    return Gathered(read)


class GatheredGeofences(Geofences):
    """The geofences, with a session of their own for verdicts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._verdicts: Gathered[Whereabouts, Verdict] = Gathered(self._judge)

    def verdict(self, session: Session, *, poll_id: uuid.UUID, position: Position) -> Verdict:
        """Whether *position* proves presence in the area of the poll."""
        return self._verdicts.ask((poll_id, position))

    def _judge(self, asked: Sequence[Whereabouts]) -> Sequence[Verdict]:
        verdicts: dict[int, Verdict] = {}
        with reading(self._engine) as session:
            for poll_id in {poll_id for poll_id, _ in asked}:
                places = [n for n, (asked_for, _) in enumerate(asked) if asked_for == poll_id]
                positions = [asked[n][1] for n in places]
                found = geofence.verdicts(session, poll_id=poll_id, positions=positions)
                verdicts.update(zip(places, found, strict=True))
        return [verdicts[n] for n in range(len(asked))]
