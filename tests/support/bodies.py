"""A right body for every operation that takes one, and all the ways to make it wrong."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from tests.support.contract import contract
from tests.support.deciding_bodies import DECIDING_BODIES
from tests.support.deliberation_bodies import DELIBERATION
from tests.support.moderation_bodies import MODERATION
from tests.support.proposal_bodies import ASSESSMENT, PROPOSAL
from tests.support.review_bodies import REVIEW_BODIES
from tests.support.world import GWANGHWAMUN, position, question

Json = Any
Path = tuple[str | int, ...]
HERE = position(**GWANGHWAMUN)
A_DAY = "2099-01-01T00:00:00Z"
ATTRIBUTES = {
    "birth_year": 1990, "gender": "female", "occupation": "교사", "home_area": "11110",
    "work_area": "11110", "business_area": "11110", "study_area": "11110",
    "public_body_staff": False,
}  # fmt: skip
POLL = {
    "title": {"ko": "나무를 심을까요?", "en": "Plant trees?"},
    "description": "광장에 나무를 심습니다.",
    "question": question(min_selections=1, max_selections=1),
    "opens_at": A_DAY,
    "closes_at": "2099-01-02T00:00:00Z",
    "eligibility": {
        "areas": ["11110"], "area_basis": ["home"], "min_age": 18, "max_age": 99,
        "genders": ["female"], "occupations": ["교사"], "verified_only": False,
    },
    "presence": {
        "rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 500}, "max_accuracy_m": 100,
    },
    "results": "after_close", "records": "full", "custody": "server", "cast_check": True,
    "k": 50, "publish_from": 5,
}  # fmt: skip
SITE = {
    "name": "구청", "address": {"ko": "종로 1", "en": "1 Jong-ro"}, "lat": 37.57, "lon": 126.98,
    "radius_m": 50.5, "opening_hours": "9–18",
}  # fmt: skip
CYCLE = {
    "title": {"ko": "주민참여예산"}, "description": "동네를 고칩니다.", "currency": "KRW",
    "budget_year": 2099, "budget_limit": 100,
    "headings": [{"key": "city", "limit": 90, "leftover": "stays", "decided": "here",
                  "max_projects": 9}, {"key": "f1", "parent": "city"}],
    "kinds": [{"key": "works", "title": "시설"}], "clocks": {"assess_days": 30},
    "cost_caps": [{"heading": "city", "kind": "works", "max": 50}],
    "proposers": {"basis": ["home"], "areas": ["11110"],
                  "organisations": True, "excluded": ["public_body_staff"]},
    "phases": [{"kind": "reviewing", "opens_at": "2098-01-01T00:00:00Z", "closes_at": A_DAY},
               {"kind": "balloting", "opens_at": A_DAY, "closes_at": "2099-01-09T00:00:00Z"}],
    "review": {
        "criteria": [{"key": "need", "scale": 5, "weight": 1}], "body": "committee",
        "decide": {"mode": "shortlist", "max_projects": 7},
        "quorum": {"more_than": "1/2", "floor": 5}, "carried": {"more_than": "1/2"},
    },
    "contests": [{
        "key": "city", "headings": ["city"], "groups": [{"key": "tram"}],
        "sources": [{"key": "citizens", "kind": "poll", "weight": 1, "opens_at": A_DAY,
                     "eligibility": {"area_basis": ["home"], "min_age": 14}}],
        "ballot": {"method": "approve", "wrong": "refuse",
                   "limits": [{"over": "all", "count": {"min": 1, "max": 5}}]},
        "blend": {"min_ballots": 5},
        "allocation": {"rule": "greedy", "floor": "1/100", "exclusive": [["tram"]],
                       "ties": ["citizens", "lot"], "compare": ["equal_shares/add1"]},
    }],
    "decision": {"by": "plenary", "reserve_list": True},
}  # fmt: skip
QUOTA = {"name": "여성", "category": "gender", "values": ["female"], "min": 1, "max": 60}
TARGETS = {"seats": 120, "quotas": [QUOTA], "reserves": 60, "reserve_quotas": [QUOTA]}
EXAMPLES: dict[str, Json] = {
    "send_code": {"phone": "010-1234-5678"},
    "sign_in": {"challenge_id": str(uuid.uuid4()), "code": "123456"},
    "refresh_tokens": {"refresh_token": "x"},
    "sign_in_by_identity": {"id_token": "x", "nonce": "x"},
    "link_my_identity": {"id_token": "x", "nonce": "x"},
    "change_my_number": {"challenge_id": str(uuid.uuid4()), "code": "123456"},
    "register_my_device": {
        "platform": "app-attest",
        "key_id": "A" * 43,
        "attestation": "A",
        "nonce": "A" * 43,
    },
    "change_me": {
        "attributes": ATTRIBUTES,
        "consents": [{"purpose": "news", "given": True}],
        "language": "ko",
    },
    "create_department": {"name": {"ko": "교통과", "en": "Transport"}},
    "put_roles": {"roles": [{"role": "officer", "department_id": str(uuid.uuid4())}]},
    "put_attributes": {"attributes": ATTRIBUTES, "verified_how": "등본"},
    "draft_a_poll": POLL,
    "revise_a_poll": POLL,
    "extend_a_poll": {"closes_at": A_DAY, "text": "장마로 늦춥니다."},
    "void_a_poll": {"text": {"ko": "선택지가 틀렸습니다.", "en": "An option was wrong."}},
    "correct_a_poll": {"text": {"ko": "금액을 바로잡습니다.", "en": "The sum is corrected."}},
    "find_polls_nearby": {"position": HERE, "radius_m": 1000},
    "cast_ballot": {"selections": ["yes"], "position": HERE, "presence_token": "x", "pad": "x"},
    "free_a_site": {"reason": "이전 공사"},
    "check_eligibility": {"position": HERE, "presence_token": "x"},
    "locate_point": GWANGHWAMUN,
    "look_up_room": {"number": "12345678", "password": "a password"},
    "ask_reach": {"eligibility": {"areas": ["11110"], "area_basis": ["home", "work"]}},
    "send_invitations": {"language": "en"},
    "add_a_site": SITE,
    "revise_a_site": SITE,
    "make_a_code": {
        "poll_id": str(uuid.uuid4()), "kind": "link", "valid_from": A_DAY, "valid_until": A_DAY,
    },
    "scan_code": {"position": HERE, "value": "12345678"},
    "make_slips": {"count": 7},
    "make_a_display": {"name": "태블릿", "poll_id": str(uuid.uuid4())},
    "plan_a_cycle": CYCLE,
    "revise_a_cycle": CYCLE,
    "start_or_move_a_phase": {
        "kind": "proposing", "opens_at": A_DAY, "closes_at": A_DAY, "text": "장마로 늦춥니다.",
    },
    "open_the_poll_of_a_source": {"contest": "city", "source": "alumni", "roll": ["010-9000-0001"],
                                  "groups": [{"key": "schools", "references": ["2016-0001"]}]},
    "draft_a_proposal": PROPOSAL
    | {"carried_from": str(uuid.uuid4()), "split_from": str(uuid.uuid4())},
    "revise_a_proposal": PROPOSAL,
    "appeal_a_rejection": {"grounds": "시유지입니다."},
    "invite_a_co_author": {"citizen_id": str(uuid.uuid4())},
    "merge_proposals": {"into": str(uuid.uuid4())},
    "split_a_proposal": {"parts": [str(uuid.uuid4()), str(uuid.uuid4())]},
    "assess_a_proposal": ASSESSMENT,
    "transfer_a_proposal": {"department_id": str(uuid.uuid4()), "reason": "공원 업무"},
    "lay_open_without_result": {"cause": "투표 수가 너무 적습니다."},
    "strike_a_proposal": {"text": "다른 사업에 포함되었습니다."},
    "form_a_committee": {
        "name": "예산위원회", "kind": "plenary", "headings": ["city"], "area_codes": ["11110"],
        "starts_on": "2030-01-01", "ends_on": "2030-12-31",
        "age_bands": [{"value": "young", "min_age": 19, "max_age": 39}],
        "draw": {"commitment": "0f" * 32, "public_source": "로또 1061회",
                 "applications_close_at": "2030-01-10T00:00:00Z",
                 "public_value_at": "2030-01-12T00:00:00Z", "targets": TARGETS},
    },
    "apply_for_a_seat": {
        "declared": {"group": ["disabled"]}, "preferences": ["city"],
        "interests": {"organisations": ["녹색모임"], "points": [{"lat": 37.5, "lon": 127.0}],
                      "text": "배우자가 건설사에 다닙니다."},
    },
    "draw_a_committee": {"seed": "0f" * 32, "public_value": "4 24 27", "targets": TARGETS,
                         "dry_run": False},
    "lower_the_targets": {"targets": TARGETS, "text": "지원자 부족"},
    "appoint_to_a_seat": {"citizen_id": str(uuid.uuid4()), "kind": "expert", "has_vote": True},
    "vacate_a_seat": {"reason": "이사"},
    "name_the_chair": {"seat_id": str(uuid.uuid4())},
    **REVIEW_BODIES,
    "find_of_flag": {"finding": "harmless", "note": "통신사 위치 오류"},
    "return_a_proposal": {"missing": "견적서", "due_at": A_DAY},
    **MODERATION,
    **DECIDING_BODIES,
    "enter_a_paper_proposal": PROPOSAL | {"person": "홍길동", "received_on": "2026-05-02"},
    "update_a_project": {
        "text": "착공했습니다.", "percent": 30, "spent": 1_000_000, "corrects": 1,
        "milestones": [{"title": "착공", "planned_on": "2026-05-02", "done_on": "2026-05-03"}],
        "pictures": PROPOSAL["pictures"], "department_id": str(uuid.uuid4()),
    },
    **DELIBERATION,
}  # fmt: skip
WRONG: tuple[Json, ...] = (
    7, -1, 1.5, 10**30, 1e300, True, None, "", "x", "7", [], [[]], {}, {"x": 1},
)  # fmt: skip
"""Values of every JSON type; which are wrong at a place, the contract says."""
FORBIDDEN = {
    "NUL": "a\u0000b",
    "a control character": "a\u0007b",
    "an override of direction": "a\u202eb",
    "an isolate of direction": "a\u2066b",
    "an invisible character": "a\u200bb",
    "a byte order mark": "\ufeffab",
}
BAD_INSTANTS = (
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01", "2026-01-01T00:00:00",
    "2026-01-01 00:00:00Z", "20260101T000000Z", "2026-01-01T00:00:00+99:99", "now", "1700000000",
    "２０２６-01-01T00:00:00Z", "2026-01-01T00:00:00Z\u0000",
)  # fmt: skip


def operations_with_body() -> dict[str, tuple[str, str, Json]]:
    """By operationId: method, path, and the schema of the body."""
    return {
        operation["operationId"]: (method, path, schemas["application/json"]["schema"])
        for path, item in contract()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
        and (body := operation.get("requestBody"))
        and "application/json" in (schemas := body["content"])
    }


def schema_at(schema: Json, path: Path) -> Json:
    """The part of *schema* that speaks of the place."""
    schema = _resolved(schema)
    if not path:
        return schema
    if "$ref" in _text(schema):  # an object, or null
        schema = _resolved(_text(schema))
    inner = schema.get("items" if isinstance(path[0], int) else "properties", {})
    if isinstance(path[0], str):
        inner = inner.get(path[0]) or _text(schema)
    return schema_at(inner, path[1:])


def _text(schema: Json) -> Json:
    """What stands inside a text in several languages."""
    return next(iter(schema.get("anyOf", [])), {})


def _resolved(schema: Json) -> Json:
    if "$ref" in schema:
        return contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def is_valid(schema: Json, value: Json) -> bool:
    """Whether the contract takes *value* there."""
    return bool(_validator(json.dumps(schema)).is_valid(value))


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    whole = {**json.loads(schema), "components": contract()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def places(value: Json, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Every place in a JSON document with what stands there, the whole first."""
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number))


