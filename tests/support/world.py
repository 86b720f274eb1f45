"""A small city to test in: people with tokens, polls in every state, workers to call by hand."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.db import transaction
from api.holders import open_keystore
from api.settings import Settings
from api.wiring import Wiring
from api.witnesses import clerk_of
from jobs import auditor_round, shuffler_round
from mvote.ballotbox.bundle_making import publish_receipt_keys
from mvote.ballotbox.clerk import Clerk
from mvote.ballotbox.counting import Manner, count_poll, polls_to_count
from mvote.ballotbox.live_counting import count_live, polls_to_count_live
from mvote.ballotbox.marks import MarkFile
from mvote.ballotbox.stock import fill_stock
from mvote.ballotbox.witnessing import Witness
from mvote.base import utc_now
from mvote.budget.deciding.comparing import finish_contests, work_out_comparisons
from mvote.people.declaring import declare
from mvote.people.granting import Post, add_department, grant
from mvote.people.registering import register_many
from tests.support.contract import CheckedClient
from tests.support.people import a_number
from verifier.mvote_verify import recount

CITY_HALL = {"lat": 37.5663, "lon": 126.9779}
GWANGHWAMUN = {"lat": 37.5720, "lon": 126.9769}


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a token."""

    id: uuid.UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def position(lat: float, lon: float, accuracy_m: float = 10, age_s: float = 0) -> dict[str, Any]:
    """What a phone at that place reports."""
    captured = utc_now() - dt.timedelta(seconds=age_s)
    return {
        "lat": lat,
        "lon": lon,
        "accuracy_m": accuracy_m,
        "captured_at": captured.isoformat(),
    }


def new_key() -> str:
    """A client's random key K."""
    return uuid.uuid4().hex


def question(*keys: str, **more: Any) -> dict[str, Any]:
    """A question with these options."""
    names = keys or ("yes", "no")
    options = [{"key": key, "title": f"선택 {key}"} for key in names]
    return {"text": "무엇을 할까요?", "kind": "single", "options": options, **more}


def tomorrow() -> dict[str, Any]:
    """What a poll says in which voting begins a day from now, and lasts a day."""
    opens_at = utc_now() + dt.timedelta(days=1)
    closes_at = opens_at + dt.timedelta(days=1)
    return {"opens_at": opens_at.isoformat(), "closes_at": closes_at.isoformat()}


