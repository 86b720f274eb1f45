"""The contract: OpenAPI 3.1, generated from the code that serves it.

Every operation gets the responses that its access, its body, its parameters and its declared
errors imply, so that the document and the behaviour cannot drift apart unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from flask import Flask
from flask_smorest import Api
from flask_smorest.spec.plugins import FlaskPlugin
from werkzeug.routing import Rule

from api.access import Who
from api.fields import TEXT, Instant
from api.idempotency import PARAMETER as IDEMPOTENCY_KEY
from api.places.shapes import COMPONENTS
from api.polls.ballot_schemas import GivenPoints
from api.polls.visiting import PARAMETER as ROOM_PASS
from api.problems import CONTENT_TYPE, HTTP_FAULTS, InternalError, status_of
from api.settings import ROOT
from mvote.errors import (
    DomainError,
    InvalidRequest,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    RequestKeyReused,
    StaleVersion,
    TokenInvalid,
    TokenMissing,
    TooManyRequests,
)

FILE = ROOT / "openapi.yaml"
"""Where the contract is committed; the same bytes are served."""
DESCRIPTION = (Path(__file__).parent / "description.md").read_text(encoding="utf-8")
LICENSE = {"name": "GNU AGPL 3.0 or later", "identifier": "AGPL-3.0-or-later"}
SPEC: dict[str, Any] = {
    "info": {"description": DESCRIPTION, "license": LICENSE},
    "servers": [{"url": "/"}],
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; further members are facts of that code.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
    },
}
PROBLEM = {"$ref": "#/components/schemas/Problem"}
FAULT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer into the body (RFC 6901)"},
        "in": {"type": "string", "enum": ["header", "query", "path"]},
        "name": {"type": "string"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "What is wrong, where it has a name"},
    },
}
IF_MATCH: dict[str, Any] = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string"},
    "description": "The `ETag` of what is changed, as it was read.",
}
HEADERS = {"needs_version": IF_MATCH, "idempotent": IDEMPOTENCY_KEY, "takes_a_pass": ROOM_PASS}
"""The header that a mark on a view speaks of."""
SECURITY: dict[Who, list[dict[str, list[str]]]] = {
    "public": [],
    "anybody": [{}, {"token": []}],
    "display": [{"display": []}],
}
"""What the contract asks of a caller; a citizen's token where nothing else is said."""
METHODS = ("get", "post", "put", "patch", "delete")


def register(app: Flask, api: Api) -> None:
    """Remember what the contract is made from, once all operations are known.

    It is written when it is asked for: that takes longer than all else at the start, and what is
    served is the committed file.
    """
    app.extensions["contract"] = api


def document_of(app: Flask) -> dict[str, Any]:
    """The contract of what *app* serves, generated anew."""
    return _document(app, app.extensions["contract"])


def text_of(app: Flask) -> str:
    """The contract as it is committed, YAML."""
    return yaml.safe_dump(document_of(app), allow_unicode=True, sort_keys=False, width=100)


def teach_fields(api: Api) -> None:
    """Let the contract know our own fields; before any blueprint is registered."""
    api.ma_plugin.map_to_openapi_type(Instant, "string", "date-time")
    api.ma_plugin.converter.add_attribute_function(_schema_of_its_own)
    api.spec.components.schema("GivenPoints", schema=GivenPoints)


def _schema_of_its_own(_: Any, field: Any, **__: Any) -> dict[str, Any]:
    found: dict[str, Any] = getattr(field, "json_schema", {})
    return found


def _document(app: Flask, api: Api) -> dict[str, Any]:
    document: dict[str, Any] = deepcopy(api.spec.to_dict())
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.update(Problem=PROBLEM_SCHEMA, Fault=FAULT_SCHEMA, Text=TEXT, **COMPONENTS)
    for unused in ("Error", "PaginationMetadata"):  # the library's own
        schemas.pop(unused, None)
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "display": {"type": "http", "scheme": "bearer", "description": "The key of a screen."},
    }
    for rule, method, operation in _operations(app, document):
        _complete(operation, app.view_functions[rule.endpoint], rule, method)
    components.pop("responses", None)
    return _plain({"openapi": document.pop("openapi")} | document)  # type: ignore[no-any-return]


