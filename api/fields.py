"""Fields that check shape strictly: what comes in is what is meant, what goes out is one form."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from mvote.base import instant
from mvote.wording import say

LANGUAGES = ("ko", "en")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but tab and newline
    r"\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, bidi overrides
    r"\u00ad\u034f\u061c\u180e\U000e0000-\U000e007f"  # hyphens and tags that nobody sees
    r"\u115f\u1160\u2800\u3164\uffa0"  # blanks that count as letters: Hangul fillers, Braille
    r"\ud800-\udfff]"  # lone surrogates
)


class Strict(ma.Schema):
    """Members that nobody asked for are refused."""

    class Meta:
        unknown = ma.RAISE


class String(ma.fields.String):
    """Text in NFC without control, invisible or direction-changing characters."""

    default_error_messages = {"forbidden": say("Contains a control or invisible character.")}  # noqa: RUF012

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, *args, **kwargs)
        if text is None or FORBIDDEN.search(text):
            raise self.make_error("forbidden")
        return unicodedata.normalize("NFC", text).strip()


BEYOND_64_BITS = 2.0**63
"""From here on the parser gives whole numbers as floats."""


class Integer(ma.fields.Integer):
    """A whole number as JSON has it: neither 1.5 nor "7" nor true. Query strings may be digits."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        if isinstance(value, str) and self._from_query and re.fullmatch(r"-?[0-9]{1,18}", value):
            return int(value)
        if isinstance(value, float) and abs(value) >= BEYOND_64_BITS:
            raise self.make_error("too_large", input=value)  # as JSON it may well have been whole
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        return value

    @property
    def _from_query(self) -> bool:
        return self.parent is not None and "Query" in type(self.parent).__name__


class Float(ma.fields.Float):
    """A finite number as JSON has it."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid", input=value)
        if not math.isfinite(value):
            raise self.make_error("special", input=value)
        return float(value)


class Boolean(ma.fields.Boolean):
    """true or false, nothing that merely looks like them."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Flag(ma.fields.Boolean):
    """`true` or `false` in a query string: these two words."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bool:
        if value not in ("true", "false"):
            raise self.make_error("invalid", input=value)
        return bool(value == "true")


class Uuid(ma.fields.UUID):
    """A UUID in its usual form; the library would take others, too."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not UUID.fullmatch(value):
            raise self.make_error("invalid_uuid")
        return super()._deserialize(value, *args, **kwargs)


class Instant(ma.fields.Field[dt.datetime]):
    """RFC 3339 with a time zone in, UTC with `Z` out."""

    default_error_messages = {"invalid": say("Not an RFC 3339 instant with a time zone.")}  # noqa: RUF012

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dt.datetime:
        if not isinstance(value, str) or not RFC3339.fullmatch(value):
            raise self.make_error("invalid")
        try:
            instant = dt.datetime.fromisoformat(value.upper()).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise self.make_error("invalid") from None
        if not 1900 <= instant.year <= 9000:  # the database's and every client's calendar
            raise self.make_error("invalid")
        return instant

    def _serialize(self, value: dt.datetime | None, *_: Any, **__: Any) -> str | None:
        return instant(value) if value is not None else None


TEXT: dict[str, Any] = {
    "type": "object",
    "description": "A text in the languages in which it was written.",
    "properties": {language: {"type": "string"} for language in LANGUAGES},
    "additionalProperties": False,
    "minProperties": 1,
}
"""In the contract it is one schema by this name, so that clients have one type for it."""
A_TEXT: dict[str, Any] = {"$ref": "#/components/schemas/Text"}


class LocalText(ma.fields.Field[dict[str, str]]):
    """A plain string (Korean) or `{"ko": …, "en": …}`; always an object within and going out."""

    default_error_messages = {  # noqa: RUF012
        "invalid": say("A string, or an object with `ko` or `en` or both."),
        "forbidden": say("Contains a control or invisible character."),
        "empty": say("Must not be empty."),
        "long": say("Longer than {max} characters."),
    }

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = max_length

    @property
    def json_schema(self) -> dict[str, Any]:
        """How it stands in the contract."""
        bounds = {"minLength": 1, "maxLength": self.max_length}
        each = A_TEXT | {"properties": dict.fromkeys(LANGUAGES, bounds)}
        text = {"type": "string"} | bounds
        return {"anyOf": [text, each] + [{"type": "null"}] * self.allow_none}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, str]:
        texts = {"ko": value} if isinstance(value, str) else value
        if not isinstance(texts, Mapping) or not texts or not set(texts) <= set(LANGUAGES):
            raise self.make_error("invalid")
        return {language: self._checked(texts[language]) for language in texts}

    def _checked(self, text: Any) -> str:
        if not isinstance(text, str):
            raise self.make_error("invalid")
        if FORBIDDEN.search(text):
            raise self.make_error("forbidden")
        text = str(unicodedata.normalize("NFC", text)).strip()
        if not text:
            raise self.make_error("empty")
        if len(text) > self.max_length:
            raise self.make_error("long", max=self.max_length)
        return str(text)


class ShownText(ma.fields.Field[dict[str, str]]):
    """A text going out: always an object."""

    @property
    def json_schema(self) -> dict[str, Any]:
        """How it stands in the contract."""
        return {"anyOf": [A_TEXT, {"type": "null"}]} if self.allow_none else A_TEXT


class Verbatim(ma.fields.Nested):
    """What was checked when it came in, going out as it is kept; the contract has its schema."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        return value


class CleanObject(ma.fields.Field[dict[str, Any]]):
    """A JSON object whose shape others check; its texts are clean, so that it can be kept."""

    default_error_messages = {  # noqa: RUF012
        "invalid": say("Not a valid mapping type."),
        "forbidden": say("Contains a control or invisible character."),
    }

    def __init__(self, json_schema: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.json_schema = json_schema

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        if not is_clean(value):
            raise self.make_error("forbidden")
        return value


def is_clean(value: Any) -> bool:
    """Whether no text in a JSON value has a character that breaks or hides something."""
    if isinstance(value, str):
        return not FORBIDDEN.search(value)
    if isinstance(value, Mapping):
        return all(is_clean(key) and is_clean(inner) for key, inner in value.items())
    return all(is_clean(inner) for inner in value) if isinstance(value, list) else True


class PositionSchema(ma.Schema):
    """What a phone reports: a circle that holds it with 95 %, and when. Used and forgotten."""

    class Meta:
        unknown = ma.RAISE

    lat = Float(required=True, validate=ma.validate.Range(-90, 90))
    lon = Float(required=True, validate=ma.validate.Range(-180, 180))
    accuracy_m = Float(
        required=True,
        validate=ma.validate.Range(0, 1_000_000, min_inclusive=False),
        metadata={
            "description": "Radius in metres that holds the phone with 95 %.",
            "exclusiveMinimum": 0,
        },
    )
    captured_at = Instant(required=True)


class PointSchema(ma.Schema):
    """A point on earth, WGS 84 degrees."""

    class Meta:
        unknown = ma.RAISE

    lat = Float(required=True, validate=ma.validate.Range(-90, 90))
    lon = Float(required=True, validate=ma.validate.Range(-180, 180))
