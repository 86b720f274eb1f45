"""Requests that are wrong before anyone looks into their bodies."""

from __future__ import annotations

import io
import json
import re
import uuid
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.support.bodies import EXAMPLES, operations_with_body
from tests.support.contract import contract
from tests.support.hostile import both, check_problem
from tests.support.operations import METHODS, Operation, operations_of
from tests.support.world import World, new_key

JSON = "application/json"


@pytest.mark.parametrize(
    "media_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
     "application/xml", "application/jsonp", "json", "a/b/c", "application/json/x"],
)  # fmt: skip
def test_a_body_of_another_media_type_is_refused(
    untouched: World, caller: dict[str, str], media_type: str | None
) -> None:
    for name, (method, path, _) in operations_with_body().items():
        headers = caller | {"If-Match": '"x"', "Idempotency-Key": new_key()}
        target = re.sub(r"{\w+}", str(uuid.uuid4()), path)
        body = json.dumps(EXAMPLES[name]).encode()
        answer = untouched.client.open(
            target, method=method.upper(), data=body, content_type=media_type, headers=headers
        )
        check_problem(answer, 415, "unsupported-media-type", "ko")


def test_both_languages_are_spoken_and_korean_is_for_who_says_nothing(untouched: World) -> None:
    both(untouched, "POST", "/v1/auth/codes", 415, "unsupported-media-type", data="x")
    for language in ("", "fr", "*", "ko-KR", "xx;q=nonsense", "en;q=0.1, ko;q=0.2"):
        answer = untouched.client.get("/v1/me", headers={"Accept-Language": language})
        check_problem(answer, 401, "token-missing", "ko")
    for language in ("en", "en-GB", "fr, en;q=0.5", "ko;q=0.1, en;q=0.9"):
        answer = untouched.client.get("/v1/me", headers={"Accept-Language": language})
        check_problem(answer, 401, "token-missing", "en")


def test_a_body_beyond_the_limit_is_refused(untouched: World, caller: dict[str, str]) -> None:
    huge = json.dumps({"title": "x" * 70_000}).encode()
    for path in ("/v1/polls", "/v1/auth/codes", "/v1/sites"):
        both(
            untouched, "POST", path, 413, "too-large", data=huge, content_type=JSON, headers=caller
        )


def test_a_body_just_within_the_limit_is_read(untouched: World, caller: dict[str, str]) -> None:
    body = b'{"made_up": "' + b"x" * (64 * 1024 - 15) + b'"}'
    assert len(body) == 64 * 1024
    answer = untouched.client.post("/v1/polls", data=body, content_type=JSON, headers=caller)
    check_problem(answer, 422, "invalid-request", "ko")


@pytest.mark.parametrize("said", [None, "5", "-1", "nonsense"])
def test_a_stream_is_cut_off_at_the_limit_whatever_it_says_of_its_length(
    app: Flask, untouched: World, said: str | None
) -> None:
    endless = Endless()
    environ = EnvironBuilder("/v1/auth/codes", method="POST", content_type=JSON).get_environ()
    environ.pop("CONTENT_LENGTH", None)
    environ |= {"wsgi.input": endless, "wsgi.input_terminated": True}
    if said is not None:
        environ["CONTENT_LENGTH"] = said
    body, status, _ = run_wsgi_app(app, environ)
    b"".join(body)
    assert status.startswith("4")
    assert endless.read_bytes <= 2 * 64 * 1024


class Endless(io.RawIOBase):
    """A body without an end; counts what was read of it."""

    read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b"x" * len(buffer)
        self.read_bytes += len(buffer)
        assert self.read_bytes < 10_000_000, "nobody stops reading"
        return len(buffer)


