"""A site, a poll that is held there, and codes that join them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from mvote.base import database_time
from mvote.polls.onsite.rotation import secret_of, shown_at
from tests.support.photographs import pages_of, zxing
from tests.support.world import CITY_HALL, Person, World

SITE = {
    "name": {"ko": "서울시청", "en": "Seoul City Hall"},
    "address": {"ko": "서울특별시 중구 세종대로 110", "en": "110 Sejong-daero, Jung-gu, Seoul"},
    "radius_m": 80,
    **CITY_HALL,
}
AT_SITE = {"rule": "site"}


@dataclass
class Place:
    """An officer's site and poll; `code` makes codes there."""

    world: World
    officer: Person = field(init=False)
    site: dict[str, Any] = field(init=False)
    poll: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.officer = self.world.officer()
        self.site = self.new_site()
        self.poll = self.world.open_poll(self.officer, presence=AT_SITE, publish_from=2)

    def new_site(self, **facts: Any) -> dict[str, Any]:
        """Another site."""
        return self.post("/v1/sites", SITE | facts)

    def code(self, kind: str = "link", **more: Any) -> dict[str, Any]:
        """A new code at the site for the poll, or for another *site* or *poll*, by *who*."""
        site, poll = more.pop("site", self.site), more.pop("poll", self.poll)
        body = {"poll_id": poll["id"], "kind": kind, **more}
        return self.post(f"/v1/sites/{site['id']}/codes", body)

    def scan(self, code: str, who: Person, **body: Any) -> TestResponse:
        """What a citizen gets who scans the code."""
        path = f"/v1/codes/{code}/scans"
        return self.world.client.post(path, json=body, headers=who.headers)

    def display(self, **more: Any) -> dict[str, Any]:
        """A new screen at the site, with its key."""
        return self.post(f"/v1/sites/{self.site['id']}/displays", {"name": "태블릿 1"} | more)

    def show(self, code: str, key: str) -> TestResponse:
        """What the screen with this key is told to show."""
        path = f"/v1/codes/{code}/display"
        return self.world.client.post(path, headers={"Authorization": f"Bearer {key}"})

    def value(self, code: str, *, seconds_ago: float = 0) -> str:
        """What the screen shows at that code now, or showed so many seconds ago."""
        secrets = self.world.wiring.gate.secrets
        with Session(self.world.engines["api"]) as session:
            secret = secret_of(session, code, secrets)
            now = database_time(session) - dt.timedelta(seconds=seconds_ago)
        return shown_at(secret, now).value

    def slips(self, code: str, count: int = 3) -> tuple[dict[str, Any], list[str]]:
        """A package of slips for a steward's code, printed, and the URLs that stand on them."""
        package = self.post(f"/v1/codes/{code}/slips", {"count": count})
        printed = self.print_slips(package)
        assert printed.status_code == 200, printed.get_data(as_text=True)
        pages = pages_of(printed.get_data(), dpi=150)
        return package, [text for page in pages for text in zxing(page)]

    def print_slips(self, package: dict[str, Any]) -> TestResponse:
        """The package's PDF, or the refusal."""
        path = f"/v1/slips/{package['id']}/print"
        return self.world.client.post(path, headers=self.officer.headers)

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """What the officer made there."""
        answer = self.world.client.post(path, json=body, headers=self.officer.headers)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return dict(answer.get_json())
