"""The calls that apps, tools and other cities were promised exist, under their exact names.

What stands here was agreed before it was built. A call may get more forms and answers; it does not
get another name, another method or another status of success.
"""

from __future__ import annotations

import re

import pytest

from tests.support.contract import contract

PEOPLE = """
POST /auth/codes 202
POST /auth/tokens 201
POST /auth/tokens/refresh 201
DELETE /auth/tokens 204
GET /me 200
PATCH /me 200
GET /me/export 200
DELETE /me
GET /me/participations 200
GET /departments 200
POST /departments 201
PUT /citizens/{}/roles 200
PUT /citizens/{}/attributes 200
GET /approvals 200
"""
PLACES = """
GET /areas 200
GET /areas/{} 200
POST /areas/locate 200
POST /sites 201
PATCH /sites/{} 200
GET /sites 200
GET /sites/{} 200
"""
POLLS = """
POST /polls 201
PATCH /polls/{} 200
POST /polls/{}/open
POST /polls/{}/cancel
POST /polls/{}/close 202
POST /polls/{}/extend 202
POST /polls/{}/void 202
POST /polls/{}/publish 202
POST /polls/{}/notices 202
GET /polls 200
GET /polls/{} 200 304
GET /polls/{}/definition 200
POST /polls/nearby 200
POST /rooms/lookup 200
POST /polls/{}/eligibility 200
POST /polls/{}/ballots 201
GET /polls/{}/ballots/{} 200
GET /polls/{}/results 200 304
GET /polls/{}/turnout 200
GET /polls/{}/records 200
GET /polls/{}/bundle.zip 200
GET /polls/{}/log/checkpoint 200
GET /polls/{}/log/entries 200
GET /polls/{}/log/proof/consistency 200
GET /log/checkpoint 200
GET /log/entries 200
GET /log/proof/consistency 200
POST /polls/{}/roll
GET /polls/{}/roll/summary 200
POST /images
GET /images/{} 200
"""
CODES = """
POST /sites/{}/codes 201
DELETE /codes/{}
GET /codes/{} 200
GET /codes/{}/image.png 200
GET /codes/{}/image.svg 200
GET /codes/{}/poster.pdf 200
GET /polls/{}/posters.pdf 200
POST /codes/{}/display
POST /codes/{}/scans 201
"""
BUDGET = """
POST /cycles
PATCH /cycles/{}
POST /cycles/{}/phase
GET /cycles 200
GET /cycles/{} 200
POST /cycles/{}/proposals
GET /cycles/{}/proposals 200
PATCH /proposals/{} 200
POST /proposals/{}/submit
POST /proposals/{}/withdraw
POST /proposals/{}/appeal
GET /proposals/{}/similar 200
PUT /proposals/{}/support
DELETE /proposals/{}/support
PUT /proposals/{}/assessment
POST /cycles/{}/committees
POST /committees/{}/applications
POST /committees/{}/draw
GET /committees/{} 200
GET /me/reviews 200
PUT /proposals/{}/opinion
GET /proposals/{}/opinions 200
POST /proposals/{}/recusals
PUT /proposals/{}/judgment-vote
POST /proposals/{}/judgment
POST /cycles/{}/poll
PUT /cycles/{}/blend/{} 202
POST /cycles/{}/allocation
GET /cycles/{}/allocation 200
POST /cycles/import 201
GET /cycles/{}/export.pb 200
GET /proposals/{}/updates 200
POST /proposals/{}/updates
GET /cycles/{}/report 200
"""
PROMISED = [
    line for table in (PEOPLE, PLACES, POLLS, CODES, BUDGET) for line in table.strip().splitlines()
]
OTHER_FORMS = {
    "/sites": "application/geo+json",
    "/polls/{}/results": "text/csv",
    "/cycles/{}/proposals": "application/geo+json",
}
REQUIRED_MEMBERS = {
    "Challenge": "challenge_id expires_at",
    "Tokens": "access_token refresh_token token_type expires_in",
    "Requested": "approval_id expires_at",
    "EligibilityAnswer": "may_vote reasons",
    "Reason": "code title next_step",
    "Receipt": "poll_id tracker envelope_hash definition_hash signature key_id",
    "Result": "poll_id definition_hash method turnout options published_at",
    "OptionResult": "key votes share",
    "ScanAnswer": "presence_token poll_id site_id expires_at",
    "ShownValue": "url value expires_at",
    "KeptFile": "url sha256",
    "Binding": "rule funded",
    "Funded": "reference amount votes",
    "Allocation": "binding comparisons",
}


def answers(method: str, path: str) -> set[str] | None:
    """The statuses of a call in the contract, whatever its places are called; None without one."""
    for written, item in contract()["paths"].items():
        if re.sub(r"{\w+}", "{}", written) == f"/v1{path}" and method.lower() in item:
            return set(item[method.lower()]["responses"])
    return None


@pytest.mark.parametrize("call", PROMISED)
def test_a_promised_call_is_there_and_answers_as_it_was_said(call: str) -> None:
    method, path, *statuses = call.split()
    found = answers(method, path)
    assert found is not None
    assert found >= set(statuses)
    assert any(status.startswith("2") for status in found)


def test_a_call_that_nobody_promised_would_be_missed() -> None:
    assert answers("PATCH", "/polls/{}/ballots/{}") is None


@pytest.mark.parametrize("path", OTHER_FORMS)
def test_what_may_be_had_in_another_form_says_so(path: str) -> None:
    [item] = [
        item
        for written, item in contract()["paths"].items()
        if re.sub(r"{\w+}", "{}", written) == f"/v1{path}"
    ]
    assert set(item["get"]["responses"]["200"]["content"]) >= {
        "application/json",
        OTHER_FORMS[path],
    }


@pytest.mark.parametrize("name", REQUIRED_MEMBERS)
def test_an_answer_always_has_the_members_that_were_named(name: str) -> None:
    schema = contract()["components"]["schemas"][name]
    assert set(schema["required"]) >= set(REQUIRED_MEMBERS[name].split())


def test_every_list_is_items_and_a_cursor() -> None:
    pages = {
        name: schema["properties"]
        for name, schema in contract()["components"]["schemas"].items()
        if name.endswith("Page")
    }
    assert pages
    assert [name for name, has in pages.items() if not set(has) >= {"items", "next_cursor"}] == []
