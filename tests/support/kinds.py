"""Every kind of poll that M-Voting had: its people, what they show, and who is kept out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.support.rolls import XLSX, bearer, number, send_roll, xlsx_of
from tests.support.rooms import PASSWORD, looked_up
from tests.support.sites import Place
from tests.support.world import CITY_HALL, Person, position

Body = dict[str, Any]
CHOICES = ("yes", "yes", "no")
"""What the voters of a poll choose, each in their place."""


class Scene(Place):
    """Two districts, a site, an officer; a poll of some kind and the people who come to it."""

    kind: Kind

    def draft(self, kind: Kind) -> Body:
        """A poll of that kind, drafted; with its roll, if it has one."""
        self.kind = kind
        self.author = self.world.citizen() if kind.by_a_citizen else self.officer
        poll = self.world.draft(self.author, publish_from=2, **kind.content)
        if kind.listed:
            rows = [["이름", "휴대폰"], *[["홍길동", number(n)] for n, _ in enumerate(CHOICES)]]
            sent = send_roll(self.world, poll, self.author, xlsx_of(rows), XLSX)
            assert (sent.status_code, sent.get_json()["accepted"]) == (201, len(CHOICES))
        return poll

    def voters(self) -> list[Person]:
        """Those who are asked."""
        if self.kind.listed:
            return [bearer(self.world, n) for n, _ in enumerate(CHOICES)]
        return [self.somebody(self.kind.facts) for _ in CHOICES]

    def somebody(self, facts: Mapping[str, Any]) -> Person:
        """A citizen who has said this about themselves."""
        who = self.world.citizen()
        if facts:
            tag = self.world.client.get("/v1/me", headers=who.headers).headers["ETag"]
            said = self.world.client.patch(
                "/v1/me", json={"attributes": dict(facts)}, headers=who.headers | {"If-Match": tag}
            )
            assert said.status_code == 200, said.get_data(as_text=True)
        return who

    def hang(self, kind: str) -> str:
        """A code of this kind at the site, for the poll."""
        return str(self.code(kind)["code"])

    @cached_property
    def poster(self) -> str:
        return self.hang("link")

    @cached_property
    def screen(self) -> str:
        return self.hang("rotating")

    @cached_property
    def steward(self) -> tuple[str, list[str]]:
        """Their code, and what stands on their slips."""
        code = self.hang("steward")
        _, urls = self.slips(code, 5)
        return code, [url.partition("#")[2] for url in urls]

    def scanned(self, code: str, who: Person, **shown: Any) -> Body:
        """What a scan of the code is good for."""
        headers = who.headers | self.room_pass()
        answer = self.world.client.post(f"/v1/codes/{code}/scans", json=shown, headers=headers)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return {"presence_token": answer.get_json()["presence_token"]}

    def room_pass(self) -> dict[str, str]:
        """The header with which the pages of a private poll are read."""
        if "room_password" not in self.kind.content:
            return {}
        found = looked_up(self.world, self.world.citizen(), self.poll["room_number"])
        return {"Room-Pass": found.get_json()["room_pass"]}


Shows = Callable[[Scene, Person], Body]
"""What somebody shows beside their token: a position, a scan, a password."""


def nothing(_: Scene, __: Person) -> Body:
    return {}


def near(place: Mapping[str, float]) -> Shows:
    return lambda *_: {"position": position(**place)}


def at_the_poster(scene: Scene, who: Person) -> Body:
    return scene.scanned(scene.poster, who, position=position(**CITY_HALL))


def at_the_screen(scene: Scene, who: Person) -> Body:
    return scene.scanned(scene.screen, who, value=scene.value(scene.screen))


def with_a_slip(scene: Scene, who: Person) -> Body:
    code, slips = scene.steward
    return scene.scanned(code, who, value=slips.pop())


def password(*_: Any) -> Body:
    return {"room_password": PASSWORD}


def wrong_password(*_: Any) -> Body:
    return {"room_password": "아닌 것 같은 비밀번호"}


def in_the_room_at_the_poster(scene: Scene, who: Person) -> Body:
    return at_the_poster(scene, who) | password()


@dataclass(frozen=True, kw_only=True)
class Outsider:
    """Somebody who is kept out: by what they are, or by what they show."""

    refusal: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    shows: Shows = nothing


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One row of the table."""

    content: Body = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    shows: Shows = nothing
    kept_out: tuple[Outsider, ...] = ()
    by_a_citizen: bool = False

    @property
    def listed(self) -> bool:
        """It asks those who stand on a list."""
        return bool(self.content.get("eligibility", {}).get("roll"))
