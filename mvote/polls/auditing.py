"""Auditing: turnout by area and by age, once, from the roll and the roll key V.

The auditor sees participations, and of people their anchors, areas and years of birth, but nothing
of any ballot. What it writes down is rounded to fives, by area or by age and never by both.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from sqlalchemy import LargeBinary, and_, any_, bindparam, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from mvote.ballotbox.figures import TurnoutCell
from mvote.ballotbox.keystore import Keystore
from mvote.ballotbox.poll_keys import key_name
from mvote.ballotbox.sealing import voter_tag_of
from mvote.ballotbox.tables import Participation
from mvote.people.voters import anchor_at
from mvote.polls.definition import read_definition
from mvote.polls.poll import Poll, PollDefinition
from mvote.polls.turnout_cells import UNKNOWN, Audit, age_cell, area_cell

AT_ONCE = 5_000
"""People looked up at a time."""
MOST_POLLS = 100
"""Polls audited in one reading of the roll: to read millions of people is what takes long."""


class RollEntry(NamedTuple):
    """One person as the auditor sees them, with the anchors they ever had in order of time."""

    anchors: Sequence[tuple[object, bytes]]
    home_area: Sequence[str]
    born: int | None


def polls_to_audit(session: Session, keystore: Keystore) -> list[uuid.UUID]:
    """Published polls that are not audited yet and whose roll key the auditor still holds."""
    held = [
        uuid.UUID(name.split("/")[1]) for name in keystore.names("poll/") if name.endswith("/V")
    ]
    mark = and_(
        TurnoutCell.poll_id == Poll.id,
        TurnoutCell.dimension == "area",
        TurnoutCell.cell == UNKNOWN,
    )
    unaudited = (
        select(Poll.id)
        .outerjoin(TurnoutCell, mark)
        .where(Poll.state == "published", TurnoutCell.poll_id.is_(None))
        .where(Poll.id.in_(held))
        .order_by(Poll.published_at)
        .limit(MOST_POLLS)
    )
    return list(session.scalars(unaudited)) if held else []


def begin_audit(session: Session, keystore: Keystore, poll_id: uuid.UUID) -> Audit:
    """What is needed to audit a poll. Raises KeyMissing or KeyUnreadable without its roll key."""
    roll_key = keystore.get(key_name(poll_id, "V"))
    content = select(PollDefinition.canonical).where(PollDefinition.poll_id == poll_id)
    took_part = select(func.count()).where(Participation.poll_id == poll_id)
    return Audit(
        poll=read_definition(session.scalars(content).one()),
        roll_key=roll_key,
        participations=session.scalars(took_part).one(),
    )


def read_roll(session: Session, audits: Sequence[Audit]) -> None:
    """Fill the cells of all *audits* in one reading of the roll, some thousand people at a time."""
    wanted = [audit for audit in audits if not audit.too_few]
    shared = set(session.scalars(_SHARED_ANCHORS)) if wanted else set()
    for people in _roll(session) if wanted else ():
        for audit in wanted:
            _look_up(session, audit, people, shared)


def write_audit(session: Session, audit: Audit) -> None:
    """Write the cells down, once: the database takes no second audit of a poll."""
    session.execute(insert(TurnoutCell), audit.rounded())


_ROLL = text("SELECT citizen_id, since, anchor, home_area, born FROM voter_roll ORDER BY 1, 2")
_SHARED_ANCHORS = text(
    "SELECT anchor FROM voter_roll GROUP BY anchor HAVING count(DISTINCT citizen_id) > 1"
)
_TOOK_PART = (
    select(Participation.voter_tag)
    .where(Participation.poll_id == bindparam("poll_id"))
    .where(Participation.voter_tag == any_(bindparam("tags", type_=ARRAY(LargeBinary))))
)


def _roll(session: Session) -> Iterator[list[RollEntry]]:
    rows = session.execute(_ROLL.execution_options(yield_per=AT_ONCE))
    people = (_entry_of(list(its_rows)) for _, its_rows in groupby(rows, lambda row: row[0]))
    while some := list(islice(people, AT_ONCE)):
        yield some


def _entry_of(rows: Sequence[Sequence[object]]) -> RollEntry:
    """One person's rows, which differ in their anchors only."""
    anchors = [(since, anchor) for _, since, anchor, _, _ in rows]
    return RollEntry(anchors, rows[0][3] or (), rows[0][4])  # type: ignore[arg-type]


def _look_up(
    session: Session, audit: Audit, people: Iterable[RollEntry], shared: set[bytes]
) -> None:
    """Count those of *people* who took part."""
    poll = audit.poll
    by_tag: dict[bytes, RollEntry] = {}
    for person in people:
        anchor = anchor_at(person.anchors, poll.opens_at)
        tag = voter_tag_of(audit.roll_key, poll.P, anchor)
        if tag not in audit.seen:
            by_tag[tag] = person
        if anchor in shared:
            audit.seen.add(tag)
    bound = {"poll_id": poll.poll_id, "tags": list(by_tag)}
    for tag in session.scalars(_TOOK_PART, bound):
        audit.found += 1
        audit.cells["area", area_cell(by_tag[tag].home_area, poll.eligibility.areas)] += 1
        audit.cells["age", age_cell(by_tag[tag].born, poll.year)] += 1