class World:
    """The application and its workers, as tests drive them."""

    def __init__(
        self,
        app: Flask,
        client: CheckedClient,
        engines: Mapping[str, Engine],
        settings: Settings,
        admin_url: str,
    ) -> None:
        self.app, self.client, self.engines = app, client, engines
        self.settings, self.admin_url = settings, admin_url
        self.wiring: Wiring = app.extensions["wiring"]
        self.clerk = self.new_clerk(settings.var / f"mark-{uuid.uuid4()}")
        self.stock_keys()

    # people

    def citizens(self, count: int, **attributes: Any) -> list[Person]:
        """So many citizens, each with these declared attributes."""
        numbers = [a_number() for _ in range(count)]
        with Session(self.engines["api"]) as session, transaction(session):
            ids = register_many(session, numbers=numbers, phones=self.app.extensions["phones"])
            for citizen_id in ids if attributes else ():
                declare(
                    session,
                    citizen_id=citizen_id,
                    values=attributes,
                    areas=self.app.extensions["areas"],
                    now=utc_now(),
                )
        return [self.person(citizen_id) for citizen_id in ids]

    def citizen(self, **attributes: Any) -> Person:
        """One citizen."""
        return self.citizens(1, **attributes)[0]

    def officer(self) -> Person:
        """An officer of a department of their own."""
        person = self.citizen()
        with Session(self.engines["api"]) as session, transaction(session):
            department = add_department(session, name={"ko": "광장과", "en": "Squares"}, by=None)
            grant(session, citizen_id=person.id, post=Post("officer", department.id))
        return person

    def administrator(self) -> Person:
        """An administrator."""
        person = self.citizen()
        with Session(self.engines["api"]) as session, transaction(session):
            grant(session, citizen_id=person.id, post=Post("administrator"))
        return person

    def person(self, citizen_id: uuid.UUID) -> Person:
        """Whoever has this account, with a token."""
        return Person(citizen_id, self.wiring.tokens.issue(citizen_id, now=utc_now()))

    # polls

    def draft(self, author: Person | None = None, **content: Any) -> dict[str, Any]:
        """A draft with a question and an hour to vote, as its author sees it."""
        body = {
            "title": {"ko": "광장에 나무를 심을까요?", "en": "Plant trees on the square?"},
            "question": question(),
            "closes_at": (utc_now() + dt.timedelta(hours=1)).isoformat(),
        } | content
        headers = (author or self.officer()).headers
        response = self.client.post("/v1/polls", json=body, headers=headers)
        assert response.status_code == 201, response.get_data(as_text=True)
        return dict(response.get_json())

    def open_poll(self, author: Person | None = None, **content: Any) -> dict[str, Any]:
        """A poll that is open."""
        author = author or self.officer()
        draft = self.draft(author, **content)
        response = self.client.post(f"/v1/polls/{draft['id']}/open", headers=author.headers)
        assert response.status_code == 200, response.get_data(as_text=True)
        return dict(response.get_json())

    def cast(
        self,
        poll: Mapping[str, Any],
        voter: Person,
        selections: list[Any] | None = None,
        key: str | None = None,
        **more: Any,
    ) -> TestResponse:
        """Cast a ballot (for the first option, unless said otherwise)."""
        body = {"selections": ["yes"] if selections is None else selections, **more}
        headers = voter.headers | {"Idempotency-Key": key or new_key()}
        return self.client.post(f"/v1/polls/{poll['id']}/ballots", json=body, headers=headers)

    # workers and time

    def stock_keys(self) -> None:
        """Let the counter make sealing keys."""
        keystore = open_keystore(self.settings, "counter")
        with Session(self.engines["counter"]) as session, transaction(session):
            fill_stock(session, keystore, wanted=8)

    def end_voting(self, poll: Mapping[str, Any]) -> None:
        """Let the poll's time be over now, by the database's clock."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")  # past the guard
            connection.execute(
                "UPDATE poll SET closes_at = clock_timestamp() WHERE id = %s", [poll["id"]]
            )

    def close(self, poll: Mapping[str, Any]) -> None:
        """End the voting and let the shuffler close the poll."""
        self.end_voting(poll)
        self.run_shuffler()

    def finish(self, poll: Mapping[str, Any]) -> None:
        """End the voting, shuffle, count, and publish if the accounting holds."""
        self.close(poll)
        self.run_counter()

    def run_shuffler(self) -> None:
        """One round of the shuffler, who signs nothing here."""
        shuffler_round(self.engines["shuffler"], open_keystore(self.settings, "shuffler"))

    def make_bundle(
        self, poll: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Let keeper and shuffler do what is left after publication; the bundle, as served."""
        with Session(self.engines["api"]) as session, transaction(session):
            publish_receipt_keys(session, self.wiring.box.receipts)
        keystore = open_keystore(self.settings, "shuffler")
        shuffler_round(self.engines["shuffler"], keystore, clerk=self.clerk)
        url = f"/v1/polls/{poll['id']}/bundle.zip"
        with self.client.get(url, headers=dict(headers or {})) as response:
            assert response.status_code == 200, response.get_data(as_text=True)
            return bytes(response.get_data())

    def sign(self) -> None:
        """Let the shuffler sign every checkpoint that is not signed yet."""
        assert self.clerk.round()

    def new_clerk(self, mark: Path, *witnesses: Witness) -> Clerk:
        """Somebody who signs checkpoints, with a mark of their own: each test has its own log."""
        engine = self.engines["shuffler"]
        clerk = clerk_of(self.settings, engine, open_keystore(self.settings, "shuffler"))
        return replace(clerk, mark=MarkFile(mark), witnesses=witnesses)

    def run_counter(self) -> None:
        """One round of the counter."""
        keystore = open_keystore(self.settings, "counter")
        with Session(self.engines["counter"]) as session:
            live, closed = polls_to_count_live(session), polls_to_count(session, keystore)
        for poll_id in live:
            with Session(self.engines["counter"]) as session, transaction(session):
                count_live(session, keystore, poll_id)
        for poll_id in closed:
            with Session(self.engines["counter"]) as session, transaction(session):
                count_poll(session, keystore, poll_id, Manner(recount=recount))
        with Session(self.engines["counter"]) as session, transaction(session):
            for case in finish_contests(session):
                work_out_comparisons(session, case)

    def run_auditor(self) -> None:
        """One round of the auditor."""
        auditor_round(self.engines["auditor"], open_keystore(self.settings, "auditor"))

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a superuser sees."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            return connection.execute(query, parameters).fetchall()

    def count(self, table: str) -> int:
        """How many rows a table has, as a superuser sees it."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608
