"""Who may call what: every operation by everyone, other people's drafts, hostile tokens."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

import api.codes
from api.access import Undeclared, access, check_every_operation_is_declared
from api.app import create_app
from api.blueprint import Blueprint
from api.db import transaction
from api.settings import Settings
from mvote.base import utc_now
from mvote.people.granting import Post, add_department, grant
from tests.support.census import census
from tests.support.contract import CheckedClient
from tests.support.operations import Operation, operations_of
from tests.support.world import Person, World, new_key

ROLES = ("nobody", "citizen", "officer", "administrator")
OPEN_TO_ALL = {"public", "anybody"}
#: role by role, the declarations of what it may call
MAY_CALL = {
    "nobody": OPEN_TO_ALL,
    "citizen": OPEN_TO_ALL | {"citizen", "token"},
    "officer": OPEN_TO_ALL | {"citizen", "token", "officer"},
    "administrator": OPEN_TO_ALL | {"citizen", "token", "administrator"},
}


@pytest.fixture
def operations(app: Flask) -> list[Operation]:
    return operations_of(app)


def headers_of(world: World, role: str) -> dict[str, str]:
    """Those of somebody new who holds the role."""
    make: dict[str, Callable[[], Person]] = {
        "citizen": world.citizen,
        "officer": world.officer,
        "administrator": world.administrator,
    }
    return make[role]().headers if role in make else {}


# every operation by everyone


def test_nobody_calls_without_a_token_what_needs_one_and_nothing_changes(
    world: World, operations: list[Operation]
) -> None:
    before = census(world.admin_url)
    for operation in operations:
        if operation.who not in OPEN_TO_ALL:
            answer = operation.call(world.client)
            assert refusal(answer) == (401, "token-missing"), operation
    assert census(world.admin_url) == before


@pytest.mark.parametrize("role", ROLES[1:])
def test_a_role_that_does_not_suffice_is_refused_and_nothing_changes(
    world: World, operations: list[Operation], role: str
) -> None:
    headers = headers_of(world, role)
    before = census(world.admin_url)
    beyond = [each for each in operations if each.who not in MAY_CALL[role]]
    for operation in beyond:
        answer = operation.call(world.client, headers)
        assert refusal(answer) == (403, "not-allowed"), operation
    assert census(world.admin_url) == before
    assert beyond


@pytest.mark.parametrize("role", ROLES)
def test_whoever_may_call_an_operation_gets_past_the_door(
    world: World, operations: list[Operation], role: str
) -> None:
    for operation in operations:
        if operation.who in MAY_CALL[role]:
            answer = operation.call(world.client, headers_of(world, role))
            assert answer.status_code not in (401, 403, 405), operation
            assert answer.status_code < 500, operation


def test_the_declarations_that_matter_most_are_these(operations: list[Operation]) -> None:
    declared = {str(operation): operation.who for operation in operations}
    assert declared["PUT /v1/citizens/<uuid:citizen_id>/roles"] == "administrator"
    assert declared["POST /v1/departments"] == "administrator"
    assert declared["PUT /v1/citizens/<uuid:citizen_id>/attributes"] == "officer"
    assert declared["POST /v1/sites"] == "officer"
    assert declared["POST /v1/polls"] == "citizen"
    assert declared["POST /v1/polls/<uuid:poll_id>/ballots"] in ("citizen", "token")
    assert declared["GET /v1/me"] == "citizen"
    public = {name for name, who in declared.items() if who in OPEN_TO_ALL}
    changing = {name for name in public if not name.startswith("GET ")}
    assert changing == {
        *(f"POST /v1/auth/{each}" for each in ("codes", "tokens", "tokens/refresh")),
        *(f"POST /v1/auth/{each}" for each in ("identity", "identity/nonces")),
        "POST /v1/areas/locate",
        "POST /v1/polls/nearby",
    }


# operations that say nothing


def undeclared() -> Blueprint:
    blueprint = Blueprint("made_up", "made_up")

    @blueprint.get("/made-up")
    def made_up() -> dict[str, str]:
        """Says nothing of who may call it."""
        return {}

    return blueprint


def declared_above_the_route() -> Blueprint:
    blueprint = Blueprint("made_up", "made_up")

    @access("citizen")
    @blueprint.get("/made-up")
    def made_up() -> dict[str, str]:
        """Its declaration guards nothing: the route leads to what is beneath it."""
        return {}

    return blueprint


@pytest.mark.parametrize("make", [undeclared, declared_above_the_route])
def test_an_app_with_an_undeclared_operation_does_not_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Blueprint]
) -> None:
    monkeypatch.setattr(api.codes, "BLUEPRINTS", [*api.codes.BLUEPRINTS, make()])
    with pytest.raises(Undeclared, match="/v1/made-up"):
        create_app(settings)
    logging.getLogger("mvote").setLevel(logging.WARNING)  # as the fixture has it


def test_a_plain_route_must_declare_it_too() -> None:
    app = Flask("made-up", static_folder=None)
    app.add_url_rule("/open", view_func=access("public")(lambda: ""), endpoint="open")
    check_every_operation_is_declared(app)
    app.add_url_rule("/forgotten", view_func=lambda: "", endpoint="forgotten")
    with pytest.raises(Undeclared, match="/forgotten"):
        check_every_operation_is_declared(app)


# other people's drafts


class Drafts:
    """A draft with a site code, its author, and everyone else."""

    def __init__(self, world: World, *, by_officer: bool) -> None:
        self.author = world.officer() if by_officer else world.citizen()
        self.poll = world.draft(self.author, presence={"rule": "site"})
        self.id: str = self.poll["id"]
        officer = world.officer()
        self.site = self.a_site(world, officer)
        wanted = {"poll_id": self.id, "kind": "link"}
        made = world.client.post(
            f"/v1/sites/{self.site}/codes", json=wanted, headers=self.author.headers
        )
        assert made.status_code == 201, made.get_data(as_text=True)
        self.code: str = made.get_json()["code"]
        self.strangers = {
            "another citizen": world.citizen(),
            "an officer of another department": officer,
            "an administrator": world.administrator(),
        }

    def a_site(self, world: World, officer: Person) -> str:
        site = {"name": "구청", "address": "종로 1", "lat": 37.57, "lon": 126.98, "radius_m": 50}
        made = world.client.post("/v1/sites", json=site, headers=officer.headers)
        assert made.status_code == 201, made.get_data(as_text=True)
        return str(made.get_json()["id"])

    def attempts(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Everything there is to be done with a draft and its code: method, path, request."""
        poll, code = f"/v1/polls/{self.id}", f"/v1/codes/{self.code}"
        wanted = {"poll_id": self.id, "kind": "link"}
        ballot = {"json": {"selections": ["yes"]}, "headers": {"Idempotency-Key": new_key()}}
        return [
            ("GET", poll, {}),
            ("GET", f"{poll}/definition", {}),
            ("PATCH", poll, {"json": {"title": "내 것"}, "headers": {"If-Match": '"x"'}}),
            ("POST", f"{poll}/open", {}),
            ("POST", f"{poll}/cancel", {}),
            ("POST", f"{poll}/ballots", ballot),
            ("POST", f"{poll}/eligibility", {"json": {}}),
            ("GET", f"{poll}/results", {}),
            ("GET", f"{poll}/turnout", {}),
            ("GET", f"{poll}/records", {}),
            ("POST", f"/v1/sites/{self.site}/codes", {"json": wanted}),
            ("GET", code, {}),
            ("DELETE", code, {}),
            ("GET", f"{code}/image.png", {}),
            ("GET", f"{code}/image.svg", {}),
            ("POST", f"{code}/scans", {"json": {}}),
            ("GET", f"/q/{self.code}", {}),
        ]


