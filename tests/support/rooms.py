"""Private rooms, as tests go in and out of them."""

from __future__ import annotations

import uuid
from typing import Any

from tests.support.world import Person, World

PASSWORD = "여덟 글자 이상 비밀번호"


def looked_up(world: World, who: Person, number: str, password: str = PASSWORD) -> Any:
    body = {"number": number, "password": password}
    return world.client.post("/v1/rooms/lookup", json=body, headers=who.headers)


def room_id(room: dict[str, Any]) -> uuid.UUID:
    return uuid.UUID(room["id"])
