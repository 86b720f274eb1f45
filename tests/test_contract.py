"""The contract is what the code serves: complete and valid."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest
import yaml
from flask import Flask
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from api import contract
from api.access import Who
from api.contract import METHODS
from tests.support.contract import CONTRACT, CheckedClient, ContractBroken, check


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    """The contract as the code generates it."""
    return contract.document_of(app)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of every operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON document."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_the_committed_contract_is_what_the_code_generates(app: Flask) -> None:
    stale = "openapi.yaml is stale: make openapi"
    assert CONTRACT.read_text(encoding="utf-8") == contract.text_of(app), stale


def test_the_command_writes_the_contract(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "written.yaml"
    result = app.test_cli_runner().invoke(args=["openapi", "write", "--to", str(path)])
    assert result.exit_code == 0
    assert path.read_text(encoding="utf-8") == contract.text_of(app)
    printed = app.test_cli_runner().invoke(args=["openapi", "print"])
    assert printed.stdout == path.read_text(encoding="utf-8")


def test_the_contract_is_served_as_it_is_committed(client: CheckedClient) -> None:
    response = client.get("/openapi.yaml")
    assert response.get_data(as_text=True) == CONTRACT.read_text(encoding="utf-8")
    assert yaml.safe_load(response.get_data())["servers"] == [{"url": "/"}]


def test_the_contract_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []


def test_every_schema_is_valid_json_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_example_is_what_its_operation_takes(document: dict[str, Any]) -> None:
    shown = 0
    for _, _, operation in operations(document):
        for body in operation.get("requestBody", {}).get("content", {}).values():
            if "example" in body:
                whole = {**body["schema"], "components": document["components"]}
                jsonschema_rs.validate(whole, body["example"], validate_formats=True)
                shown += 1
    assert shown


def test_every_reference_leads_somewhere_and_every_schema_is_used(
    document: dict[str, Any],
) -> None:
    references = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    assert references == {f"#/components/schemas/{n}" for n in document["components"]["schemas"]}


def test_no_two_schemas_of_the_code_share_a_name(document: dict[str, Any]) -> None:
    assert [name for name in document["components"]["schemas"] if name[-1].isdigit()] == []


GENERATED = {"File", "Response", "Unset", "Client", "AuthenticatedClient", "Any", "UUID"}
"""What generated clients have under these names already."""


def test_no_schema_is_named_as_something_else_within_a_client(document: dict[str, Any]) -> None:
    assert GENERATED.isdisjoint(document["components"]["schemas"])


def test_what_may_be_null_is_one_of_several_words_or_else_null(document: dict[str, Any]) -> None:
    assert [node for node in nodes(document) if None in (node.get("enum") or ())] == []


def test_every_operation_says_what_it_does_under_a_name_of_its_own(
    document: dict[str, Any],
) -> None:
    names = Counter(operation["operationId"] for _, _, operation in operations(document))
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []
    summaries = [operation.get("summary", "") for _, _, operation in operations(document)]
    assert all(summary.endswith((".", "?")) for summary in summaries)


WITHOUT_A_ROLE = ("public", "anybody", "citizen", "token")


def test_every_operation_declares_who_may_call_it(app: Flask, document: dict[str, Any]) -> None:
    declared = {
        rule.endpoint: vars(app.view_functions[rule.endpoint])["access"]
        for rule in app.url_map.iter_rules()
    }
    assert set(declared.values()) <= set(get_args(Who))
    for path, method, operation in operations(document):
        (who,) = {
            who
            for endpoint, who in declared.items()
            if contract.name_of(endpoint) == operation["operationId"]
        }
        assert bool(operation["security"]) == (who != "public"), (method, path)
        assert ({} in operation["security"]) == (who == "anybody"), (method, path)
        assert ("401" in operation["responses"]) or who == "public", (method, path)
        assert ("403" in operation["responses"]) or who in WITHOUT_A_ROLE, (method, path)


def test_every_route_below_v1_is_in_the_contract(app: Flask, document: dict[str, Any]) -> None:
    templates = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()
    }
    assert {path for path in templates if path.startswith("/v1/")} == set(document["paths"])


def test_every_parameter_of_a_path_is_described(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                listed = [*item.get("parameters", []), *item[method].get("parameters", [])]
                described = {each["name"] for each in listed if each["in"] == "path"}
                assert described == set(re.findall(r"{(\w+)}", path)), (method, path)


def test_every_error_is_a_problem_and_names_its_codes(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                (schema,) = response["content"].values()
                assert list(response["content"]) == ["application/problem+json"], (method, path)
                codes = schema["schema"]["properties"]["code"]["enum"]
                assert codes, (method, path, status)


def test_every_request_that_has_a_body_may_be_refused_for_its_form(
    document: dict[str, Any],
) -> None:
    for path, method, operation in operations(document):
        promised = {int(status) for status in operation["responses"]}
        assert promised >= {413, 429, 500, 503}, (method, path)
        if "requestBody" in operation:
            assert promised >= {400, 415, 422}, (method, path)


def test_an_operation_that_changes_a_thing_that_exists_asks_for_its_version(
    document: dict[str, Any],
) -> None:
    for path, method, operation in operations(document):
        if method == "patch":
            names = {each["name"] for each in operation["parameters"] if each.get("required")}
            assert "If-Match" in names, path
            assert {"412", "428"} <= set(operation["responses"]), path


@pytest.mark.parametrize(
    ("body", "status", "media_type"),
    [
        (b'{"items": []}', 200, "application/json"),  # a member is missing
        (b'{"items": [], "next_cursor": null}', 201, "application/json"),
        (b"items: []", 200, "text/plain"),
        (b'{"items": [], "next_cursor": 7}', 200, "application/json"),
        (b'{"type": "", "title": "", "status": 401, "detail": "", "code": "made-up"}', 401,
         "application/problem+json"),
    ],
)  # fmt: skip
def test_a_response_that_the_contract_does_not_promise_fails_any_test(
    app: Flask, body: bytes, status: int, media_type: str
) -> None:
    response = app.response_class(body, status, mimetype=media_type)
    with pytest.raises(ContractBroken):
        check("GET", "/v1/polls", response)
