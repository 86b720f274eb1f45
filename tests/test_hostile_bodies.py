"""Whatever is wrong in a body is named by its place, in the caller's language; nothing happens."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.bodies import (
    BAD_INSTANTS,
    EXAMPLES,
    FORBIDDEN,
    Path,
    instants,
    missing_members,
    operations_with_body,
    places,
    pointer,
    put,
    texts,
    unknown_members,
    wrong_types,
)
from tests.support.census import Census, census
from tests.support.contract import contract
from tests.support.hostile import assert_language, check_problem, everything
from tests.support.world import Person, World, new_key

OPERATIONS = operations_with_body()
NAMES = sorted(OPERATIONS)
NOBODY = "0192a0a0-0000-7000-8000-000000000000"
COUNTED = {"cast_ballot", "check_eligibility", "look_up_room", "scan_code", "register_my_device"}
NO_JSON = (
    b"", b" ", b"{", b"{'a': 1}", b'{"a": 1,}', b"[1, 2", b"nul", b"\xff\xfe{\x00}\x00",
    b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": 01}',
    b'{"a": "\xff"}', b'{"a": "\\ud800"}', b'{"a": "\\udc00\\ud800"}', b'{"a": "\x00"}',
    b'{"a": 1, "a": 1}', b'{"a": 1, "\\u0061": 2}', b'{"a": {"b": "", "b": "\\u0022\\u0022"}}',
    b"[" * 60_000, b'{"a":' * 10_000, b"[" * 2_000 + b"]" * 2_000, b"\xef\xbb\xbf{}",
)  # fmt: skip


class Door:
    """Sends bodies to one operation, as somebody who may call it, in turn in both languages."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.method, template, self.schema = OPERATIONS[name]
        callers = self.those_who_may()
        self.callers = itertools.cycle(callers)
        self.id, self.version = NOBODY, '"x"'
        if name == "revise_a_poll":
            self.id = world.draft(callers[0])["id"]
            read = world.client.get(f"/v1/polls/{self.id}", headers=callers[0].headers)
            self.version = read.headers["ETag"]
        self.path = re.sub(r"{\w+}", self.id, template)
        self.languages = itertools.cycle(["ko", "en"])
        self.before: Census = census(world.admin_url)

    def those_who_may(self) -> list[Person]:
        """Somebody who is all that an operation may ask for; many where calls are counted."""
        return self.world.citizens(25) if self.name in COUNTED else [everything(self.world)]

    def send(self, body: Any = None, raw: bytes | None = None) -> tuple[str, TestResponse]:
        """Language and answer."""
        language = next(self.languages)
        headers = {"Idempotency-Key": new_key(), "If-Match": self.version}
        data = json.dumps(body).encode() if raw is None else raw
        return language, self.world.client.open(
            self.path,
            method=self.method.upper(),
            data=data,
            content_type="application/json",
            headers=next(self.callers).headers | headers | {"Accept-Language": language},
        )

    def refuses(self, path: Path, body: Any) -> None:
        """See that *body* is refused for what stands at *path*, and says so properly."""
        language, answer = self.send(body)
        problem = check_problem(answer, 422, "invalid-request", language)
        named = [fault["pointer"] for fault in problem["errors"]]
        assert any(_meets(each, pointer(path)) for each in named), (named, pointer(path), body)
        for fault in problem["errors"]:
            assert_language(fault["detail"], language)

    def wrote_nothing(self) -> None:
        assert census(self.world.admin_url) == self.before


def _meets(named: str, wanted: str) -> bool:
    """Whether one place is in the other."""
    return f"{named}/".startswith(f"{wanted}/") or f"{wanted}/".startswith(f"{named}/")


def with_a_member_twice(example: Any) -> Iterator[bytes]:
    """The example as text; in one of its objects the first member is said again, otherwise."""
    for path, value in places(example):
        if isinstance(value, dict) and value:
            text = json.dumps(put(example, path, value | {"made_up": None}))
            yield text.replace('"made_up"', json.dumps(next(iter(value)))).encode()


@pytest.fixture(params=NAMES)
def door(request: pytest.FixtureRequest, world: World) -> Iterator[Door]:
    """Each operation that takes a body; nothing is written by what a test sends to it."""
    door = Door(world, request.param)
    yield door
    door.wrote_nothing()


def test_there_is_a_right_body_for_every_operation_that_takes_one() -> None:
    assert set(EXAMPLES) == set(OPERATIONS)


def test_whatever_is_wrong_in_a_body_is_refused_by_its_place(door: Door) -> None:
    example, schema = EXAMPLES[door.name], door.schema
    for path, body in wrong_types(example, schema):
        door.refuses(path, body)
    if door.method != "patch":
        for path, body in missing_members(example, schema):
            door.refuses(path, body)
    for path in instants(example, schema):
        for instant in BAD_INSTANTS:
            door.refuses(path, put(example, path, instant))


def test_what_nobody_asked_for_is_refused(door: Door) -> None:
    """Members without a name in the contract, or said twice, characters that hide or break."""
    example = EXAMPLES[door.name]
    for path, body in unknown_members(example):
        door.refuses(path, body)
    for raw in with_a_member_twice(example):
        language, answer = door.send(raw=raw)
        check_problem(answer, 400, "malformed-json", language)
    for path in texts(example):
        for forbidden in FORBIDDEN.values():
            door.refuses(path, put(example, path, forbidden))
    for body in ([], [{}], "x", 7, 1.5, True, None):
        door.refuses((), body)


@pytest.mark.parametrize("name", ["draft_a_poll", "cast_ballot", "locate_point", "send_code"])
def test_what_is_no_json_is_refused(world: World, name: str) -> None:
    door = Door(world, name)
    for raw in NO_JSON:
        language, answer = door.send(raw=raw)
        check_problem(answer, 400, "malformed-json", language)
    door.wrote_nothing()


def test_the_contract_describes_every_body_as_closed() -> None:
    for name, (_, _, schema) in OPERATIONS.items():
        resolved = contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert resolved["additionalProperties"] is False, name