@pytest.mark.parametrize("by_officer", [False, True], ids=["a citizen's", "a department's"])
def test_other_peoples_drafts_do_not_exist_for_anyone_on_any_verb(
    world: World, by_officer: bool
) -> None:
    drafts = Drafts(world, by_officer=by_officer)
    before = census(world.admin_url)
    for name, stranger in drafts.strangers.items():
        for method, path, request in drafts.attempts():
            answer = call_as(world.client, stranger.headers, method, path, request)
            assert answer.status_code == 404, (name, method, path)
            assert drafts.poll["title"]["ko"] not in answer.get_data(as_text=True)
    assert census(world.admin_url) == before


@pytest.mark.parametrize("by_officer", [False, True], ids=["a citizen's", "a department's"])
def test_without_a_token_a_draft_does_not_exist_either(world: World, by_officer: bool) -> None:
    drafts = Drafts(world, by_officer=by_officer)
    before = census(world.admin_url)
    for method, path, request in drafts.attempts():
        answer = call_as(world.client, {}, method, path, request)
        assert answer.status_code in (401, 404), (method, path)
    listed = world.client.get("/v1/polls").get_json()["items"]
    assert listed == []
    assert census(world.admin_url) == before


def test_a_draft_that_is_anothers_looks_like_one_that_never_was(world: World) -> None:
    theirs = world.draft(world.citizen())["id"]
    me = world.citizen()
    for path in ("/v1/polls/{}", "/v1/polls/{}/results", "/v1/polls/{}/definition"):
        anothers = world.client.get(path.format(theirs), headers=me.headers)
        nobodys = world.client.get(path.format(uuid.uuid4()), headers=me.headers)
        assert anothers.get_data() == nobodys.get_data()


