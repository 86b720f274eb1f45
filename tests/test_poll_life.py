"""The life of a poll: drafted, opened, frozen; every pair of states, in program and database."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from itertools import product
from typing import Any, get_args

import psycopg
import pytest
from psycopg.errors import Error as DatabaseError

from mvote.base import utc_now
from mvote.errors import ImpossibleTransition
from mvote.polls.poll import STATES, TRANSITIONS, State, Verb, after
from tests.support.world import GWANGHWAMUN, World, question


def _in(**ahead: float) -> str:
    return (utc_now() + dt.timedelta(**ahead)).isoformat()


@pytest.mark.parametrize(("state", "verb"), list(product(STATES, get_args(Verb))))
def test_a_verb_leads_where_the_table_says_or_is_refused_with_state_and_verb(
    state: State, verb: Verb
) -> None:
    if (state, verb) in TRANSITIONS:
        assert after(state, verb) == TRANSITIONS[state, verb]
    else:
        with pytest.raises(ImpossibleTransition) as refusal:
            after(state, verb)
        assert refusal.value.facts == {"state": state, "verb": verb}


def test_the_database_allows_exactly_the_transitions_of_the_table(world: World) -> None:
    poll = world.open_poll(opens_at=_in(minutes=30))
    allowed = set()
    for old, new in product(STATES, STATES):
        if old != new and _database_lets(world, poll["id"], old, new):
            allowed.add((old, new))
    assert allowed == {(old, new) for (old, _), new in TRANSITIONS.items()}


TIME_OF: dict[State, str] = {
    "closing": "closed_at", "counted": "counted_at", "published": "published_at",
    "cancelled": "cancelled_at",
}  # fmt: skip


def _database_lets(world: World, poll_id: str, old: State, new: State) -> bool:
    """Whether the owner may move a poll from *old* to *new*, with the time that belongs to it."""
    times = (
        "closed_at = CASE WHEN %(s)s::text IN ('closing', 'closed', 'counted', 'published')"
        " THEN now() END, published_at = CASE WHEN %(s)s::text = 'published' THEN now() END,"
        " cancelled_at = CASE WHEN %(s)s::text = 'cancelled' THEN now() END"
    )
    put = f"UPDATE poll SET state = %(s)s::text, {times} WHERE id = %(id)s"  # noqa: S608
    time = f", {TIME_OF[new]} = now()" if new in TIME_OF else ""
    move = f"UPDATE poll SET state = %(s)s::text{time} WHERE id = %(id)s"  # noqa: S608
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(put, {"s": old, "id": poll_id})
        connection.execute("SET session_replication_role = origin")
        connection.execute("SET ROLE mvote_owner")
        try:
            connection.execute(move, {"s": new, "id": poll_id})
        except DatabaseError:
            return False
        return True


def test_a_poll_opens_at_once_if_its_opening_time_is_missing_or_past(world: World) -> None:
    assert world.open_poll()["status"] == "open"
    past = world.open_poll(opens_at=_in(hours=-2))
    assert past["status"] == "open"
    assert past["opens_at"] > _in(minutes=-5)


def test_a_poll_that_opens_later_is_scheduled_and_takes_no_ballot_yet(world: World) -> None:
    poll = world.open_poll(opens_at=_in(minutes=30))
    assert poll["status"] == "scheduled"
    early = world.cast(poll, world.citizen())
    assert (early.status_code, early.get_json()["code"]) == (409, "poll-not-open")
    assert world.count("participation") == 0


def test_opening_names_everything_that_hinders_it_at_once(world: World) -> None:
    officer = world.officer()
    one = {"text": "?", "options": [{"key": "a", "title": "가"}], "max_selections": 1}
    draft = world.draft(
        officer,
        question=one,
        closes_at=None,
        eligibility={"areas": ["99999"]},
        presence={"rule": "area"},
    )
    answer = world.client.post(f"/v1/polls/{draft['id']}/open", headers=officer.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not-ready-to-open")
    codes = {hindrance["code"] for hindrance in answer.get_json()["hindrances"]}
    assert codes == {"no-closing-time", "too-few-options", "unknown-area", "no-area"}
    assert world.count("poll_definition") == 0
    assert (
        world.client.get(f"/v1/polls/{draft['id']}", headers=officer.headers).get_json()["status"]
        == "draft"
    )


@pytest.mark.parametrize(
    ("times", "code"),
    [
        ({"closes_at": _in(days=367)}, "period-too-long"),
        ({"opens_at": _in(days=400), "closes_at": _in(days=401)}, "opens-too-late"),
    ],
)
def test_a_poll_runs_for_a_year_at_most_and_soon(
    world: World, times: dict[str, str], code: str
) -> None:
    officer = world.officer()
    draft = world.draft(officer, **times)
    answer = world.client.post(f"/v1/polls/{draft['id']}/open", headers=officer.headers)
    assert [h["code"] for h in answer.get_json()["hindrances"]] == [code]


def test_the_definition_states_what_decides_even_where_the_author_left_it_out(
    world: World,
) -> None:
    circle = {"rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 900}}
    poll = world.open_poll(presence=circle | {"max_accuracy_m": 37})
    stated = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    assert stated["presence"]["area"]["max_accuracy_m"] == 37
    assert stated["publish_from"] == 5


@pytest.mark.parametrize("lookalike", ["ＹＥＳ", "Yes ", "yes", "ΥЕЅ", "Y E S"])
def test_options_that_read_the_same_hinder_opening(world: World, lookalike: str) -> None:
    officer = world.officer()
    options = [{"key": "a", "title": "YES"}, {"key": "b", "title": lookalike}]
    draft = world.draft(officer, question={"text": "?", "options": options})
    answer = world.client.post(f"/v1/polls/{draft['id']}/open", headers=officer.headers)
    assert [h["code"] for h in answer.get_json()["hindrances"]] == ["options-look-alike"]


def test_a_narrow_area_opens_with_a_warning(world: World) -> None:
    narrow = {"rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 50}}
    poll = world.open_poll(presence=narrow)
    assert poll["status"] == "open"
    assert [warning["code"] for warning in poll["warnings"]] == ["narrow-area"]


def test_the_served_definition_is_byte_for_byte_what_was_hashed(world: World) -> None:
    poll = world.open_poll()
    served = world.client.get(f"/v1/polls/{poll['id']}/definition").get_data()
    assert hashlib.sha256(served).hexdigest() == poll["definition_hash"]


def test_a_frozen_poll_does_not_change_whoever_asks(world: World) -> None:
    officer = world.officer()
    poll = world.open_poll(officer)
    tag = world.client.get(f"/v1/polls/{poll['id']}", headers=officer.headers).headers["ETag"]
    answer = world.client.patch(
        f"/v1/polls/{poll['id']}",
        json={"title": "다른 제목"},
        headers=officer.headers | {"If-Match": tag},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (409, "impossible-transition")
    for change in (
        "UPDATE poll SET content = '{}'",
        "UPDATE poll SET closes_at = closes_at + interval '1 day'",
        "UPDATE poll_definition SET hash = sha256('x'), canonical = 'x'",
        "DELETE FROM poll_definition",
    ):
        with (
            psycopg.connect(world.admin_url, autocommit=True) as connection,
            pytest.raises(DatabaseError, match=r"does not change|insert-only"),
        ):
            connection.execute(change.encode())


def test_the_area_of_a_frozen_poll_does_not_change(world: World) -> None:
    world.open_poll(presence={"rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 900}})
    with (
        psycopg.connect(world.admin_url, autocommit=True) as connection,
        pytest.raises(DatabaseError, match="does not change"),
    ):
        connection.execute("UPDATE geofence SET radius_m = 5000")


def test_opening_twice_is_refused_and_the_first_definition_stays(world: World) -> None:
    officer = world.officer()
    poll = world.open_poll(officer)
    again = world.client.post(f"/v1/polls/{poll['id']}/open", headers=officer.headers)
    assert (again.status_code, again.get_json()["code"]) == (409, "impossible-transition")
    assert world.count("poll_definition") == 1


def test_each_poll_gets_a_sealing_key_of_its_own(world: World) -> None:
    officer = world.officer()
    polls = [world.open_poll(officer) for _ in range(3)]
    keys = {
        world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()["sealing_key"]
        for poll in polls
    }
    assert len(keys) == 3
    taken = world.rows("SELECT public_key FROM sealing_key WHERE poll_id IS NOT NULL")
    assert {bytes(key).hex() for (key,) in taken} == keys


def test_without_a_sealing_key_in_stock_the_poll_does_not_open(world: World) -> None:
    officer = world.officer()
    draft = world.draft(officer)
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("DELETE FROM sealing_key")
    answer = world.client.post(f"/v1/polls/{draft['id']}/open", headers=officer.headers)
    assert [h["code"] for h in answer.get_json()["hindrances"]] == ["no-sealing-key"]


def test_a_draft_or_a_scheduled_poll_is_cancelled_and_an_open_one_is_not(world: World) -> None:
    officer = world.officer()
    draft = world.draft(officer)
    scheduled = world.open_poll(officer, opens_at=_in(minutes=30))
    opened = world.open_poll(officer)
    for poll, status in ((draft, 200), (scheduled, 200), (opened, 409)):
        answer = world.client.post(f"/v1/polls/{poll['id']}/cancel", headers=officer.headers)
        assert answer.status_code == status
    late = world.cast(scheduled, world.citizen())
    assert late.get_json()["code"] == "poll-not-open"
    shown = world.client.get(f"/v1/polls/{scheduled['id']}").get_json()
    assert shown["status"] == "cancelled"


def test_a_citizen_makes_no_more_polls_in_a_week_than_the_quota(world: World) -> None:
    citizen = world.citizen()
    quota = world.settings.citizen_polls_per_week
    for _ in range(quota):
        world.draft(citizen)
    answer = world.client.post("/v1/polls", json={"title": "하나 더"}, headers=citizen.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too-many-requests")
    assert int(answer.headers["Retry-After"]) > 6 * 24 * 3600
    assert world.count("poll") == quota


def test_an_officers_poll_is_the_governments_and_has_no_quota(world: World) -> None:
    officer = world.officer()
    polls = [world.draft(officer) for _ in range(world.settings.citizen_polls_per_week + 1)]
    assert {poll["origin"] for poll in polls} == {"government"}
    assert world.draft(world.citizen())["origin"] == "citizen"


def test_a_draft_changes_only_for_who_has_read_its_latest_version(world: World) -> None:
    officer = world.officer()
    draft = world.draft(officer)
    path = f"/v1/polls/{draft['id']}"
    tag = world.client.get(path, headers=officer.headers).headers["ETag"]
    change: dict[str, Any] = {"title": {"ko": "새 제목"}, "question": question("a", "b")}
    assert world.client.patch(path, json=change, headers=officer.headers).status_code == 428
    matching = officer.headers | {"If-Match": tag}
    changed = world.client.patch(path, json=change, headers=matching)
    assert changed.get_json()["title"] == {"ko": "새 제목"}
    assert changed.headers["ETag"] != tag
    stale = world.client.patch(path, json={"title": "x"}, headers=matching)
    assert (stale.status_code, stale.get_json()["code"]) == (412, "stale-version")


def test_lists_hold_frozen_polls_only_newest_first_and_narrow_by_status_origin_and_words(
    world: World,
) -> None:
    officer = world.officer()
    world.draft(officer)
    trees = world.open_poll(officer, title={"ko": "가로수", "en": "Street trees"})
    benches = world.open_poll(world.citizen(), title="벤치")
    later = world.open_poll(officer, title="나중", opens_at=_in(minutes=30))

    def listed(query: str) -> list[str]:
        items = world.client.get(f"/v1/polls{query}").get_json()["items"]
        return [item["id"] for item in items]

    assert listed("") == [later["id"], benches["id"], trees["id"]]
    assert listed("?status=scheduled") == [later["id"]]
    assert listed("?origin=citizen") == [benches["id"]]
    assert listed("?q=street%20TREES") == [trees["id"]]
    assert listed("?q=%25") == []
    assert listed("?area=11110") == []


def test_a_list_is_read_page_by_page_without_gap_or_repetition(world: World) -> None:
    officer = world.officer()
    made = [world.open_poll(officer)["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = "?limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = world.client.get(f"/v1/polls{query}").get_json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]
    assert uuid.UUID(seen[0])
