"""What schemathesis makes of the contract: every operation by every role, nothing unforeseen.

Deterministic: the same requests each time, made from openapi.yaml. Half of them go to things that
exist, so that they get further than a 404.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from sqlalchemy.orm import Session

from tests.support.budgets import running
from tests.support.contract import contract
from tests.support.hostile import everything
from tests.support.places import add_area, box, polygon
from tests.support.world import World

EXAMPLES = 25
PASSED_OVER = (
    "positive_data_acceptance",  # what is well formed may break a rule: 403, 409, 422
    "ensure_resource_availability",  # a draft is there for its own people only
    "use_after_free",  # a code that was revoked is still shown as such
    "ignored_auth",  # tests/test_access.py and test_hostile_tokens.py say more
    "allow_header_conformance",  # /areas/locate is a code as well: it knows GET by /areas/{code}
)
CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {
            "deterministic": True,
            "max-examples": EXAMPLES,
            "with-security-parameters": False,
        },
        "phases": {"examples": {"enabled": False}, "stateful": {"enabled": False}},
        "checks": {
            **{check: {"enabled": False} for check in PASSED_OVER},
            "missing_required_header": {"expected-statuses": [400, 401, 403, 404, 422, 428]},
            "negative_data_rejection": {
                "expected-statuses": [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429]
            },
        },
    }
)


BINARY = (
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "image/png",
    "image/jpeg",
    "image/webp",
)
for media_type in BINARY:
    schemathesis.serializer.alias(media_type, "application/octet-stream")


class Stage:
    """A WSGI application that can be named before the fixtures have made one."""

    app: Flask | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """All that the application answers. As a server does, close what it sent."""
        assert self.app is not None
        answer = self.app(environ, start_response)
        try:
            return list(answer)
        finally:
            getattr(answer, "close", lambda: None)()


STAGE = Stage()
SCHEMA = schemathesis.openapi.from_dict(contract(), config=CONFIG)
SCHEMA.app = STAGE


@dataclass
class Town:
    """Things that exist, and people of every role who call in turn."""

    world: World
    ids: dict[str, str]
    callers: Iterator[dict[str, str]]
    turns: Iterator[bool]

    def call(self, case: Any) -> None:
        """Send *case*, every other time to what exists; whatever comes back was promised."""
        if next(self.turns) and not is_wrong_in_its_path(case):
            known = {k: v for k, v in self.ids.items() if k in case.path_parameters}
            case.path_parameters.update(known)
        response = case.call(headers=next(self.callers))
        case.validate_response(response)


def is_wrong_in_its_path(case: Any) -> bool:
    """Whether the path was made wrong on purpose."""
    path = case.meta.components.get(ParameterLocation.PATH)
    return path is not None and path.mode.is_negative


@pytest.fixture
def town(world: World, owner: Session) -> Town:
    STAGE.app = world.app
    add_area(owner, "11110", polygon(box(126.9, 37.5, 127.0, 37.6)))
    officer = everything(world)
    poll = world.open_poll(officer, publish_from=2)
    for voter in world.citizens(3):
        world.cast(poll, voter)
    site = {"name": "구청", "address": "종로 1", "lat": 37.57, "lon": 126.98, "radius_m": 50}
    made = world.client.post("/v1/sites", json=site, headers=officer.headers).get_json()
    wanted = {"poll_id": poll["id"], "kind": "link"}
    path = f"/v1/sites/{made['id']}/codes"
    code = world.client.post(path, json=wanted, headers=officer.headers).get_json()
    world.finish(poll)
    world.make_bundle(poll)  # or it would be asked to come back in a moment: 503
    citizen = world.citizen()
    by_role = [officer.headers, world.citizen().headers, officer.headers, {},
               world.officer().headers, world.administrator().headers]  # fmt: skip
    return Town(
        world=world,
        ids={
            "poll_id": poll["id"],
            "site_id": made["id"],
            "code": code["code"],
            "citizen_id": str(citizen.id),
            "area_code": "11110",
            "cycle_id": running(world, officer=officer)["id"],
        },
        callers=itertools.cycle(by_role),
        turns=itertools.cycle([True, False]),
    )


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_contract_promises(case: Any, town: Town) -> None:
    town.call(case)
