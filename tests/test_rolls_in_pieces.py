"""Rolls are written and replaced piece by piece: no statement and no pause grows with the roll."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.polls.inviting import links, running
from mvote.polls.rolls.clearing import clear_entries
from tests.support.inviting import campaign_in
from tests.support.proposals import officers_of_one
from tests.support.rolls import ROLL, csv_of, number, opened, send_roll
from tests.support.world import World

MANY = 2_500


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """What the api says to the database meanwhile."""
    said: list[str] = []

    def hear(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(world.engines["api"], "before_cursor_execute", hear)
    yield said
    event.remove(world.engines["api"], "before_cursor_execute", hear)


def api_url(world: World) -> str:
    return world.settings.api_url.replace("+psycopg", "")


def most_sealed_between_statements(world: World, monkeypatch: pytest.MonkeyPatch) -> int:
    """Of invitations to MANY, which are kept in one transaction."""
    draft = world.draft(officer := world.officer(), eligibility=ROLL)
    send_roll(world, draft, officer, csv_of(number(n) for n in range(MANY)))
    entries = [bytes(entry) for (entry,) in world.rows("SELECT entry FROM roll_entry")]
    pauses, seal = Counter[int](), links.seal
    with statements(world) as said:

        def counted(*given: Any) -> bytes:
            pauses[len(said)] += 1
            return seal(*given)

        monkeypatch.setattr(running, "seal", counted)
        with Session(world.engines["api"]) as session, transaction(session):
            running.keep_invitations(
                session,
                poll_id=uuid.UUID(draft["id"]),
                keystore=world.wiring.keystore,
                numbers=dict.fromkeys(entries, "+821012345678"),
            )
    assert world.count("invitation") == MANY
    return max(pauses.values())


def test_no_more_than_a_thousand_numbers_are_sealed_between_two_statements(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert most_sealed_between_statements(world, monkeypatch) == 1_000


def test_sealed_in_one_go_the_transaction_would_be_idle_for_a_whole_roll(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr(running, "AT_ONCE", 10**6)
    assert most_sealed_between_statements(world, monkeypatch) == MANY


def test_a_roll_is_replaced_in_pieces_and_nothing_is_left_of_it_or_its_invitations(
    world: World,
) -> None:
    one, two = officers_of_one(world)
    draft = world.draft(one, eligibility=ROLL)
    send_roll(world, draft, one, csv_of(number(n) for n in range(MANY)), query="?invite=true")
    assert (world.count("roll_entry"), world.count("invitation")) == (MANY, MANY)
    content = csv_of([number(7), number(MANY)])
    assert send_roll(world, draft, one, content).status_code == 202
    assert send_roll(world, draft, two, content).status_code == 201
    assert (world.count("roll_entry"), world.count("invitation")) == (2, 0)


def test_the_pieces_of_a_roll_are_alike_and_cover_every_entry(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: list[tuple[bytes, bytes | None]] = []

    class Told:
        def execute(self, _: Any, given: dict[str, Any]) -> None:
            bounds.append((given["from"], given["until"]))

    clear_entries(Told(), uuid.uuid4())  # type: ignore[arg-type]
    firsts, lasts = zip(*bounds, strict=True)
    assert (firsts[0], lasts[-1]) == (b"\x00", None)
    assert firsts[1:] == lasts[:-1]
    assert {lasts[n][0] - firsts[n][0] for n in range(len(bounds) - 1)} == {8}


def test_the_database_deletes_no_piece_of_a_roll_that_is_whole_or_frozen(world: World) -> None:
    draft = world.draft(officer := world.officer(), eligibility=ROLL)
    send_roll(world, draft, officer, csv_of([number(1)]))
    for _ in range(2):
        with psycopg.connect(api_url(world)) as connection:
            cleared = connection.execute("SELECT clear_roll(%s, '\\x00', NULL)", [draft["id"]])
            assert cleared.fetchone() == (False,)
        assert world.count("roll_entry") == 1
        if draft.pop("title", None):
            opened(world, draft, officer)


def test_the_database_lets_nobody_be_invited_who_is_not_on_the_roll(world: World) -> None:
    campaign = campaign_in(world)
    copied = (
        "INSERT INTO invitation (poll_id, entry, sealed, token_hash, state, tries)"
        " SELECT poll_id, sha256(entry), 'x', sha256(token_hash), 'waiting', 0 FROM invitation"
    )
    with (
        psycopg.connect(api_url(world)) as connection,
        pytest.raises(psycopg.errors.RestrictViolation),
    ):
        connection.execute(copied)
    assert campaign.progress()["total"] == world.count("roll_entry")
