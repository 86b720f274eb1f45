"""Bringing a map into the database: whole or not at all, and each time into the right versions.

A version of an area is never changed. What a map says differently from the version that is valid
on its day becomes a new version from that day on; what it says the same leaves all as it is, so
the same map may be imported again and again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from geo.areas import Area, valid_on
from geo.columns import from_wkb
from geo.geojson import Flaw, check_all
from mvote.errors import Text

AT_ONCE = 500
FACTS = ("kind", "name", "parent_code")


@dataclass(frozen=True, kw_only=True)
class MappedArea:
    """One area as a map shows it; `number` is its place in the file, from 1."""

    number: int
    area_code: str
    name: Text
    parent_code: str | None = None
    wkb: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class BadFeature:
    """A feature that cannot be imported: which, why, and where on the map."""

    number: int
    reason: str
    area_code: str | None = None

    def __str__(self) -> str:
        code = f" ({self.area_code})" if self.area_code else ""
        return f"feature {self.number}{code}: {self.reason}"


class MapRefused(ValueError):
    """A map with bad features, or one that is no map; nothing of it was imported."""

    def __init__(self, *bad: BadFeature, reason: str = "") -> None:
        super().__init__(reason or f"{len(bad)} of the features cannot be imported.")
        self.bad = bad


@dataclass(kw_only=True)
class ImportReport:
    """How many areas were new, have a new version, or stay as they are."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    #: codes of parents that are named but not known on that day
    unknown_parents: list[str] = field(default_factory=list)


def import_areas(
    session: Session,
    *,
    kind: str,
    areas: Sequence[MappedArea],
    bad: Iterable[BadFeature] = (),
    valid_from: dt.date,
    source: str,
) -> ImportReport:
    """Import the *areas* of a map as versions that begin on a day. Raises MapRefused.

    *bad* are those features of the map that could not even be read: with one of them, or one
    whose boundary is not valid, all is refused. Needs the rights of the database's owner.
    """
    session.execute(text("LOCK TABLE area IN SHARE ROW EXCLUSIVE MODE"))
    timelines = _timelines(session, areas)
    hashes, flawed = _checked(session, areas)
    found = [*bad, *flawed, *_twice(areas), *_of_other_kind(areas, timelines, kind)]
    if found:
        raise MapRefused(*sorted(found, key=lambda each: each.number))
    report, rows = ImportReport(), []
    for area in areas:
        row = _row(area, kind, source, hashes[area.number])
        if _make_room(timelines.get(area.area_code, []), row, valid_from, report):
            rows.append(row)
    session.flush()  # what was valid ends before the new version begins
    if rows:
        session.execute(insert(Area), rows)
    report.unknown_parents = _unknown_parents(session, areas, valid_from)
    return report


def _timelines(session: Session, areas: Sequence[MappedArea]) -> dict[str, list[Area]]:
    """The known versions of each code, the earliest first, without those that never were."""
    codes = {area.area_code for area in areas}
    known = select(Area).where(Area.area_code.in_(codes)).order_by(Area.valid_from)
    timelines: dict[str, list[Area]] = {}
    for version in session.scalars(known):
        if version.valid_to is None or version.valid_to > version.valid_from:
            timelines.setdefault(version.area_code, []).append(version)
    return timelines


def _checked(
    session: Session, areas: Sequence[MappedArea]
) -> tuple[dict[int, str], list[BadFeature]]:
    """The hash of each boundary, and the features whose boundary is not valid."""
    hashes: dict[int, str] = {}
    bad = []
    for some in _batches(areas):
        answers = check_all(session, [area.wkb for area in some])
        for area, answer in zip(some, answers, strict=True):
            if isinstance(answer, Flaw):
                bad.append(
                    BadFeature(number=area.number, area_code=area.area_code, reason=str(answer))
                )
            else:
                hashes[area.number] = answer
    return hashes, bad


def _batches(areas: Sequence[MappedArea]) -> Iterator[Sequence[MappedArea]]:
    for first in range(0, len(areas), AT_ONCE):
        yield areas[first : first + AT_ONCE]


def _twice(areas: Sequence[MappedArea]) -> Iterator[BadFeature]:
    first: dict[str, int] = {}
    for area in areas:
        before = first.setdefault(area.area_code, area.number)
        if before != area.number:
            reason = f"it has the same code as feature {before}"
            yield BadFeature(number=area.number, area_code=area.area_code, reason=reason)


def _of_other_kind(
    areas: Sequence[MappedArea], timelines: dict[str, list[Area]], kind: str
) -> Iterator[BadFeature]:
    for area in areas:
        others = {version.kind for version in timelines.get(area.area_code, [])} - {kind}
        if others:
            reason = f"this code is already that of a {others.pop()}"
            yield BadFeature(number=area.number, area_code=area.area_code, reason=reason)


def _row(area: MappedArea, kind: str, source: str, sha256: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "area_code": area.area_code,
        "name": area.name,
        "parent_code": area.parent_code,
        "geom": from_wkb(area.wkb),
        "boundary_sha256": sha256,
        "source": source,
    }


def _make_room(
    versions: list[Area], row: dict[str, Any], day: dt.date, report: ImportReport
) -> bool:
    """Give *row* its period from *day* on, and end the version valid before, if there is news."""
    sha256 = row.pop("boundary_sha256")
    now = next((v for v in versions if v.valid_from <= day < (v.valid_to or dt.date.max)), None)
    if now is None:
        report.new += 1
        later = [version.valid_from for version in versions if version.valid_from > day]
        row |= {"valid_from": day, "valid_to": min(later, default=None)}
        return True
    _keep_what_the_map_leaves_out(now, row)
    if now.boundary_sha256 == sha256 and all(getattr(now, fact) == row[fact] for fact in FACTS):
        report.unchanged += 1
        return False
    report.changed += 1
    row |= {"valid_from": day, "valid_to": now.valid_to}
    now.valid_to = day
    return True


def _keep_what_the_map_leaves_out(now: Area, row: dict[str, Any]) -> None:
    """A map that names no parent, or no name in English, does not deny them."""
    row["parent_code"] = row["parent_code"] or now.parent_code
    if now.name["ko"] == row["name"]["ko"]:
        row["name"] = now.name | row["name"]


def _unknown_parents(session: Session, areas: Sequence[MappedArea], day: dt.date) -> list[str]:
    named = {area.parent_code for area in areas if area.parent_code}
    known = session.scalars(select(Area.area_code).where(Area.area_code.in_(named), valid_on(day)))
    return sorted(named - set(known))
