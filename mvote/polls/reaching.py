"""How many a poll would reach: confirmed citizens by attributes, and nothing of any one of them.

Two targets that differ by one person must not tell of that person. The count is disturbed before it
is rounded, by an amount that hangs on exactly who is counted (the cell key method of the Australian
Bureau of Statistics): the same people give the same figure however often and in whatever words they
are asked for, one person more or less gives another amount. What is small is not shown at all.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, and_, case, cast, exists, func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Session

from mvote.ballotbox.notation import m
from mvote.people.attributes import Attribute
from mvote.people.citizens import Citizen
from mvote.people.limits import Limit, use_up
from mvote.polls.definition import Eligibility
from mvote.polls.poll import Poll

DISTURBED_BY = 4
"""At most, up or down."""
SHOWN_FROM, ROUNDED_TO = 10, 10
"""So fewer than 6 are never shown, and where showing begins is uncertain, too."""
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
    """About how many meet *rules*, to tens; None if they are few. Raises TooManyRequests.

    Whether somebody is on a roll is not looked at: their number is known to whoever made it.
    """
    subject = hashlib.sha256(b"mvote/reach-limit/1\x00" + by.id.bytes).digest()
    use_up(session, PER_HOUR, subject_hash=subject, now=now)
    year = (poll.opens_at or now).astimezone(ZoneInfo(time_zone)).year
    return shown(*_counted(session, rules, year, key), key)


def shown(count: int, who: int, key: bytes) -> int | None:
    """*count* as it may be shown; *who* stands for exactly those who are counted."""
    drawn = m(key, LABEL, (who % 2**64).to_bytes(8, "big"), count.to_bytes(8, "big"))
    disturbed = count + int.from_bytes(drawn[:8], "big") % (2 * DISTURBED_BY + 1) - DISTURBED_BY
    if disturbed < SHOWN_FROM:
        return None
    return (disturbed + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


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
