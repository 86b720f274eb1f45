"""Nobody learns who is on a roll: not from answers, statements or what is stored."""

from __future__ import annotations

import hashlib
import logging
import secrets
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from api.db import transaction
from api.logs import JsonLines
from api.polls import rolls
from mvote.people.registering import register
from mvote.polls.inviting import running
from mvote.polls.rolls import importing
from ops.place import find
from tests.support.inviting import Campaign, states
from tests.support.rolls import ROLL, bearer, csv_of, number, opened, send_roll
from tests.support.searching import CLUSTER, places_of
from tests.support.world import Person, World

Heard = Callable[[Callable[[], Any]], tuple[Any, list[str]]]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What is answered, and every statement that the database was given for it."""
    said: list[str] = []
    execute = psycopg.Cursor.execute

    def hear(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        said.append(query.decode() if isinstance(query, bytes) else str(query))
        return execute(self, query, *given, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", hear)

    def of(ask: Callable[[], Any]) -> tuple[Any, list[str]]:
        said.clear()
        answer = ask()
        return answer, list(said)

    return of


@pytest.fixture
def poll(world: World) -> dict[str, Any]:
    """Numbers 1 and 2 are on its roll; 1 and 3 have an account."""
    officer = world.officer()
    draft = world.draft(officer, eligibility=ROLL)
    assert send_roll(world, draft, officer, csv_of([number(1), number(2)])).status_code == 201
    opened(world, draft, officer)
    for n in (1, 3):
        bearer(world, n)
    return draft | {"officer": officer}


def one_listed(
    world: World, heard: Heard, officer: Person, n: int, query: str
) -> tuple[Any, list[str]]:
    """What is answered to a roll of one number, and which statements it took."""
    draft = world.draft(officer, eligibility=ROLL)
    answer, said = heard(lambda: send_roll(world, draft, officer, csv_of([number(n)]), query=query))
    content = answer.get_json()
    del content["file_sha256"]
    return (answer.status_code, content), said


@pytest.mark.parametrize("query", ["?dry_run=true", "", "?invite=true"])
def test_a_dry_run_and_an_import_tell_nothing_of_who_has_an_account(
    world: World, poll: dict[str, Any], heard: Heard, query: str
) -> None:
    known, unknown = (one_listed(world, heard, poll["officer"], n, query) for n in (1, 4))
    assert known == unknown
    assert known[1]  # it is heard at all


def test_an_import_that_looked_for_accounts_would_be_heard(
    world: World, poll: dict[str, Any], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: one statement more for a number that somebody has confirmed."""

    def nosy(poll_id: uuid.UUID, found: importing.RollFile, desk: importing.Desk) -> Any:
        for phone_hash in found.numbers:
            if world.rows("SELECT id FROM citizen WHERE phone_hash = %s", phone_hash):
                world.rows("SELECT 1")
        return importing.entries_of(poll_id, found, desk)

    monkeypatch.setattr(rolls, "entries_of", nosy)
    known, unknown = (one_listed(world, heard, poll["officer"], n, "") for n in (1, 4))
    assert known[0] == unknown[0]
    assert len(known[1]) == len(unknown[1]) + 1


def test_asking_for_a_code_tells_nothing_of_accounts_and_rolls(
    world: World, poll: dict[str, Any], heard: Heard
) -> None:
    def ask(n: int) -> tuple[Any, list[str]]:
        answer, said = heard(lambda: world.client.post("/v1/auth/codes", json={"phone": number(n)}))
        return (answer.status_code, answer.get_json().keys()), said

    listed_and_known, listed, known, neither = (ask(n) for n in (1, 2, 3, 4))
    assert listed_and_known == listed == known == neither
    assert neither[1]


def test_a_wrong_code_tells_nothing_of_accounts_and_rolls(
    world: World, poll: dict[str, Any], heard: Heard
) -> None:
    def guess(n: int) -> tuple[Any, list[str]]:
        asked = world.client.post("/v1/auth/codes", json={"phone": number(n)}).get_json()
        body = {"challenge_id": asked["challenge_id"], "code": "000000"}
        answer, said = heard(lambda: world.client.post("/v1/auth/tokens", json=body))
        return (answer.status_code, answer.get_json()["code"]), said

    listed_and_known, listed, known, neither = (guess(n) for n in (1, 2, 3, 4))
    assert listed_and_known == listed == known == neither
    assert neither[1]


