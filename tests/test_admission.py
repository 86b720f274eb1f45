"""Who comes when a process is full is told so at once, before anything was done for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from api.admission import Admission
from api.headers import SECURITY
from api.polls.by_hand import ByHand
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.support.world import World


class Slow:
    """An application that works at a request until it is let go, and counts who came in."""

    def __init__(self) -> None:
        self.came_in: list[str] = []
        self.may_end = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.came_in.append(environ["PATH_INFO"])
        assert self.may_end.wait(PATIENCE_SECONDS)
        start("200 OK", [])
        return [b""]


@pytest.fixture
def slow() -> Slow:
    return Slow()


def full_house(slow: Slow, most: int, ask: Callable[[Client], Any]) -> Any:
    """What comes of *ask* while as many as may be are inside."""
    client = Client(Admission(slow, most=most, headers=SECURITY, language="ko"))
    with ThreadPoolExecutor(most) as pool:
        inside = [pool.submit(client.get, "/v1/polls") for _ in range(most)]
        wait_until(lambda: len(slow.came_in) == most)
        try:
            return ask(client)
        finally:
            slow.may_end.set()
            assert [each.result(PATIENCE_SECONDS).status_code for each in inside] == [200] * most


def test_whoever_comes_beyond_what_is_worked_at_is_refused_and_nothing_is_done(slow: Slow) -> None:
    answers: list[TestResponse] = full_house(
        slow, 3, lambda client: [client.post("/v1/polls/x/ballots") for _ in range(5)]
    )
    for answer in answers:
        assert (answer.status_code, answer.get_json()["code"]) == (503, "overloaded")
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert all(answer.headers[name] == value for name, value in SECURITY.items())
    assert len(slow.came_in) == 3


def test_when_there_is_room_again_everyone_gets_in(slow: Slow) -> None:
    client = Client(Admission(slow, most=1, headers=SECURITY, language="ko"))
    slow.may_end.set()
    assert [client.get("/v1/polls").status_code for _ in range(5)] == [200] * 5


def test_who_fails_inside_leaves_the_room_free(slow: Slow) -> None:
    def fail(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/fails":
            raise RuntimeError
        return slow(environ, start)

    client = Client(Admission(fail, most=1, headers=SECURITY, language="ko"))
    slow.may_end.set()
    for _ in range(3):
        with pytest.raises(RuntimeError):
            client.get("/fails")
    assert client.get("/v1/polls").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_signs_of_life_always_get_in(slow: Slow, path: str) -> None:
    def ask(client: Client) -> int:
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(client.get, path)
            wait_until(lambda: path in slow.came_in)
            slow.may_end.set()
            return asked.result(PATIENCE_SECONDS).status_code

    assert full_house(slow, 2, ask) == 200


@pytest.mark.parametrize(
    ("accepted", "title"),
    [
        ("en", "Too busy just now. Nothing was recorded."),
        ("", "접속이 많습니다. 투표는 기록되지 않았습니다."),
        ("ko-KR, ko;q=0.9, en;q=0.5", "접속이 많습니다. 투표는 기록되지 않았습니다."),
        ("nonsense;;q=,", "접속이 많습니다. 투표는 기록되지 않았습니다."),
    ],
)
def test_a_refusal_speaks_the_language_of_the_caller(slow: Slow, accepted: str, title: str) -> None:
    headers = {"Accept-Language": accepted}
    answer = full_house(slow, 1, lambda client: client.get("/v1/polls", headers=headers))
    assert answer.get_json()["title"] == title


def test_a_refusal_at_the_door_is_as_the_contract_has_it_and_records_nothing(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll, voter = world.open_poll(), world.citizen()
    door = app.wsgi_app
    assert isinstance(door, Admission)
    assert isinstance(door._onward, ByHand)
    monkeypatch.setattr(door, "_most", 0)
    assert world.cast(poll, voter).get_json()["code"] == "overloaded"
    assert world.client.get("/v1/polls").status_code == 503
    assert world.client.get("/healthz").status_code == 200
    assert world.count("participation") == 0
    monkeypatch.undo()
    assert world.cast(poll, voter).status_code == 201