def name_of(endpoint: str) -> str:
    """The operation's name, by which clients call it: a verb first, as functions are named."""
    return endpoint.rpartition(".")[2].replace("list_of_", "list_")


def _operations(app: Flask, document: dict[str, Any]) -> Iterator[tuple[Rule, str, dict[str, Any]]]:
    for rule in app.url_map.iter_rules():
        item = document["paths"].get(FlaskPlugin.flaskpath2openapi(rule.rule), {})
        for method in METHODS:
            if method in item and method.upper() in (rule.methods or ()):
                yield rule, method, item[method]


def _complete(operation: dict[str, Any], view: Any, rule: Rule, method: str) -> None:
    operation["operationId"] = name_of(rule.endpoint)
    headers = [header for mark, header in HEADERS.items() if getattr(view, mark, False)]
    if headers:
        operation.setdefault("parameters", []).extend(headers)
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _without_null(parameter["schema"])
    responses = operation["responses"]
    for code in list(responses):  # the library's own idea of errors
        if code == "default" or int(code) >= HTTPStatus.BAD_REQUEST:
            del responses[code]
    by_status: dict[int, set[str]] = {}
    for error in _errors_of(operation, view, rule, method):
        by_status.setdefault(status_of(error), set()).add(error.code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = _problem_response(codes, status)
    operation["security"] = SECURITY.get(view.access, [{"token": []}])


def _errors_of(
    operation: dict[str, Any], view: Any, rule: Rule, method: str
) -> Iterator[type[DomainError]]:
    yield from (InternalError, OutcomeUnknown, Overloaded, HTTP_FAULTS[413], TooManyRequests)
    yield from getattr(view, "may_raise", ())
    if view.access != "public":
        yield from (TokenMissing, TokenInvalid)
    if view.access in ("officer", "administrator", "display"):
        yield NotAllowed
    if rule.arguments:
        yield NotFound
    if "requestBody" in operation:
        yield from (HTTP_FAULTS[400], HTTP_FAULTS[415], InvalidRequest)
    if operation.get("parameters") or "parameters" in operation:
        yield InvalidRequest
    if getattr(view, "idempotent", False):
        yield RequestKeyReused
    if method in ("patch", "put") and getattr(view, "needs_version", False):
        yield from (StaleVersion, HTTP_FAULTS[428])


def _problem_response(codes: set[str], status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}: " + ", ".join(sorted(codes)),
        "content": {CONTENT_TYPE: {"schema": PROBLEM | _only(codes)}},
    }
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    return response


def _only(codes: set[str]) -> dict[str, Any]:
    """Beside the reference: validators read both, generators make one type of all problems."""
    return {"properties": {"code": {"enum": sorted(codes)}}}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter: it may be left out, but it is never null."""
    kept = {key: value for key, value in schema.items() if (key, value) != ("default", None)}
    for key in ("type", "enum"):
        if isinstance(kept.get(key), list):
            kept[key] = [each for each in kept[key] if each not in ("null", None)]
    if isinstance(kept.get("type"), list) and len(kept["type"]) == 1:
        kept["type"] = kept["type"][0]
    return kept


def _with_null_apart(schema: dict[Any, Any]) -> dict[Any, Any]:
    """One of several words or null: said as a choice of two, generators make one type of it."""
    if not isinstance(schema.get("enum"), list) or None not in schema["enum"]:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("type", "enum")}
    words = [each for each in schema["enum"] if each is not None]
    return rest | {"anyOf": [{"type": "string", "enum": words}, {"type": "null"}]}


def _plain(value: Any) -> Any:
    """The document as YAML has it: plain dicts, string keys, patterns of ECMA 262."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in _with_null_apart(value).items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.replace(r"\Z", "$") if isinstance(value, str) else value