def test_a_method_that_a_path_does_not_know_is_refused_with_those_it_knows(
    app: Flask, untouched: World
) -> None:
    routes = app.url_map.bind("")
    for path in {operation.path() for operation in operations_of(app)}:
        known = set(routes.allowed_methods(path))
        for method in {*METHODS, "TRACE", "BREW"} - known:
            answer = both(untouched, method, path, 405, "method-not-allowed")
            assert set(re.split(r",\s*", answer.headers["Allow"])) == known


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/v1/nothing", "/v2/polls", "/v1/polls/", "//v1/polls", "/v1//polls",
     "/v1/polls/1", "/v1/polls/null", "/v1/polls/../me", "/v1/polls/%00", "/v1/polls/%2e%2e/me",
     "/v1/polls/0192a0a0-0000-7000-8000-00000000000g", "/v1/polls/{poll_id}", "/V1/POLLS",
     "/v1/polls/0192a0a000007000800000000000000000", "/v1/polls/%f0%9f%97%b3", "/%ff%fe",
     "/v1/sites/1", "/v1/codes/x", "/v1/codes/%00", "/v1/codes/ZZZZ-ZZZZ-ZZZZ",
     "/v1/codes/0000-0000-0000/image.gif", "/v1/areas/none", "/v1/areas/%00", "/v1/areas/%0a",
     "/v1/areas/11110%00", "/v1/areas/%ed%a0%80", "/v1/codes/%ed%a0%80"],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_not_found(untouched: World, path: str) -> None:
    both(untouched, "GET", path, 404, "not-found")


def test_an_id_that_nothing_has_is_not_found(
    app: Flask, untouched: World, caller: dict[str, str]
) -> None:
    for operation in operations_of(app):
        if operation.method in ("GET", "DELETE") and "<" in operation.template:
            path = operation.path() + query_of(operation)
            both(untouched, operation.method, path, 404, "not-found", headers=caller)


def query_of(operation: Operation) -> str:
    """What the operation cannot do without in its query: numbers."""
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.template)
    asked = contract()["paths"][path][operation.method.lower()].get("parameters", [])
    names = [each["name"] for each in asked if each["in"] == "query" and each.get("required")]
    return "?" + "&".join(f"{name}=1" for name in names) if names else ""


@pytest.mark.parametrize("verb", ["open", "cancel"])
def test_a_verb_upon_nothing_is_not_found(
    untouched: World, caller: dict[str, str], verb: str
) -> None:
    both(untouched, "POST", f"/v1/polls/{uuid.uuid4()}/{verb}", 404, "not-found", headers=caller)


def test_an_answer_in_a_form_that_is_not_offered_is_refused(app: Flask, untouched: World) -> None:
    offered = [
        path
        for path, item in contract()["paths"].items()
        if "406" in item.get("get", {}).get("responses", {})
    ]
    assert {"/v1/polls/{poll_id}/results", "/v1/sites"} <= set(offered)
    for path in offered:
        target = re.sub(r"{\w+}", str(uuid.uuid4()), path)
        for accept in ("application/xml", "image/png", "text/*;q=0, application/*;q=0"):
            both(untouched, "GET", target, 406, "not-acceptable", headers={"Accept": accept})


@pytest.mark.parametrize("accept", ["", "nonsense", "/", "*/*;q=nonsense", ";;;,,,", "a/b;q=2"])
def test_an_accept_header_that_makes_no_sense_breaks_nothing(untouched: World, accept: str) -> None:
    answer = untouched.client.get("/v1/sites", headers={"Accept": accept})
    assert answer.status_code in (200, 406)


@pytest.mark.parametrize(
    "key", [None, "", "x" * 21, "x" * 65, "x" * 22 + "!", "x y" * 10, "é" * 22, "x" * 10_000]
)
def test_a_ballot_without_a_proper_key_is_refused(
    untouched: World, caller: dict[str, str], key: str | None
) -> None:
    headers = caller if key is None else caller | {"Idempotency-Key": key}
    path = f"/v1/polls/{uuid.uuid4()}/ballots"
    body = {"selections": ["yes"]}
    answer = both(untouched, "POST", path, 422, "invalid-request", json=body, headers=headers)
    (fault,) = answer.get_json()["errors"]
    assert (fault["in"], fault["name"]) == ("header", "Idempotency-Key")
