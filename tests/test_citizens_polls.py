"""How many polls a citizen makes: a quota that no detour gets round."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.base import utc_now
from mvote.people.anchors import become_one, hold_still
from mvote.people.citizens import Citizen
from mvote.people.registering import register
from mvote.polls import quota
from mvote.polls.drafting import Author, draft_poll
from mvote.polls.errors import QuotaReached
from mvote.polls.opening import open_poll
from mvote.polls.poll import Poll
from mvote.polls.quota import MOST_DRAFTS, WEEK, check_opening
from tests.support.people import a_number
from tests.support.racing import meeting_of, race
from tests.support.world import Person, World

TITLE = {"title": "하나 더"}


@pytest.fixture
def per_week(world: World) -> int:
    return world.settings.citizen_polls_per_week


def refusal(world: World, author: Person) -> Any:
    """What the author is told of one draft too many; nothing is kept of it."""
    before = world.count("poll"), world.count("journal")
    answer = world.client.post("/v1/polls", json=TITLE, headers=author.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too-many-requests")
    assert (world.count("poll"), world.count("journal")) == before
    return answer


def let_pass(world: World, span: dt.timedelta, *columns: str) -> None:
    """Make everything of the polls so much older, past the guard."""
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for column in columns:
            connection.execute(f"UPDATE poll SET {column} = {column} - %s", [span])  # noqa: S608
        connection.execute("UPDATE allowance SET span_ends_at = span_ends_at - %s", [span])


def use_up(world: World, author: Person, times: int) -> list[dict[str, Any]]:
    return [world.draft(author) for _ in range(times)]


def with_number(world: World, number: str) -> Person:
    """Whoever has this number, with an account: made now, if there is none."""
    with Session(world.engines["api"]) as session, transaction(session):
        id_ = register(session, number=number, phones=world.app.extensions["phones"])
    return world.person(id_)


def cancel(world: World, author: Person, poll: dict[str, Any]) -> None:
    answer = world.client.post(f"/v1/polls/{poll['id']}/cancel", headers=author.headers)
    assert answer.status_code == 200


# what the refusal says


def test_the_refusal_says_when_the_next_is_possible_and_then_it_is(
    world: World, per_week: int
) -> None:
    author = world.citizen()
    use_up(world, author, per_week)
    let_pass(world, dt.timedelta(days=6), "created_at")
    asked = utc_now().replace(microsecond=0)
    answer = refusal(world, author)
    wait = dt.timedelta(seconds=int(answer.headers["Retry-After"]))
    assert dt.timedelta(hours=23) < wait <= dt.timedelta(days=1)
    next_at = dt.datetime.fromisoformat(answer.get_json()["next_at"])
    assert asked <= next_at - wait <= utc_now()
    assert "24시간" in answer.get_json()["detail"]
    let_pass(world, dt.timedelta(days=1), "created_at")
    world.draft(author)


def test_a_city_without_citizens_polls_refuses_the_first(world: World) -> None:
    with Session(world.engines["api"]) as session, pytest.raises(QuotaReached):
        quota.check_drafting(session, author_id=world.citizen().id, quota=0)


def test_who_may_have_many_accounts_opens_no_poll_with_any_of_them(world: World) -> None:
    confirmed = world.citizen()
    draft = world.draft(confirmed)
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("DELETE FROM anchor WHERE citizen_id = %s", (confirmed.id,))
    refused = world.client.post(f"/v1/polls/{draft['id']}/open", headers=confirmed.headers)
    assert (refused.status_code, refused.get_json()["rule"]) == (403, "confirmed")
    assert "열려면" in refused.get_json()["title"]
    assert refused.get_json()["next_step"]
    assert world.rows("SELECT state FROM poll") == [("draft",)]


# detours


def test_a_cancelled_draft_counts(world: World, per_week: int) -> None:
    author = world.citizen()
    for draft in use_up(world, author, per_week):
        cancel(world, author, draft)
    refusal(world, author)


def test_who_deletes_the_account_and_comes_back_goes_on_where_they_were(
    world: World, per_week: int
) -> None:
    number = a_number()
    author = with_number(world, number)
    use_up(world, author, per_week - 1)
    assert world.client.delete("/v1/me", headers=author.headers).status_code == 204
    again = with_number(world, number)
    assert again.id != author.id
    use_up(world, again, 1)
    refusal(world, again)


def test_a_new_number_is_no_new_quota(world: World, per_week: int) -> None:
    author = world.citizen()
    use_up(world, author, per_week)
    phones = world.app.extensions["phones"]
    with Session(world.engines["api"]) as session, transaction(session):
        citizen = session.get_one(Citizen, author.id)
        number = a_number()
        citizen.phone_hash, citizen.phone_sealed = phones.hash_of(number), phones.seal(number)
    refusal(world, author)


def test_two_accounts_that_vote_as_one_make_polls_as_one(world: World, per_week: int) -> None:
    one, other = world.citizens(2)
    use_up(world, one, per_week)
    world.draft(other)
    with Session(world.engines["api"]) as session, transaction(session):
        hold_still(session)
        become_one(session, session.get_one(Citizen, one.id), session.get_one(Citizen, other.id))
    refusal(world, other)
    refusal(world, one)


def test_who_opened_polls_deletes_the_account_and_comes_back_opens_no_more(
    world: World, per_week: int
) -> None:
    number = a_number()
    author = with_number(world, number)
    saved = use_up(world, author, per_week)
    let_pass(world, WEEK, "created_at")
    for draft in saved:
        assert opening(world, author, draft).status_code == 200
    assert world.client.delete("/v1/me", headers=author.headers).status_code == 204
    again = with_number(world, number)
    [draft] = use_up(world, again, 1)
    refused = opening(world, again, draft)
    assert (refused.status_code, refused.get_json()["code"]) == (429, "too-many-requests")
    assert world.rows("SELECT state FROM poll WHERE id = %s", draft["id"]) == [("draft",)]


def opening(world: World, author: Person, draft: dict[str, Any]) -> Any:
    return world.client.post(f"/v1/polls/{draft['id']}/open", headers=author.headers)


def test_drafts_saved_up_over_weeks_are_not_opened_all_at_once(world: World, per_week: int) -> None:
    author = world.citizen()
    saved: list[dict[str, Any]] = []
    while len(saved) <= per_week:
        saved += use_up(world, author, per_week)
        let_pass(world, WEEK, "created_at")
    for draft in saved[:per_week]:
        answer = world.client.post(f"/v1/polls/{draft['id']}/open", headers=author.headers)
        assert answer.status_code == 200
    late = f"/v1/polls/{saved[per_week]['id']}"
    answer = world.client.post(f"{late}/open", headers=author.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too-many-requests")
    assert int(answer.headers["Retry-After"]) > 6 * 24 * 3600
    assert world.client.get(late, headers=author.headers).get_json()["status"] == "draft"
    let_pass(world, WEEK, "created_at", "frozen_at")
    assert world.client.post(f"{late}/open", headers=author.headers).status_code == 200


def test_no_more_drafts_lie_there_than_a_person_can_look_after(world: World, per_week: int) -> None:
    author, drafts = world.citizen(), list[dict[str, Any]]()
    while len(drafts) < MOST_DRAFTS:
        drafts += use_up(world, author, min(per_week, MOST_DRAFTS - len(drafts)))
        let_pass(world, WEEK, "created_at")
    answer = world.client.post("/v1/polls", json=TITLE, headers=author.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "too-many-drafts")
    assert (answer.get_json()["most"], world.count("poll")) == (MOST_DRAFTS, MOST_DRAFTS)
    cancel(world, author, drafts[0])
    world.draft(author)


# at the same moment


def drafted(world: World, author_id: uuid.UUID, per_week: int) -> Any:
    def act(session: Session) -> uuid.UUID:
        return draft_poll(
            session,
            author=Author(citizen_id=author_id),
            content={"title": {"ko": "하나 더"}},
            opens_at=None,
            closes_at=None,
            places=world.wiring.places,
            quota=per_week,
        ).id

    return act


def made_by(world: World, author: Person) -> int:
    with Session(world.engines["api"]) as session:
        mine = select(func.count()).select_from(Poll).where(Poll.author_id == author.id)
        return session.scalars(mine).one()


def test_drafts_at_once_are_no_more_than_the_quota(world: World, per_week: int) -> None:
    author = world.citizen()
    race(world.engines["api"], 12, drafted(world, author.id, per_week))
    assert made_by(world, author) == per_week


def without_turns(monkeypatch: pytest.MonkeyPatch, contenders: int) -> None:
    """The sabotage: nobody takes turns, and all have looked before any of them writes."""
    together = meeting_of(contenders)
    check = quota._check

    def looked(*args: Any) -> None:
        together.wait()
        check(*args)

    monkeypatch.setattr(quota, "_ALONE", text("SELECT CAST(:person AS text)"))
    monkeypatch.setattr(quota, "_check", looked)
    monkeypatch.setattr(quota, "_check_those_before", lambda *_: None)


def test_without_taking_turns_they_would_be_more(
    world: World, per_week: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = world.citizen()
    without_turns(monkeypatch, 12)
    race(world.engines["api"], 12, drafted(world, author.id, per_week))
    assert made_by(world, author) > per_week


def saved_up(world: World, author: Person, per_week: int) -> list[uuid.UUID]:
    saved: list[uuid.UUID] = []
    while len(saved) <= per_week:
        saved += [uuid.UUID(each["id"]) for each in use_up(world, author, per_week)]
        let_pass(world, WEEK, "created_at")
    return saved


def opened(world: World, drafts: list[uuid.UUID], per_week: int) -> Any:
    left = iter(drafts)

    def act(session: Session) -> None:
        poll = session.get_one(Poll, next(left), with_for_update=True)
        check_opening(session, poll=poll, quota=per_week)
        around = world.wiring.around
        with world.app.app_context():
            open_poll(session, poll=poll, actor_id=poll.author_id, around=around)

    return act


def test_openings_at_once_are_no_more_than_the_quota(world: World, per_week: int) -> None:
    author = world.citizen()
    drafts = saved_up(world, author, per_week)
    race(world.engines["api"], len(drafts), opened(world, drafts, per_week))
    assert len(world.rows("SELECT 1 FROM poll WHERE state = 'open'")) == per_week


def test_without_taking_turns_more_would_be_opened(
    world: World, per_week: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = world.citizen()
    drafts = saved_up(world, author, per_week)
    without_turns(monkeypatch, len(drafts))
    race(world.engines["api"], len(drafts), opened(world, drafts, per_week))
    assert len(world.rows("SELECT 1 FROM poll WHERE state = 'open'")) > per_week
