"""From JSON to the typed definition. The shape was checked before; the rules are checked after."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from mvote.base import Json
from mvote.budget.definition.whole import Definition


def read_definition(document: dict[str, Json]) -> Definition:
    """The definition that a cycle's JSON says. What is left out has its default."""
    return cast("Definition", read(Definition, document))


def read(kind: Any, value: Json) -> Any:
    """*value*, of the right shape, as the type *kind* has it."""
    origin = get_origin(kind)
    if origin is Annotated:
        return read(get_args(kind)[0], value)
    if origin in (Union, UnionType):
        return None if value is None else read(without_none(kind), value)
    if origin is tuple:
        return tuple(read(get_args(kind)[0], each) for each in value)
    if is_dataclass(kind) and isinstance(kind, type):
        return kind(
            **{name: read(hint, value[name]) for name, hint in members(kind) if name in value}
        )
    return _scalar(kind, value)


def _scalar(kind: Any, value: Json) -> Any:
    if kind is Fraction:
        return Fraction(value)  # of "30/100" or of a whole number
    if kind is dt.datetime:
        return dt.datetime.fromisoformat(value)
    return value


def without_none(kind: Any) -> Any:
    """The one type beside None of an optional one."""
    [other] = [each for each in get_args(kind) if each is not NoneType]
    return other


@cache
def members(kind: type) -> tuple[tuple[str, Any], ...]:
    """Names and annotated types of a dataclass's members."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple((each.name, hints[each.name]) for each in fields(kind))
