"""Elections as .pb files over HTTP: imported, allocated, exported."""

from __future__ import annotations

from typing import Any

from werkzeug.test import TestResponse

from tests.support.world import Person, World

PB = "text/plain; charset=utf-8"


def send_pb(
    world: World,
    content: str | bytes,
    by: Person | None = None,
    content_type: str = PB,
    **headers: str,
) -> TestResponse:
    """Import the file, as an administrator unless said otherwise."""
    by = by or world.administrator()
    data = content.encode() if isinstance(content, str) else content
    return world.client.post(
        "/v1/cycles/import", data=data, content_type=content_type, headers=by.headers | headers
    )


def imported(world: World, content: str | bytes) -> dict[str, Any]:
    """The cycle that became of the file."""
    answer = send_pb(world, content)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.get_json())


def allocation(world: World, cycle: dict[str, Any], **query: str) -> dict[str, Any]:
    answer = world.client.get(f"/v1/cycles/{cycle['id']}/allocation", query_string=query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def funded(document: dict[str, Any]) -> list[str]:
    """Whom a rule funds, sorted."""
    return sorted(each["reference"] for each in document["funded"])


def exported(world: World, cycle: dict[str, Any]) -> bytes:
    """The cycle as a .pb file."""
    with world.client.get(f"/v1/cycles/{cycle['id']}/export.pb") as answer:
        assert (answer.status_code, answer.content_type) == (200, PB)
        return answer.get_data()
