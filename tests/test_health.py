"""Health, readiness and figures, for whoever operates this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import Flask

from api.settings import Settings
from api.system import CASTING
from tests.support.contract import CheckedClient
from tests.support.database import without_database
from tests.support.world import World


def test_a_process_that_answers_is_healthy(client: CheckedClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_ready_is_only_who_has_all_that_serving_needs(world: World) -> None:
    answer = world.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json()["status"] == "ready"
    assert all(value is True for name, value in answer.get_json().items() if name != "status")


def test_without_sealing_keys_nobody_is_ready(client: CheckedClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["keys"] is False
    assert answer.get_json()["database"] is True


def test_without_a_database_nobody_is_ready_but_everyone_is_healthy(
    settings: Settings, app_of: Callable[..., Flask]
) -> None:
    nowhere = replace(settings, api_url=without_database(settings.api_url))
    client = app_of(nowhere).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["database"] is False
    assert client.get("/healthz").status_code == 200


def test_figures_are_by_route_and_hold_no_path(world: World) -> None:
    draft = world.draft()["id"]
    world.client.get(f"/v1/polls/{draft}")
    figures = world.client.get("/metrics")
    assert figures.mimetype == "text/plain"
    text_of_it = figures.get_data(as_text=True)
    assert 'route="/v1/polls/<uuid:poll_id>",status="404"' in text_of_it
    assert "mvote_request_seconds_bucket" in text_of_it
    assert draft not in text_of_it


def test_no_figure_tells_how_many_ballots_were_recorded(world: World) -> None:
    """Of the one poll that is open it would be the running total, before the log shows a batch."""
    poll = world.open_poll()
    world.cast(poll, world.citizen())  # whatever is counted at a first cast is in the figures

    def figures() -> list[str]:
        lines = world.client.get("/metrics").get_data(as_text=True).splitlines()
        return [line for line in lines if "/ballots" in line]

    before = figures()
    for voter in world.citizens(3):
        assert world.cast(poll, voter).status_code == 201
        path = f"/v1/polls/{poll['id']}/ballots"
        assert world.client.post(path, json={}, headers=voter.headers).status_code == 422
    after = figures()
    assert [line for line in after if 'status="201"' in line] == []
    told = f'route="{CASTING}",status="422"'
    assert sum(float(line.split()[-1]) for line in after if told in line) >= 3
    assert [line for line in before if 'status="201"' in line] == []


def test_figures_that_are_switched_off_are_not_found(
    settings: Settings, app_of: Callable[..., Flask]
) -> None:
    client = app_of(replace(settings, metrics=False)).test_client()
    answer = client.get("/metrics")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not-found")
