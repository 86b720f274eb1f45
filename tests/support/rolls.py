"""Files as organisers have them, and importing them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl import Workbook
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from mvote.base import utc_now
from mvote.people.changing_number import NumberChange, change_number
from mvote.people.citizens import Citizen
from mvote.people.deleting import delete_account
from mvote.people.registering import register
from mvote.polls.participations import last_poll_ends
from tests.support.identities import CODE, a_challenge
from tests.support.world import Person, World

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROLL = {"roll": True}


def number(n: int) -> str:
    """A made-up number as one writes it."""
    return f"010-9{n // 10_000 % 1_000:03d}-{n % 10_000:04d}"


def e164(n: int) -> str:
    """The same number as accounts know it."""
    return "+82" + number(n).replace("-", "")[1:]


def csv_of(numbers: Iterable[str], *, heading: str = "휴대폰", encoding: str = "utf-8") -> bytes:
    """A list of people with their numbers."""
    lines = [f"이름,{heading}", *(f"홍길동{n},{each}" for n, each in enumerate(numbers))]
    return "\r\n".join(lines).encode(encoding)


def xlsx_of(rows: Sequence[Sequence[Any]], title: str = "명단") -> bytes:
    """A workbook of one sheet, as somebody else's program writes it."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    return saved(book)


def saved(book: Workbook) -> bytes:
    """The bytes of a workbook."""
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def send_roll(
    world: World,
    poll: Any,
    by: Person,
    content: bytes,
    kind: str = CSV,
    query: str = "",
    **headers: str,
) -> TestResponse:
    """Import *content* as the roll of a poll."""
    path = f"/v1/polls/{poll['id']}/roll{query}"
    return world.client.post(path, data=content, content_type=kind, headers=by.headers | headers)


def bearer(world: World, n: int) -> Person:
    """Whoever has confirmed the n-th number."""
    with Session(world.engines["api"]) as session, transaction(session):
        citizen_id = register(session, number=e164(n), phones=world.app.extensions["phones"])
    return world.person(citizen_id)


def opened(world: World, poll: dict[str, object], by: Person) -> None:
    """Open a draft."""
    answer = world.client.post(f"/v1/polls/{poll['id']}/open", headers=by.headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)


def change(world: World, who: Person, n: int) -> None:
    """Let somebody have the *n*-th number from now on."""
    with Session(world.engines["api"]) as session, transaction(session):
        challenge_id = a_challenge(world.app, session, e164(n))
        assert change_number(
            session, desk=world.app.extensions["front_desk"], citizen_id=who.id, session_id=None,
            change=NumberChange(challenge_id=challenge_id, code=CODE, merge=False),
            last_poll_ends=last_poll_ends, now=utc_now(),
        )  # fmt: skip


def leave(world: World, who: Person) -> None:
    """Let somebody delete their account."""
    with Session(world.engines["api"]) as session, transaction(session):
        citizen = session.get_one(Citizen, who.id)
        delete_account(session, citizen=citizen, last_poll_ends=last_poll_ends)
