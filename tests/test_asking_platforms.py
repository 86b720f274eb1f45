"""Google is asked while nothing is held, by nobody without end, and only where it matters."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import QueuePool
from werkzeug.test import TestResponse

from mvote.polls.integrity.asking import REFUSED_TOKENS
from mvote.polls.integrity.attesting import position_statement, spelt
from mvote.polls.integrity.errors import AttestationInvalid, AttestorAway
from mvote.polls.integrity.play_tokens import LocalDecoder
from tests.support.attesting import Platforms, cast_attested, stated_position
from tests.support.integrity import asking, code_at, nonce_of, site_of
from tests.support.world import CITY_HALL, GWANGHWAMUN, Person, World, position

KEY_ID = spelt(b"k" * 32)
HOW: dict[str, Any] = {"platform": "play-integrity", "key_id": KEY_ID}
Connections = Callable[[], int]


class Watched:
    """Opens tokens, and notes how many connections are held meanwhile."""

    def __init__(self, decoder: LocalDecoder, held: Connections) -> None:
        self.decoder, self.held = decoder, held
        self.held_when_asked: list[int] = []
        self.is_away = False

    def payload(self, token: str) -> Any:
        self.held_when_asked.append(self.held())
        if self.is_away:
            raise AttestorAway
        if token == "garbage":
            raise AttestationInvalid("token")
        return self.decoder.payload(token)


@pytest.fixture
def platforms(world: World) -> Platforms:
    return Platforms(world)


@pytest.fixture
def google(world: World, platforms: Platforms, monkeypatch: pytest.MonkeyPatch) -> Watched:
    pool = world.wiring.engine.pool
    assert isinstance(pool, QueuePool)
    made_up = platforms.google
    local = LocalDecoder(decryption=made_up.decryption, verification=made_up.verification)
    watched = Watched(local, pool.checkedout)
    platforms.installed(monkeypatch, watched)
    return watched


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def garbage(world: World, poll: dict[str, Any], voter: Person, **more: Any) -> TestResponse:
    return cast_attested(world, poll, voter, lambda _: "garbage", **HOW, **more)


def scan(world: World, platforms: Platforms, voter: Person, token: str | None = None) -> Any:
    officer = world.officer()
    site = site_of(world, officer)
    poll = world.open_poll(officer, presence={"rule": "site", "integrity": "attested"})
    nonce, here = nonce_of(world, voter), position(**CITY_HALL)
    statement = position_statement(
        poll_id=uuid.UUID(poll["id"]),
        nonce=nonce,
        position=stated_position(here),
        is_mock=False,
        key_id=KEY_ID,
    )
    token = token or platforms.by_google()(statement)
    attestation = HOW | {"token": token}
    body = {"position": here, "integrity": {"nonce": nonce, "attestation": attestation}}
    url = f"/v1/codes/{code_at(world, site, poll, officer)}/scans"
    return world.client.post(url, json=body, headers=voter.headers)


def test_no_connection_is_held_while_google_is_asked_about_a_ballot(
    world: World, platforms: Platforms, google: Watched
) -> None:
    poll = world.open_poll(presence=asking("attested"))
    answer = cast_attested(world, poll, world.citizen(), platforms.by_google(), **HOW)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert google.held_when_asked == [0]


def test_no_connection_is_held_while_google_is_asked_about_a_scan(
    world: World, platforms: Platforms, google: Watched
) -> None:
    answer = scan(world, platforms, world.citizen())
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert google.held_when_asked == [0]
    assert world.count("device") == 1


def test_a_scan_that_google_refuses_gives_nothing_and_uses_its_nonce(
    world: World, platforms: Platforms, google: Watched
) -> None:
    answer = scan(world, platforms, world.citizen(), "garbage")
    assert refusal(answer) == (403, "attestation-invalid")
    assert world.count("position_nonce") == world.count("device") == 0


def test_while_google_is_away_a_scan_that_needs_its_word_gives_nothing(
    world: World, platforms: Platforms, google: Watched
) -> None:
    google.is_away = True
    assert refusal(scan(world, platforms, world.citizen())) == (503, "attestor-away")
    assert world.count("position_nonce") == 1


def test_a_nonce_is_good_for_one_token_that_google_refuses(world: World, google: Watched) -> None:
    poll, voter = world.open_poll(presence=asking("attested")), world.citizen()
    nonce = nonce_of(world, voter)
    assert refusal(garbage(world, poll, voter, nonce=nonce)) == (403, "attestation-invalid")
    assert refusal(garbage(world, poll, voter, nonce=nonce)) == (403, "position-nonce-invalid")
    assert len(google.held_when_asked) == 1


def test_nobody_uses_up_what_google_answers_to_a_whole_city(
    world: World, platforms: Platforms, google: Watched
) -> None:
    poll, (voter, other) = world.open_poll(presence=asking("attested")), world.citizens(2)
    for _ in range(REFUSED_TOKENS.most):
        assert refusal(garbage(world, poll, voter)) == (403, "attestation-invalid")
    asked = len(google.held_when_asked)
    assert refusal(garbage(world, poll, voter)) == (429, "too-many-requests")
    assert len(google.held_when_asked) == asked == REFUSED_TOKENS.most
    assert cast_attested(world, poll, other, platforms.by_google(), **HOW).status_code == 201


def test_whom_google_vouches_for_is_not_counted(
    world: World, platforms: Platforms, google: Watched
) -> None:
    poll = world.open_poll(presence=asking("attested"))
    before = world.count("allowance")
    answer = cast_attested(world, poll, world.citizen(), platforms.by_google(), **HOW)
    assert answer.status_code == 201
    assert world.count("allowance") == before


def test_who_only_asks_whether_they_may_vote_asks_google_nothing(
    world: World, google: Watched
) -> None:
    poll, voter = world.open_poll(presence=asking("attested")), world.citizen()
    attestation = HOW | {"token": "garbage"}
    body = {
        "position": position(**GWANGHWAMUN),
        "integrity": {"nonce": nonce_of(world, voter), "attestation": attestation},
    }
    url = f"/v1/polls/{poll['id']}/eligibility"
    answer = world.client.post(url, json=body, headers=voter.headers).get_json()
    assert answer == {"may_vote": True, "reasons": []}
    assert google.held_when_asked == []


def test_google_is_asked_nothing_for_who_may_not_vote_anyway(world: World, google: Watched) -> None:
    poll = world.open_poll(presence=asking("attested"), eligibility={"min_age": 99})
    assert refusal(garbage(world, poll, world.citizen(birth_year=2000))) == (403, "not-eligible")
    assert google.held_when_asked == []


def test_where_nobody_asks_for_googles_word_its_absence_stops_nobody(
    world: World, platforms: Platforms, google: Watched
) -> None:
    poll, voter = world.open_poll(presence=asking(None)), world.citizen()
    google.is_away = True
    answer = cast_attested(world, poll, voter, platforms.by_google(), **HOW)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert world.count("device") == 0
    assert len(google.held_when_asked) == 1