def test_the_answer_whether_one_may_vote_takes_the_same_statements_on_the_roll_and_off_it(
    world: World, poll: dict[str, Any], heard: Heard
) -> None:
    """Who measures somebody else's answer from outside, learns no more from its time."""
    path = f"/v1/polls/{poll['id']}/eligibility"

    def ask(who: Person) -> tuple[Any, list[str]]:
        answer, said = heard(lambda: world.client.post(path, json={}, headers=who.headers))
        return answer.get_json()["may_vote"], said

    on_it, off_it = bearer(world, 1), bearer(world, 3)
    ask(on_it)  # what is read once for all is at hand
    (yes, for_one), (no, for_other) = ask(on_it), ask(off_it)
    assert (yes, no) == (True, False)
    assert for_one == for_other
    assert for_one


# what is stored


class Listed:
    """A number of this test alone, which nobody else writes anywhere."""

    def __init__(self) -> None:
        self.digits = str(secrets.randbelow(7_000) + 2_000) + f"{secrets.randbelow(10_000):04d}"

    @property
    def e164(self) -> str:
        return f"+8210{self.digits}"

    @property
    def needles(self) -> list[bytes]:
        """Every spelling of it, and the hashes that anybody could try."""
        first, last = self.digits[:4], self.digits[4:]
        apart = [f"{first}{sign}{last}" for sign in "- ._/"]
        whole = [f"10{self.digits}", f"010{self.digits}", f"8210{self.digits}", self.e164]
        wide = self.digits.translate({ord("0") + n: 0xFF10 + n for n in range(10)})
        written = [f"010{sign}{first}{sign}{last}" for sign in "- ."]
        plain = [hashlib.sha256(each.encode()).digest() for each in (*whole, *written)]
        coded = [whole[0].encode("utf-16-le"), int(f"8210{self.digits}").to_bytes(8, "big")]
        return [each.encode() for each in (*apart, whole[0], wide)] + plain + coded


@pytest.fixture
def log_lines(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], bytes]]:
    """All that the app and PostgreSQL have written down, as they write it."""
    logger = logging.getLogger("mvote")
    logger.setLevel(logging.INFO)
    logger.addHandler(caplog.handler)
    caplog.handler.setFormatter(JsonLines())

    def read() -> bytes:
        ours = "\n".join(map(caplog.handler.format, caplog.records)).encode()
        return ours + find(CLUSTER).log.read_bytes()

    yield read
    logger.removeHandler(caplog.handler)
    logger.setLevel(logging.WARNING)


def invited(world: World, listed: list[Listed]) -> Campaign:
    officer = world.officer()
    draft = world.draft(officer, eligibility=ROLL)
    content = csv_of([listed[0].e164, f"010-{listed[1].digits[:4]}-{listed[1].digits[4:]}"])
    assert send_roll(world, draft, officer, content, query="?invite=true").status_code == 201
    opened(world, draft, officer)
    return Campaign(world, officer, draft)


def test_no_number_of_a_roll_is_left_anywhere_after_import_invitation_and_casting(
    world: World,
    log_lines: Callable[[], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "passing").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "passing"))
    listed = [Listed(), Listed()]
    needles = [needle for each in listed for needle in each.needles]
    campaign = invited(world, listed)
    campaign.call()
    campaign.messenger.send_one()  # the other one's number is still kept, sealed
    assert states(campaign) == {"sent": 1, "waiting": 1}
    for each in listed:
        assert world.client.post("/v1/auth/codes", json={"phone": each.e164}).status_code == 202
        with Session(world.engines["api"]) as session, transaction(session):
            phones = world.app.extensions["phones"]
            voter = world.person(register(session, number=each.e164, phones=phones))
        assert world.cast(campaign.poll, voter).status_code == 201
    assert places_of(world, needles, tmp_path) == set()
    lines = log_lines()
    assert b"/v1/polls/<uuid:poll_id>/roll" in lines
    assert not [needle for needle in needles if needle in lines]
    assert not list((tmp_path / "passing").iterdir())


def test_a_number_that_was_kept_unsealed_would_be_found(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: invitations that hold their number in clear."""
    monkeypatch.setattr(running, "seal", lambda *given: " ".join(given[2:]).encode())
    listed = [Listed(), Listed()]
    invited(world, listed)
    for each in listed:
        assert "dump" in places_of(world, each.needles, tmp_path)
