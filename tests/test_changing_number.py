"""Changing one's number: who is told, what ends, what is refused, and what a stranger learns."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import utc_now
from mvote.journal import JournalEntry
from mvote.people.anchors import become_one, hold_still, leave_behind
from mvote.people.changing_number import CHANGES, NumberChange, change_number
from mvote.people.citizens import Anchor, Citizen, Tombstone
from mvote.people.registering import register
from mvote.people.sessions import SignIn
from mvote.people.signing_in import Typed, take_try
from mvote.people.voters import voter_of
from mvote.polls.participations import last_poll_ends
from tests.support.contract import CheckedClient
from tests.support.identities import CODE, a_challenge
from tests.support.people import a_number, problem
from tests.support.racing import Beside, race
from tests.support.waiting import wait_until_blocked
from tests.support.world import Person, World
from tests.test_sessions import bearer, renew
from tests.test_signing_in import ask_for_code, my_id, sign_in

Outbox = Callable[[], list[dict[str, Any]]]

NEW = "+821055550001"


def change(
    client: CheckedClient, outbox: Outbox, tokens: dict[str, Any], number: str, **more: Any
) -> Any:
    """Prove *number* by its code, as somebody signed in."""
    challenge = ask_for_code(client, number, "new-number")["challenge_id"]
    code = next(each["code"] for each in reversed(outbox()) if each["to"] == number)
    body = {"challenge_id": challenge, "code": code, **more}
    return client.post("/v1/me/phone", json=body, headers=bearer(tokens))


def test_an_account_takes_a_new_number_and_the_old_one_is_told(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    old, new = a_number(), a_number()
    tokens, tablet = sign_in(client, outbox, old), sign_in(client, outbox, old)
    answer = change(client, outbox, tokens, new)
    assert (answer.status_code, answer.get_json()["phone"][-4:]) == (200, new[-4:])
    [told] = [each["to"] for each in outbox() if not each["code"]]
    assert told == old
    assert [renew(client, each).status_code for each in (tokens, tablet)] == [201, 401]
    assert my_id(client, sign_in(client, outbox, new)) == my_id(client, tokens)
    assert my_id(client, sign_in(client, outbox, old)) != my_id(client, tokens)
    kinds = session.scalars(select(JournalEntry.kind)).all()
    assert "number:changed" in kinds


def test_a_wrong_code_changes_nothing_and_is_counted(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    old, new = a_number(), a_number()
    tokens = sign_in(client, outbox, old)
    challenge = ask_for_code(client, new, "new-number")["challenge_id"]
    code = outbox()[-1]["code"]
    wrong = {"challenge_id": challenge, "code": f"{(int(code) + 1) % 10**6:06d}"}
    for _ in range(5):
        refused = client.post("/v1/me/phone", json=wrong, headers=bearer(tokens))
        assert problem(refused) == (401, "one-time-code-invalid")
    right = wrong | {"code": code}
    refused = client.post("/v1/me/phone", json=right, headers=bearer(tokens))
    assert problem(refused) == (401, "one-time-code-invalid")
    shown = client.get("/v1/me", headers=bearer(tokens)).get_json()
    assert shown["phone"].endswith(old[-4:])
    assert session.scalar(select(func.count()).select_from(Tombstone)) == 0


def test_a_code_is_good_for_its_purpose_only_and_says_which(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    """Whoever is talked out of a code for signing in does not lose their number by it."""
    victim = a_number()
    theirs, tokens = sign_in(client, outbox, victim), sign_in(client, outbox, a_number())
    body = {"challenge_id": ask_for_code(client, victim)["challenge_id"]}
    body["code"] = outbox()[-1]["code"]
    taken = client.post("/v1/me/phone", json=body | {"merge": True}, headers=bearer(tokens))
    assert problem(taken) == (401, "one-time-code-invalid")
    assert len(set(session.scalars(select(Anchor.anchor)))) == 2
    assert client.post("/v1/auth/tokens", json=body).status_code == 201  # no try was used up

    body = {"challenge_id": ask_for_code(client, victim, "new-number")["challenge_id"]}
    assert "다른 계정" in outbox()[-1]["text"]
    assert len(outbox()[-1]["text"].encode("cp949")) <= 90  # one Korean text message
    body["code"] = outbox()[-1]["code"]
    assert problem(client.post("/v1/auth/tokens", json=body)) == (401, "one-time-code-invalid")
    assert renew(client, theirs).status_code == 201


def test_guesses_at_another_number_are_counted_for_who_makes_them(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    """Each holds all anchors still for a moment: nobody may do that all day."""
    tokens = sign_in(client, outbox, a_number())
    wrong = {"challenge_id": str(uuid.uuid4()), "code": "000000"}
    tried = [
        problem(client.post("/v1/me/phone", json=wrong, headers=bearer(tokens)))
        for _ in range(CHANGES.most + 1)
    ]
    assert tried[:-1] == [(401, "one-time-code-invalid")] * CHANGES.most
    assert tried[-1] == (429, "too-many-requests")
    assert change(client, outbox, tokens, a_number()).status_code == 429
    assert session.scalar(select(func.count()).select_from(Tombstone)) == 0


def test_a_number_with_an_account_of_its_own_stays_with_it(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    mine, theirs = a_number(), a_number()
    tokens, other = sign_in(client, outbox, mine), sign_in(client, outbox, theirs)
    refused = change(client, outbox, tokens, theirs)
    assert problem(refused) == (409, "number-in-use")
    assert "merge" in refused.get_json()["next_step"]
    assert session.scalar(select(func.count()).select_from(Anchor)) == 2
    assert my_id(client, sign_in(client, outbox, mine)) == my_id(client, tokens)
    assert my_id(client, tokens) != my_id(client, other)


def test_of_two_accounts_of_one_person_the_younger_takes_the_elders_anchor_from_then_on(
    world: World, session: Session, outbox: Outbox
) -> None:
    client = world.client
    elder, younger = a_number(), a_number()
    first, second = sign_in(client, outbox, elder), sign_in(client, outbox, younger)
    before = utc_now()
    answer = change(client, outbox, first, younger, merge=True)
    assert (answer.status_code, answer.get_json()["phone"][-4:]) == (200, elder[-4:])
    ids = [uuid.UUID(my_id(client, each)) for each in (first, second)]
    anchors = [
        [voter.anchor for id_ in ids if (voter := voter_of(session, id_, opened_at=at))]
        for at in (before, utc_now())
    ]
    assert len(set(anchors[0])) == 2
    assert len(set(anchors[1])) == 1
    assert anchors[1][0] == anchors[0][0]
    assert {each["to"] for each in outbox() if not each["code"]} == {elder, younger}


def test_the_answer_to_a_new_number_does_not_tell_whether_it_is_known(
    client: CheckedClient, outbox: Outbox
) -> None:
    known = a_number()
    tokens = sign_in(client, outbox, a_number())
    sign_in(client, outbox, known)
    wrong = []
    for number in (known, a_number()):
        challenge = ask_for_code(client, number, "new-number")["challenge_id"]
        body = {"challenge_id": challenge, "code": "000000"}
        answer = client.post("/v1/me/phone", json=body, headers=bearer(tokens))
        wrong.append(problem(answer))
    assert wrong == [(401, "one-time-code-invalid")] * 2


def test_one_number_proved_by_many_at_once_comes_into_one_account(
    world: World, session: Session
) -> None:
    number, people = a_number(), iter(world.citizens(8))
    desk = world.app.extensions["front_desk"]

    def take(session: Session) -> Citizen | None:
        mine = next(people).id
        challenge_id = a_challenge(world.app, session, number)
        code = NumberChange(challenge_id=challenge_id, code=CODE, merge=False)
        return change_number(
            session, desk=desk, citizen_id=mine, change=code, session_id=None,
            last_poll_ends=last_poll_ends, now=utc_now(),
        )  # fmt: skip

    results = race(world.engines["api"], 8, take)
    assert len([each for each in results if isinstance(each, Citizen)]) == 1
    holds = Citizen.phone_hash == desk.phones.hash_of(number)
    assert session.scalar(select(func.count()).where(holds)) == 1


def test_who_signs_in_and_who_changes_that_number_never_wait_for_each_other(world: World) -> None:
    """Both lock first the code, then the account; the other way round was a deadlock."""
    api, desk, me = world.engines["api"], world.app.extensions["front_desk"], world.citizen()
    with Session(api) as session, transaction(session):
        old = desk.phones.unseal(
            (mine := session.get_one(Citizen, me.id)).phone_sealed, phone_hash=mine.phone_hash
        )
        for_old, for_new = (a_challenge(world.app, session, each) for each in (old, NEW))
    code = NumberChange(challenge_id=for_new, code=CODE, merge=False)

    def leave() -> None:
        with Session(api) as session, transaction(session):
            change_number(session, desk=desk, citizen_id=me.id, change=code, session_id=None,
                          last_poll_ends=last_poll_ends, now=utc_now())  # fmt: skip

    leaving = Beside(leave)
    with Session(api) as session, transaction(session):
        typed = Typed(challenge_id=for_old, code=CODE, purpose="new-number")
        take_try(session, typed=typed, now=utc_now())
        leaving.__enter__()
        wait_until_blocked(world.admin_url, "DELETE FROM")
        assert register(session, number=old, phones=desk.phones) == me.id
    leaving.__exit__()
    assert leaving.error is None
    assert world.count("tombstone") == 0 == world.count("poll")
    held = world.rows("SELECT phone_hash FROM citizen WHERE id = %s", me.id)
    assert held != [(desk.phones.hash_of(old),)]
    assert world.rows("SELECT id FROM challenge WHERE id = %s", for_old) == []


def opens(world: World, draft: dict[str, Any], officer: Person) -> None:
    path = f"/v1/polls/{draft['id']}/open"
    assert world.app.test_client().post(path, headers=officer.headers).status_code == 200


def join_accounts(session: Session, *ids: uuid.UUID) -> None:
    hold_still(session)
    become_one(session, *(session.get_one(Citizen, id_) for id_ in ids))


def test_a_poll_that_opens_while_two_accounts_are_joined_takes_them_for_one(world: World) -> None:
    officer, elder, younger = world.officer(), world.citizen(), world.citizen()
    draft = world.draft(officer)
    opening = Beside(lambda: opens(world, draft, officer))
    with Session(world.engines["api"]) as session, transaction(session):
        join_accounts(session, elder.id, younger.id)
        opening.__enter__()
        wait_until_blocked(world.admin_url, "'anchors'")
    opening.__exit__()
    assert opening.error is None
    assert world.cast(draft, younger).status_code == 201
    assert problem(world.cast(draft, elder)) == (409, "already-voted")


def test_without_waiting_one_account_would_vote_before_and_after_it_is_joined(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: a poll that opens beside the change sees an account under two anchors."""
    monkeypatch.setattr("mvote.polls.opening.hold_still", lambda _: None)
    officer, elder, younger = world.officer(), world.citizen(), world.citizen()
    draft = world.draft(officer)
    with Session(world.engines["api"]) as session, transaction(session):
        join_accounts(session, elder.id, younger.id)
        opens(world, draft, officer)
        assert world.cast(draft, younger).status_code == 201
    assert world.cast(draft, younger).status_code == 201


