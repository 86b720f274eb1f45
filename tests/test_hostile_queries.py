"""Queries that are wrong: cursors that are none of ours, limits, filters, words."""

from __future__ import annotations

import base64
import re
import uuid
from typing import Any

import orjson
import pytest

from api.contract import METHODS
from tests.support.contract import contract
from tests.support.hostile import both, check_problem
from tests.support.sites import Place
from tests.support.world import World


def lists() -> list[str]:
    """Every list: the paths that take a cursor."""
    return [
        path
        for path, item in contract()["paths"].items()
        for parameter in item.get("get", {}).get("parameters", [])
        if parameter["name"] == "cursor"
    ]


def asking() -> list[tuple[str, str]]:
    """Method and path of whatever takes a query."""
    return [
        (method, path)
        for path, item in contract()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
        if any(each["in"] == "query" for each in operation.get("parameters", []))
    ]


def cursor_of(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


BAD_CURSORS = [
    "", "x", "=", "%", "A" * 513, "null", "bm9uc2Vuc2U", "é", "\x00",
    cursor_of(None), cursor_of([]), cursor_of({}), cursor_of([None]), cursor_of([1.5]),
    cursor_of([True]), cursor_of([[]]), cursor_of(["x", "y"]), cursor_of([10**18, 1]),
    cursor_of("0192a0a0-0000-7000-8000-000000000000"),
    cursor_of(["2026-01-01T00:00:00", "0192a0a0-0000-7000-8000-000000000000"]),
    cursor_of([0, "2026-01-01", "0192a0a0-0000-7000-8000-000000000000"]),
]  # fmt: skip
ODD_CURSORS = [
    cursor_of([2**64 - 1]), cursor_of([-(2**63)]), cursor_of(["\u0000"]), cursor_of(["' OR 1=1"]),
    cursor_of(["11110\u0000"]), cursor_of(["{" * 100]), cursor_of([str(uuid.uuid4())]),
]  # fmt: skip


def test_a_cursor_that_is_none_of_ours_is_refused(untouched: World, caller: dict[str, str]) -> None:
    for path in lists():
        if "{" not in path:
            for cursor in BAD_CURSORS:
                query = {"cursor": cursor}
                answer = untouched.client.get(
                    path, query_string=query, headers=caller | {"Accept-Language": "en"}
                )
                problem = check_problem(answer, 422, "invalid-request", "en")
                assert problem["errors"][0]["name"] == "cursor", (path, cursor)
            for cursor in ODD_CURSORS:  # of the right form, for one list or the other
                answer = untouched.client.get(path, query_string={"cursor": cursor}, headers=caller)
                assert answer.status_code in (200, 422), (path, cursor)


def test_no_cursor_breaks_the_list_of_records(world: World) -> None:
    poll = world.open_poll(publish_from=2)
    for voter in world.citizens(2):
        world.cast(poll, voter)
    world.finish(poll)
    path = f"/v1/polls/{poll['id']}/records"
    for cursor in (*BAD_CURSORS, *ODD_CURSORS):
        answer = world.client.get(path, query_string={"cursor": cursor})
        assert answer.status_code in (200, 422), cursor


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "x", "", "1e1", "9" * 30, "١", "true"])
def test_a_limit_that_is_none_is_refused(
    untouched: World, caller: dict[str, str], limit: str
) -> None:
    for path in lists():
        if "{" not in path:
            query = {"limit": limit}
            both(untouched, "GET", path, 422, "invalid-request", query_string=query, headers=caller)


def test_a_query_is_refused_by_the_name_of_what_is_wrong(untouched: World) -> None:
    wrong = {
        "status": "draft", "origin": "x", "area": "x y", "q": "a\u0000b",
    }  # fmt: skip
    for name, value in wrong.items():
        query = {name: value}
        answer = both(untouched, "GET", "/v1/polls", 422, "invalid-request", query_string=query)
        (fault,) = answer.get_json()["errors"]
        assert (fault["in"], fault["name"]) == ("query", name)


def test_a_misspelt_filter_is_refused_by_its_name_and_nothing_is_listed(
    untouched: World, caller: dict[str, str]
) -> None:
    """Whoever misspells one would take the whole list for the filtered one."""
    takes = {"post": {"data": b"phone\n", "content_type": "text/csv"}}  # the one that takes a roll
    assert {("get", path) for path in lists()} < set(asking())
    for method, path in asking():
        for name in ("statuss", "Limit", "cursor ", "value", "a/b~c", "_schema", "", "é"):
            answer = untouched.client.open(
                re.sub(r"{\w+}", str(uuid.uuid4()), path),
                method=method.upper(),
                query_string={name: "open"},
                headers=caller | {"Accept-Language": "en"},
                **takes.get(method, {}),
            )
            problem = check_problem(answer, 422, "invalid-request", "en")
            named = [(fault["in"], fault["name"]) for fault in problem["errors"]]
            assert ("query", name) in named, (method, path)


def test_a_page_that_people_open_does_not_mind_what_a_newsletter_adds_to_its_address(
    world: World,
) -> None:
    place = Place(world)
    added = {"utm_source": "newsletter", "fbclid": "x"}
    code = place.code()["code"]
    pages = (f"/q/{code}", "/display", "/docs", "/docs/problems", "/openapi.yaml", "/healthz")
    for path in (*pages, f"/v1/codes/{code}", f"/v1/polls/{place.poll['id']}"):
        assert world.client.get(path, query_string=added).status_code == 200, path


def test_words_that_are_special_to_databases_are_only_words(world: World) -> None:
    world.open_poll(title="100 나무")
    for words in ("%", "_", "\\", "'", '"', "' OR 1=1 --", "a" * 100, "🗳", "*", "1__", "1%"):
        answer = world.client.get("/v1/polls", query_string={"q": words})
        assert answer.get_json()["items"] == [], words
    assert (
        len(world.client.get("/v1/polls", query_string={"q": "10 나무"}).get_json()["items"]) == 1
    )