def test_the_author_and_the_colleagues_of_a_department_see_the_draft(world: World) -> None:
    author, department = a_colleague(world)
    colleague, _ = a_colleague(world, department)
    path = f"/v1/polls/{world.draft(author)['id']}"
    for person in (author, colleague):
        shown = world.client.get(path, headers=person.headers)
        assert shown.get_json()["status"] == "draft"
    assert world.client.post(f"{path}/cancel", headers=colleague.headers).status_code == 200


def a_colleague(world: World, department: uuid.UUID | None = None) -> tuple[Person, uuid.UUID]:
    """An officer of that department, or of a new one, and which it is."""
    person = world.citizen()
    with Session(world.engines["api"]) as session, transaction(session):
        of = department or add_department(session, name={"ko": "공원과"}, by=None).id
        grant(session, citizen_id=person.id, post=Post("officer", of))
    return person, of


def test_a_strangers_open_poll_is_seen_by_all_and_changed_by_nobody_else(world: World) -> None:
    in_half_an_hour = (utc_now() + dt.timedelta(minutes=30)).isoformat()
    path = f"/v1/polls/{world.open_poll(opens_at=in_half_an_hour)['id']}"
    for stranger in (world.citizen(), world.officer(), world.administrator()):
        before = census(world.admin_url)
        assert world.client.get(path, headers=stranger.headers).status_code == 200
        for method, verb in (("POST", "/open"), ("POST", "/cancel"), ("PATCH", "")):
            request = {"json": {"title": "x"}, "headers": {"If-Match": '"x"'}}
            answer = call_as(world.client, stranger.headers, method, path + verb, request)
            assert refusal(answer) == (403, "not-allowed"), (method, verb)
        assert census(world.admin_url) == before


def test_nobody_grants_a_role_to_oneself(world: World) -> None:
    body = {"roles": [{"role": "administrator"}]}
    for person in (world.citizen(), world.officer()):
        path = f"/v1/citizens/{person.id}/roles"
        answer = world.client.put(path, json=body, headers=person.headers)
        assert refusal(answer) == (403, "not-allowed")
        assert world.client.get("/v1/departments", headers=person.headers).status_code == 403


def call_as(
    client: CheckedClient, headers: dict[str, str], method: str, path: str, request: dict[str, Any]
) -> Any:
    """One of the attempts, by whoever has these headers."""
    merged = headers | request.get("headers", {})
    rest = {name: value for name, value in request.items() if name != "headers"}
    return client.open(path, method=method, headers=merged, **rest)


def refusal(answer: Any) -> tuple[int, str]:
    """Status and code."""
    return answer.status_code, answer.get_json()["code"]
