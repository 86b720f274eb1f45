"""Polls whose invitations wait, and a gateway that remembers what it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg

from api.messenger import Messenger
from tests.support.rolls import ROLL, csv_of, number, opened, send_roll
from tests.support.world import Person, World

PEOPLE = 5


class Killed(BaseException):
    """The worker is gone, as after kill -9: nothing is cleaned up."""


@dataclass
class Letters:
    """Stands for the gateway, and remembers what it took."""

    taken: list[tuple[str, str]] = field(default_factory=list)
    #: what to raise at which try, before or after taking the message
    before: dict[int, BaseException] = field(default_factory=dict)
    after: dict[int, BaseException] = field(default_factory=dict)
    tries: int = 0

    def send(self, *, to: str, text: str, code: str = "") -> None:
        assert not code
        n, self.tries = self.tries, self.tries + 1
        if n in self.before:
            raise self.before[n]
        self.taken.append((to, text))
        if n in self.after:
            raise self.after[n]

    @property
    def numbers(self) -> list[str]:
        return [to for to, _ in self.taken]


@dataclass
class Campaign:
    """A poll with a roll whose invitations wait."""

    world: World
    officer: Person
    poll: dict[str, Any]
    letters: Letters = field(default_factory=Letters)
    pauses: list[float] = field(default_factory=list)

    @property
    def messenger(self) -> Messenger:
        return Messenger(
            engine=self.world.engines["api"],
            keystore=self.world.wiring.keystore,
            messages=self.letters,
            url="https://vote.example",
            time_zone="Asia/Seoul",
            per_second=10,
            sleep=self.pauses.append,
        )

    def call(self, verb: str = "", **body: Any) -> Any:
        path = f"/v1/polls/{self.poll['id']}/invitations{verb}"
        return self.world.client.post(path, json=body, headers=self.officer.headers)

    def progress(self) -> dict[str, Any]:
        path = f"/v1/polls/{self.poll['id']}/invitations"
        answer = self.world.client.get(path, headers=self.officer.headers)
        assert answer.status_code == 200
        return dict(answer.get_json())

    def token(self, n: int = 0) -> str:
        return self.letters.taken[n][1].partition("/i/")[2].split()[0]


def campaign_in(world: World, **said: Any) -> Campaign:
    """A poll that is open, with the numbers of so many kept for invitations."""
    officer = world.officer()
    poll = world.draft(officer, eligibility=ROLL, **said)
    content = csv_of(number(n) for n in range(PEOPLE))
    assert send_roll(world, poll, officer, content, query="?invite=true").status_code == 201
    opened(world, poll, officer)
    return Campaign(world, officer, poll)


def states(campaign: Campaign) -> dict[str, int]:
    """How many invitations are in which state."""
    shown = campaign.progress()
    names = ("waiting", "sending", "sent", "uncertain", "refused", "failed", "stopped")
    return {name: shown[name] for name in names if shown[name]}


def numbers_kept(campaign: Campaign) -> int:
    """How many numbers are still there, sealed."""
    query = "SELECT count(*) FROM invitation WHERE sealed IS NOT NULL"
    return int(campaign.world.rows(query)[0][0])


def lose(campaign: Campaign) -> None:
    """Let a minute pass for what is claimed."""
    with psycopg.connect(campaign.world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE invitation SET claimed_at = claimed_at - interval '61 s'")


def wait_over(campaign: Campaign) -> None:
    """Let the wait after a refusal be over."""
    with psycopg.connect(campaign.world.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE invitation_run SET not_before = NULL")
