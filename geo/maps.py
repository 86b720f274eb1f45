"""Reading a map from a GeoJSON file of any office: untrusted, strictly, every fault reported."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any

from geo.areas import AREA_CODE
from geo.geojson import Flaw, check_crs, read_geometry
from geo.importing import BadFeature, MappedArea, MapRefused
from mvote.errors import Text
from mvote.wording import say

MOST_BYTES = 256 * 1024 * 1024
LONGEST_NAME = 200
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")
"""Categories of Unicode that no name needs: control, format, lone surrogates, unassigned."""


@dataclass(frozen=True, kw_only=True)
class Properties:
    """Which properties of a feature say what; the parent's code may be a prefix of its own."""

    code: str
    name: str
    english_name: str | None = None
    parent: str | None = None
    parent_prefix: int | None = None


def read_map(content: bytes, properties: Properties) -> tuple[list[MappedArea], list[BadFeature]]:
    """The areas of a GeoJSON FeatureCollection, and the features that cannot be read.

    Raises MapRefused for what is no such file, or one in a foreign coordinate reference system.
    """
    areas, bad = [], []
    for number, feature in enumerate(_features_of(_parsed(content)), start=1):
        try:
            areas.append(_area(feature, number, properties))
        except Flaw as flaw:
            code = _code_or_none(feature, properties)
            bad.append(BadFeature(number=number, area_code=code, reason=str(flaw)))
    return areas, bad


def _parsed(content: bytes) -> Any:
    if len(content) > MOST_BYTES:
        raise MapRefused(reason=f"The file is larger than {MOST_BYTES >> 20} MiB.")
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise MapRefused(reason="The file is not in UTF-8.") from None
    except RecursionError:
        raise MapRefused(reason="The file is nested too deeply.") from None
    except ValueError as error:
        raise MapRefused(reason=f"The file is not JSON: {error}.") from None


def _features_of(document: Any) -> list[Any]:
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise MapRefused(reason="The file is not a GeoJSON FeatureCollection.")
    features = document.get("features")
    if not isinstance(features, list) or not features:
        raise MapRefused(reason="The file has no features.")
    try:
        check_crs(document)
    except Flaw as flaw:
        raise MapRefused(reason=flaw.reason) from None
    return features


def _area(feature: Any, number: int, properties: Properties) -> MappedArea:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise Flaw(say("This is not a Feature."))
    facts = feature.get("properties")
    if not isinstance(facts, dict):
        raise Flaw(say("It has no properties."))
    code = _code(facts, properties.code)
    return MappedArea(
        number=number,
        area_code=code,
        name=_names(facts, properties),
        parent_code=_parent(facts, code, properties),
        wkb=read_geometry(feature.get("geometry")),
    )


def _code(facts: dict[str, Any], name: str) -> str:
    if name not in facts:
        raise Flaw(say("It has no property {name}.", name=ascii(name)))
    value = facts[name]
    code = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(code, str) or not AREA_CODE.fullmatch(code):
        raise Flaw(
            say("Its {name} is not a code: 1 to 20 letters, digits or hyphens.", name=ascii(name))
        )
    return code


def _code_or_none(feature: Any, properties: Properties) -> str | None:
    try:
        return _code(feature["properties"], properties.code)
    except (Flaw, TypeError, KeyError):
        return None


def _names(facts: dict[str, Any], properties: Properties) -> Text:
    names = {"ko": _text(facts, properties.name)}
    if properties.english_name is not None:
        names["en"] = _text(facts, properties.english_name)
    return names


def _text(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Flaw(say("It has no text in {name}.", name=ascii(name)))
    if any(unicodedata.category(character) in HIDDEN for character in value):
        raise Flaw(
            say(
                "Its {name} has a control or invisible character, or half of one.", name=ascii(name)
            )
        )
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) > LONGEST_NAME:
        raise Flaw(
            say(
                "Its {name} is longer than {longest_name} characters.",
                name=ascii(name),
                longest_name=LONGEST_NAME,
            )
        )
    return text


def _parent(facts: dict[str, Any], code: str, properties: Properties) -> str | None:
    if properties.parent is not None:
        parent = _code(facts, properties.parent)
    elif properties.parent_prefix is not None:
        parent = code[: properties.parent_prefix]
    else:
        return None
    if parent == code:
        raise Flaw(say("It would be its own parent."))
    return parent
