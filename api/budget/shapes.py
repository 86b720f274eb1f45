"""The shape of a definition over HTTP, made from its dataclasses: one place says what there is."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import MISSING, fields, is_dataclass
from fractions import Fraction
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from api.fields import Boolean, Instant, Integer, LocalText, Strict, String
from mvote.base import instant
from mvote.budget.definition.reading import members, without_none
from mvote.budget.definition.scalars import Between, Longest, Matching
from mvote.wording import say

Options = dict[str, Any]
SHARE = r"[0-9]{1,9}/[1-9][0-9]{0,8}"


class InstantText(Instant):
    """An instant that stays text, in its one form: it stands within a document that is kept."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return instant(super()._deserialize(value, *args, **kwargs))

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return value


class ScoreField(ma.fields.Field[Any]):
    """A whole number, or a share as text."""

    default_error_messages = {"invalid": say("A whole number, or a share like 30/100.")}  # noqa: RUF012

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    @property
    def json_schema(self) -> dict[str, Any]:
        """How it stands in the contract."""
        number = {"type": "integer", "minimum": 0, "maximum": self.most}
        share = {"type": "string", "pattern": f"^{SHARE}$"}
        return {"anyOf": [number, share] + [{"type": "null"}] * self.allow_none}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        is_share = isinstance(value, str) and re.fullmatch(SHARE, value)
        if not (is_share or (is_number and 0 <= value <= self.most)):
            raise self.make_error("invalid")
        return value


@cache
def schema_of(kind: type) -> type[ma.Schema]:
    """The schema of a dataclass of the definition: its members, no others."""
    needed = {
        each.name
        for each in fields(kind)
        if each.default is MISSING  # factories are not used
    }
    made = {name: field_of(hint, required=name in needed) for name, hint in members(kind)}
    return type(f"Cycle{kind.__name__}Schema", (Strict,), made)


def field_of(hint: Any, **options: Any) -> ma.fields.Field[Any]:
    """The field that takes what the annotated type *hint* says; *options* as marshmallow's."""
    bounds: list[Any] = []
    while True:
        if get_origin(hint) is Annotated:
            hint, *found = get_args(hint)
            bounds += found
        elif get_origin(hint) in (Union, UnionType):
            hint = without_none(hint)
            options["allow_none"] = True
        else:
            break
    said = [each for each in bounds if isinstance(each, str)]
    if said:
        options["metadata"] = {"description": said[0]}
    return _field(hint, [each for each in bounds if not isinstance(each, str)], options)


def _field(hint: Any, bounds: list[Any], options: Options) -> ma.fields.Field[Any]:
    origin = get_origin(hint)
    if origin is tuple:
        length = [Length(each.least, each.most) for each in bounds]
        return ma.fields.List(field_of(get_args(hint)[0]), validate=length, **options)
    if origin is Literal:
        return String(validate=OneOf(get_args(hint)), **options)
    if is_dataclass(hint):
        return ma.fields.Nested(schema_of(hint), **options)  # type: ignore[arg-type]
    if origin is dict:
        [longest] = [each for each in bounds if isinstance(each, Longest)]
        return LocalText(max_length=longest.characters, **options)
    return _scalar(hint, bounds, options)


def _scalar(hint: Any, bounds: list[Any], options: Options) -> ma.fields.Field[Any]:
    ranges = [Range(each.least, each.most) for each in bounds if isinstance(each, Between)]
    patterns = [
        Regexp(rf"^({each.pattern})\Z", error=each.error)
        for each in bounds
        if isinstance(each, Matching)
    ]
    if hint is Fraction and ranges:
        return ScoreField(most=bounds[0].most, **options)
    if hint is dt.datetime:
        return InstantText(**options)
    if hint is bool:
        return Boolean(**options)
    if hint is int:
        return Integer(validate=ranges, **options)
    return String(validate=patterns, **options)
