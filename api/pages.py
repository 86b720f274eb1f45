"""Lists in pages: `{items, next_cursor}`. A cursor is an opaque, checked place in the order."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import marshmallow as ma
import orjson

from api.fields import Integer, String, is_clean
from api.problems import InvalidParameter
from mvote.wording import say

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
T = TypeVar("T")


def _instant(text: str) -> dt.datetime:
    read = dt.datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError("a naive datetime is not an instant")
    return read


WRITTEN_AS_TEXT: dict[type, Callable[[str], Any]] = {uuid.UUID: uuid.UUID, dt.datetime: _instant}


class PageQuery(ma.Schema):
    """The two parameters of every list."""

    limit = Integer(
        load_default=DEFAULT_LIMIT,
        validate=ma.validate.Range(1, MAX_LIMIT),
        metadata={"description": "How many at most (default 20)."},
    )
    cursor = String(
        load_default=None,
        validate=ma.validate.Length(max=512),
        metadata={"description": "`next_cursor` of the page before."},
    )


def page_of(item: type[ma.Schema] | ma.Schema, name: str) -> type[ma.Schema]:
    """The schema of a page of *item*s, called *name* in the contract."""
    fields = {
        "items": ma.fields.List(ma.fields.Nested(item), required=True),
        "next_cursor": ma.fields.String(required=True, allow_none=True),
    }
    return ma.Schema.from_dict(fields, name=name)  # type: ignore[arg-type]


def read_cursor(cursor: str | None, *types: type) -> list[Any] | None:
    """The place a cursor names, its parts of the given *types*. Raises InvalidParameter."""
    if cursor is None:
        return None
    try:
        return _parts_of(cursor, types)
    except ValueError:
        raise InvalidParameter(("query", "cursor", say("This is no cursor of ours."))) from None


def _parts_of(cursor: str, types: Sequence[type]) -> list[Any]:
    """Raises ValueError for one that we have not written."""
    parts = orjson.loads(base64.urlsafe_b64decode(cursor.encode() + b"=="))
    if not isinstance(parts, list) or not is_clean(parts):
        raise ValueError("no place in an order")
    return [_part_as(kind, part) for kind, part in zip(types, parts, strict=True)]


def _part_as(kind: type, part: Any) -> Any:
    """Raises ValueError for what is none."""
    read = WRITTEN_AS_TEXT.get(kind)
    if type(part) is not (str if read else kind):
        raise ValueError(kind.__name__)
    return read(str(part)) if read else part


def write_cursor(*place: Any) -> str:
    """The cursor that `read_cursor` reads *place* from."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place_of(cursor: str | None) -> uuid.UUID | None:
    """The id a cursor names; None for the beginning. Raises InvalidParameter."""
    place: uuid.UUID | None
    [place] = read_cursor(cursor, uuid.UUID) or [None]
    return place


def _its_id(each: Any) -> tuple[uuid.UUID]:
    return (each.id,)


def cut_page(
    found: Sequence[T], limit: int, place: Callable[[T], Sequence[Any]] = _its_id
) -> tuple[Sequence[T], str | None]:
    """The page of *found*, which holds one more than *limit* if there are more, and the cursor of
    the next: the *place* of the last one on the page."""
    page = found[:limit]
    return page, write_cursor(*place(page[-1])) if len(found) > limit else None


def page_from(found: Sequence[T], query: dict[str, Any]) -> tuple[Sequence[T], str | None]:
    """The page of a short list that is read whole, and the cursor of the next, by their numbers.

    For what is only ever appended to. Raises InvalidParameter.
    """
    [start] = read_cursor(query["cursor"], int) or [0]
    start, limit = max(start, 0), query["limit"]
    more = write_cursor(start + limit) if len(found) > start + limit else None
    return found[start : start + limit], more
