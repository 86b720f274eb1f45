"""How many a poll would reach: confirmed citizens by attributes, and nothing of any one of them.

Two targets that differ by one person must not tell of that person. The count is disturbed before it
is rounded, by an amount that hangs on exactly who is counted (the cell key method of the Australian
Bureau of Statistics): the same people give the same figure however often and in whatever words they
are asked for, one person more or less gives another amount. What is small is not shown at all.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, and_, case, cast, exists, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Session

from mvote.ballotbox.notation import m
from mvote.people.attributes import Attribute
from mvote.people.citizens import Citizen
from mvote.people.limits import Limit, use_up_for_person
from mvote.polls.definition import Eligibility
from mvote.polls.poll import Poll


@dataclass(frozen=True)
class Grain:
    """How coarsely a count is shown: `disturbed_by` so much at most, up or down."""

    disturbed_by: int
    shown_from: int
    rounded_to: int


OF_OFFICERS = Grain(disturbed_by=4, shown_from=10, rounded_to=10)
"""So fewer than 6 are never shown, and where showing begins is uncertain, too."""
OF_CITIZENS = Grain(disturbed_by=40, shown_from=100, rounded_to=100)
"""Whoever could bring along what is never shown, ten accounts of their own with attributes as they
like, would average the disturbance away over one other person. A hundred phones are another matter.
"""
PER_HOUR = Limit("reach-per-citizen", 60, dt.timedelta(hours=1))
REACH_KEY = "reach"
SEED = "mvote/reach-seed/1"
LABEL = "mvote/reach/1"


def reach(
    session: Session,
    *,
    poll: Poll,
    rules: Eligibility,
    by: Citizen,
    key: bytes,
    now: dt.datetime,
    time_zone: str,
) -> int | None:
    """About how many meet *rules*, to tens, for a citizen to hundreds; None if they are few.
    Raises TooManyRequests.

    Whether somebody is on a roll is not looked at: their number is known to whoever made it.
    """
    use_up_for_person(session, PER_HOUR, citizen_id=by.id, label="mvote/reach-limit/1", now=now)
    year = (poll.opens_at or now).astimezone(ZoneInfo(time_zone)).year
    grain = OF_OFFICERS if by.is_officer else OF_CITIZENS
    return shown(*_counted(session, rules, year, key), key, grain)


def shown(count: int, who: int, key: bytes, grain: Grain = OF_OFFICERS) -> int | None:
    """*count* as it may be shown; *who* stands for exactly those who are counted."""
    most = grain.disturbed_by
    drawn = m(key, LABEL, (who % 2**64).to_bytes(8, "big"), count.to_bytes(8, "big"))
    disturbed = count + int.from_bytes(drawn[:8], "big") % (2 * most + 1) - most
    if disturbed < grain.shown_from:
        return None
    return (disturbed + grain.rounded_to // 2) // grain.rounded_to * grain.rounded_to


def _counted(session: Session, rules: Eligibility, year: int, key: bytes) -> tuple[int, int]:
    """How many, and a number that hangs on exactly who they are."""
    seed = int.from_bytes(m(key, SEED)[:8], "big", signed=True)
    mark = func.hashtextextended(cast(Citizen.id, TEXT), literal(seed))
    counted = select(func.count(), func.coalesce(func.bit_xor(mark), 0))
    count, who = session.execute(counted.where(*_conditions(rules, year))).one()
    return int(count), int(who)


def _conditions(rules: Eligibility, year: int) -> list[ColumnElement[bool]]:
    """The same rules as `mvote.polls.eligibility` reads one voter by, for all at once."""
    verified = Attribute.verified_at.is_not(None) if rules.verified_only else true()
    is_year = Attribute.name == "birth_year"
    # CASE, or the database might take a word for a number before it looks at the name
    age = year - case((is_year, cast(cast(Attribute.value, TEXT), Integer)))
    found: list[ColumnElement[bool]] = []
    if rules.areas or rules.anywhere:
        bases = [f"{basis}_area" for basis in rules.area_basis]
        within = Attribute.lineage.op("&&")(cast(list(rules.areas), ARRAY(TEXT)))
        found.append(
            _has(Attribute.name.in_(bases), verified, true() if rules.anywhere else within)
        )
    if rules.min_age is not None:
        found.append(_has(is_year, verified, age >= rules.min_age))
    if rules.max_age is not None:
        found.append(_has(is_year, verified, age <= rules.max_age))
    for name, wanted in (("gender", rules.genders), ("occupation", rules.occupations)):
        if wanted:
            value = Attribute.value.op("#>>")(cast([], ARRAY(TEXT)))
            found.append(_has(Attribute.name == name, verified, value.in_(wanted)))
    if rules.verified_only and not found:
        found.append(_has(verified))
    if rules.excluded:
        says_so = cast(Attribute.value, TEXT) == "true"
        found.append(~_has(Attribute.name.in_(rules.excluded), says_so))
    return found


def _has(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a citizen has an attribute like that."""
    return exists().where(Attribute.citizen_id == Citizen.id, and_(*conditions))
