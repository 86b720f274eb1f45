"""A test client that compares every response with `openapi.yaml`: status, type, body, headers."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml
from flask.testing import FlaskClient
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

CONTRACT = Path(__file__).resolve().parents[2] / "openapi.yaml"
HANGUL, LATIN = re.compile(r"[가-힣]"), re.compile(r"[A-Za-z]")
OUTSIDE = re.compile(
    r"/(docs(/.*)?|display(/.*)?|openapi\.yaml|healthz|readyz|metrics|\.well-known/.*|[qi]/.*)?(\?.*)?"
)


class ContractBroken(AssertionError):
    """The code answered what the contract does not promise."""


@cache
def contract() -> dict[str, Any]:
    """The committed contract."""
    document: dict[str, Any] = yaml.load(CONTRACT.read_text(), Loader=yaml.CSafeLoader)
    return document


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    found = []
    for path in contract()["paths"]:
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path))
        found.append((re.compile(pattern), path))
    return sorted(found, key=lambda pair: pair[1].count("{"))


@cache
def _validator(path: str, method: str, status: str, media: str) -> Any:
    response = contract()["paths"][path][method]["responses"].get(status)
    if response is None:
        raise ContractBroken(f"{method} {path} may not answer {status}")
    content = response.get("content", {})
    if media not in content:
        raise ContractBroken(f"{method} {path} {status}: {media} is not promised: {list(content)}")
    schema = content[media].get("schema", {})
    needed = {**schema, "components": {"schemas": _schemas_needed(schema)}}
    return jsonschema_rs.Draft202012Validator(needed, validate_formats=True)


def _schemas_needed(schema: Any) -> dict[str, Any]:
    """The shared schemas that *schema* refers to, those that they refer to, and so on.

    Each validator keeps a copy of what it is given: with all of them a thousand take 3 GiB.
    """
    shared, found = contract()["components"]["schemas"], dict[str, Any]()
    names = _names_in(schema)
    while names:
        name = names.pop()
        found[name] = shared[name]
        names |= _names_in(shared[name]) - found.keys()
    return found


def _names_in(schema: Any) -> set[str]:
    return set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)))


def check(method: str, path: str, response: Response) -> None:
    """Raise ContractBroken unless the contract promises this *response*."""
    template = next((t for pattern, t in _templates() if pattern.fullmatch(path)), None)
    without_body = method.upper() == "HEAD"
    method = "get" if without_body else method.lower()
    if template is None or method not in contract()["paths"][template]:
        if response.status_code not in (404, 405, 308) and not OUTSIDE.fullmatch(path):
            raise ContractBroken(f"{method} {path} is not in the contract")
        return
    status = str(response.status_code)
    if response.status_code in (204, 304):
        if status not in contract()["paths"][template][method]["responses"]:
            raise ContractBroken(f"{method} {template} may not answer {status}")
        return
    validator = _validator(template, method, status, response.mimetype)
    if without_body:
        return
    if response.is_json or (response.mimetype or "").endswith("json"):
        for error in validator.iter_errors(response.get_json(force=True)):
            raise ContractBroken(f"{method} {template} {status}: {error.message}")


def check_language(response: Response) -> None:
    """Raise ContractBroken if a problem in Korean says something in English, or the reverse."""
    if response.mimetype != "application/problem+json" or not response.get_data():
        return
    problem = response.get_json(force=True)
    tongue = response.headers.get("Content-Language")
    said = [problem[name] for name in ("title", "detail", "next_step") if problem.get(name)]
    said += [fault["detail"] for fault in problem.get("errors", ())]
    for sentence in said:
        if tongue == "ko" and not HANGUL.search(sentence):
            raise ContractBroken(f"not in Korean: {sentence}")
        if tongue == "en" and not LATIN.search(sentence):
            raise ContractBroken(f"not in English: {sentence}")


class CheckedClient(FlaskClient):
    """Flask's test client; no response escapes the contract, nor speaks two languages."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        request = response.request
        if request.method != "OPTIONS":
            check(request.method, request.path, response)
            check_language(response)
        return response
