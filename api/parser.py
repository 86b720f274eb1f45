"""Requests read strictly: the right media type, real JSON, and every fault named by its place."""

from __future__ import annotations

from typing import Any, NoReturn

import marshmallow as ma
import orjson
from flask import Request, Response
from flask.json.provider import JSONProvider
from webargs.flaskparser import FlaskParser

from api.library_words import understood
from api.problems import InvalidParameter, MalformedJson, UnsupportedMediaType
from mvote.errors import Fault, InvalidRequest

PLACES = {"query": "query", "querystring": "query", "headers": "header", "path": "path"}


class StrictJson(JSONProvider):
    """orjson: refuses NaN, infinity, lone surrogates and bottomless nesting by itself."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs))
        return Response(body, mimetype="application/json")


class Parser(FlaskParser):
    """webargs with this project's errors: 415 for the wrong type, 400 for no JSON, 422 by place."""

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        if not req.is_json:
            raise UnsupportedMediaType
        try:
            return orjson.loads(req.get_data())
        except orjson.JSONDecodeError:
            raise MalformedJson from None

    def handle_error(self, error: ma.ValidationError, *_: Any, **__: Any) -> NoReturn:
        messages = error.messages if isinstance(error.messages, dict) else {}
        [(location, found)] = messages.items() or [("json", error.messages)]
        if location == "json":
            raise InvalidRequest(*faults_in(found)) from None
        place = PLACES.get(location, location)
        flat = [(place, fault.pointer.lstrip("/"), fault.detail) for fault in faults_in(found)]
        raise InvalidParameter(*flat) from None


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
