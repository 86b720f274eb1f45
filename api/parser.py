"""Requests read strictly: the right media type, real JSON, and every fault named by its place."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import marshmallow as ma
import orjson
from flask import Request, Response
from flask.json.provider import JSONProvider
from webargs.flaskparser import FlaskParser

from api.library_words import understood
from api.problems import InvalidParameter, MalformedJson, UnsupportedMediaType
from mvote.errors import Fault, InvalidRequest
from mvote.wording import Message, say

PLACES = {"query": "query", "querystring": "query", "headers": "header", "path": "path"}


def read_json(body: bytes) -> Any:
    """What *body* says, if it can be read in one way only (RFC 7493). Raises MalformedJson.

    orjson refuses NaN, infinity, lone surrogates and bottomless nesting by itself. Of a member
    that stands twice it takes the last; a gateway before us may look at the first, and let pass
    what it did not read. Such a body has more quotation marks than its content, unless backslashes
    hide some: only with either is it read once more, which takes longer.
    """
    try:
        content = orjson.loads(body)
        is_plain = b"\\" not in body
        if not is_plain or body.count(b'"') != orjson.dumps(content).count(b'"'):
            EACH_ONCE.decode(body.decode())
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        raise MalformedJson from None
    return content


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict[str, Any]()
    for name, value in members:
        if name in read:
            raise MalformedJson(say("A member stands twice in one object: {name}.", name=name))
        read[name] = value
    return read


EACH_ONCE = json.JSONDecoder(object_pairs_hook=_each_once)


class StrictJson(JSONProvider):
    """What Flask itself would read and write."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs))
        return Response(body, mimetype="application/json")


class Parser(FlaskParser):
    """webargs with this project's errors: 415 for the wrong type, 400 for no JSON, 422 by place.

    A member of a query that nobody knows is refused, as one of a body is: whoever misspells a
    filter would take the whole list for the filtered one.
    """

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": ma.RAISE}

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        if not req.is_json:
            raise UnsupportedMediaType
        return read_json(req.get_data())

    def handle_error(self, error: ma.ValidationError, *_: Any, **__: Any) -> NoReturn:
        messages = error.messages if isinstance(error.messages, dict) else {}
        [(location, found)] = messages.items() or [("json", error.messages)]
        if location == "json":
            raise InvalidRequest(*faults_in(found)) from None
        raise InvalidParameter(*_faults_by_name(PLACES.get(location, location), found)) from None


def _faults_by_name(place: str, messages: Any) -> list[tuple[str, str, Message]]:
    return [
        (place, name, fault.detail)
        for name, inner in messages.items()
        for fault in faults_in(inner)
    ]


def faults_in(messages: Any, pointer: str = "") -> list[Fault]:
    """marshmallow's nested messages as a flat list of JSON pointers with their details."""
    if isinstance(messages, dict):
        return [
            fault
            for key, inner in messages.items()
            for fault in faults_in(inner, pointer + _step(key))
        ]
    listed = messages if isinstance(messages, list) else [messages]
    return [
        Fault(pointer, understood(message if isinstance(message, str) else str(message)))
        for message in listed
    ]


def _step(key: Any) -> str:
    if key in ("_schema", "value"):  # marshmallow's own words, no names of members
        return ""
    return "/" + str(key).replace("~", "~0").replace("/", "~1")