def put(value: Json, path: Path, new: Json) -> Json:
    """A copy of *value* with *new* at the place."""
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


def pointer(path: Path) -> str:
    """The JSON pointer of a place."""
    return "".join(f"/{step}" for step in path)


def wrong_types(example: Json, schema: Json) -> Iterator[tuple[Path, Json]]:
    """Bodies that are wrong in exactly one place, and which it is."""
    for path, _ in places(example):
        for wrong in WRONG:
            if not is_valid(schema_at(schema, path), wrong):
                yield path, put(example, path, wrong)


def unknown_members(example: Json) -> Iterator[tuple[Path, Json]]:
    """Bodies with one member more than they may have; `values` are named by their project."""
    for path, value in places(example):
        if isinstance(value, dict) and path != ("values",):
            yield (*path, "made_up"), put(example, path, value | {"made_up": 1})


def missing_members(example: Json, schema: Json) -> Iterator[tuple[Path, Json]]:
    """Bodies without one member that is required."""
    for path, value in places(example):
        for name in schema_at(schema, path).get("required", []):
            left = {key: inner for key, inner in value.items() if key != name}
            yield (*path, name), put(example, path, left)


def texts(example: Json, *, but: tuple[str, ...] = ("pad",)) -> Iterator[Path]:
    """Every place where a text stands."""
    for path, value in places(example):
        if isinstance(value, str) and path[-1] not in but:
            yield path


def instants(example: Json, schema: Json) -> Iterator[Path]:
    """Every place where an instant stands."""
    for path, _ in places(example):
        if schema_at(schema, path).get("format") == "date-time":
            yield path