@pytest.mark.parametrize("merge", ["yes", 1, None])
def test_merge_is_true_or_false(client: CheckedClient, app: Flask, merge: Any) -> None:
    body = {"challenge_id": str(uuid.uuid4()), "code": "123456", "merge": merge}
    token = app.extensions["tokens"].issue(uuid.uuid4(), now=utc_now())
    answer = client.post("/v1/me/phone", json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in (401, 422)


def test_a_code_of_nobodys_number_leaves_sessions_alone(
    client: CheckedClient, session: Session, outbox: Outbox
) -> None:
    tokens = sign_in(client, outbox, a_number())
    body = {"challenge_id": str(uuid.uuid4()), "code": "123456"}
    refused = client.post("/v1/me/phone", json=body, headers=bearer(tokens))
    assert problem(refused) == (401, "one-time-code-invalid")
    assert session.scalar(select(func.count()).select_from(SignIn)) == 1


def test_what_a_number_left_behind_in_polls_that_ended_does_not_come_back(
    world: World, session: Session, owner: Session
) -> None:
    """Nobody has swept it away yet when the number is given up again, in another poll's time."""
    number, phones = a_number(), world.app.extensions["phones"]
    bearer, gone = phones.hash_of(number), b"g" * 32
    ended = utc_now() - dt.timedelta(days=1)
    left = Tombstone(bearer_hash=bearer, since=ended, anchor=gone, until=ended)
    owner.add(left)
    owner.commit()
    holder = register(session, number=number, phones=phones)
    leave_behind(session, citizen_id=holder, bearer=bearer, until=utc_now() + dt.timedelta(days=1))
    session.commit()
    kept = session.scalars(select(Tombstone.anchor).where(Tombstone.bearer_hash == bearer)).all()
    assert kept == [phones.anchor_of(number)]
