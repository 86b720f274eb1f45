"""What is done to a poll beside its plan: each act with its notice, and nothing it must not do."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest

from mvote.base import utc_now
from tests.support.governing import REASON, both, call, notices, spoil, status
from tests.support.world import CITY_HALL, World, new_key, position

CIRCLE = {"rule": "area", "area": {"center": CITY_HALL, "radius_m": 900}}


def counted_against_its_accounting(world: World) -> dict[str, Any]:
    """A poll of three ballots of which one envelope was deleted while it was open."""
    poll = world.open_poll(publish_from=2)
    for voter, choice in zip(world.citizens(3), ("yes", "no", "yes"), strict=True):
        assert world.cast(poll, voter, [choice]).status_code == 201
    spoil(world, "DELETE FROM envelope WHERE id = (SELECT id FROM envelope LIMIT 1)")
    world.finish(poll)
    return poll


# closing early


def test_two_officers_close_a_poll_before_its_time_and_its_ballots_count(world: World) -> None:
    poll, [voter, late] = world.open_poll(publish_from=2, presence=CIRCLE), world.citizens(2)
    here = position(**CITY_HALL)
    assert world.cast(poll, voter, position=here).status_code == 201
    assert both(world, poll, "close").get_json()["status"] == "closing"
    refused = world.cast(poll, late, position=here)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "poll-not-open")
    world.run_shuffler()
    world.run_counter()
    assert status(world, poll) == "published"
    assert world.rows("SELECT entries FROM result") == [(1,)]


def test_a_poll_closed_early_is_found_nearby_no_more(world: World) -> None:
    poll = world.open_poll(presence=CIRCLE)
    both(world, poll, "close")
    assert world.rows("SELECT live FROM poll_place") == [(False,)]


def test_a_citizen_closes_a_poll_of_their_own_alone(world: World) -> None:
    author = world.citizen()
    poll = world.open_poll(author)
    assert call(world, poll, "close", author).get_json()["status"] == "closing"
    [notice] = notices(world, poll)
    assert (notice["kind"], notice["content"]["by"]) == ("early-close", "author")
    assert world.count("approval") == 0


def test_an_author_alone_does_not_close_a_governments_poll(world: World) -> None:
    author = world.officer()
    poll = world.open_poll(author)
    assert call(world, poll, "close", author).status_code == 202
    assert (status(world, poll), world.count("notice")) == ("open", 0)


def test_no_other_citizen_closes_a_poll(world: World) -> None:
    author = world.citizen()
    poll = world.open_poll(author)
    for stranger in (world.citizen(), world.administrator()):
        refused = call(world, poll, "close", stranger)
        assert (refused.status_code, refused.get_json()["code"]) == (403, "not-allowed")
    assert (status(world, poll), world.count("approval")) == ("open", 0)


@pytest.mark.parametrize("verb", ["extend", "void"])
def test_the_author_of_a_citizens_poll_does_nothing_else_to_it(world: World, verb: str) -> None:
    author = world.citizen()
    poll = world.open_poll(author)
    body = {"closes_at": "2099-01-01T00:00:00Z"} if verb == "extend" else REASON
    refused = call(world, poll, verb, author, **body)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "not-allowed")
    assert (status(world, poll), world.count("notice")) == ("open", 0)


def test_the_database_does_not_take_a_strangers_word_for_the_authors(world: World) -> None:
    poll, stranger = world.open_poll(world.citizen()), world.citizen()
    with (
        psycopg.connect(world.settings.api_url.replace("+psycopg", "")) as connection,
        pytest.raises(psycopg.errors.RestrictViolation, match="no such request waits"),
    ):
        connection.execute("SELECT close_poll_early(%s, NULL, %s)", [poll["id"], stranger.id])
    assert status(world, poll) == "open"


# voiding


def poll_that_is(world: World, when: str) -> dict[str, Any]:
    """A poll in that status, with a ballot of one voter where voting has begun."""
    if when == "counted":
        return counted_against_its_accounting(world)
    if when == "scheduled":
        return world.open_poll(opens_at=(utc_now() + dt.timedelta(minutes=30)).isoformat())
    poll = world.open_poll(publish_from=2)
    assert world.cast(poll, world.citizen()).status_code == 201
    if when != "open":
        world.end_voting(poll)
    if when in ("closed", "published"):
        world.run_shuffler()
    if when == "published":
        world.run_counter()
    assert status(world, poll) == when
    return poll


@pytest.mark.parametrize("when", ["scheduled", "open", "closing", "closed", "counted"])
def test_a_poll_is_voided_in_every_status_before_publication(world: World, when: str) -> None:
    poll = poll_that_is(world, when)
    assert both(world, poll, "void", **REASON).get_json()["status"] == "voided"
    refused = world.cast(poll, world.citizen())
    assert (refused.status_code, refused.get_json()["code"]) == (409, "poll-not-open")
    for path in ("results", "records", "turnout"):
        hidden = world.client.get(f"/v1/polls/{poll['id']}/{path}")
        assert (hidden.status_code, hidden.get_json()["code"]) == (409, "results-not-available")
    world.run_shuffler()
    world.run_counter()
    assert status(world, poll) == "voided"
    assert world.rows("SELECT closed_at IS NOT NULL FROM poll") == [(True,)]


def test_the_notice_of_a_voiding_says_why_and_from_which_state(world: World) -> None:
    poll = poll_that_is(world, "closed")
    both(world, poll, "void", **REASON)
    [notice] = notices(world, poll)
    assert (notice["kind"], notice["text"]) == ("voiding", REASON["text"])
    assert notice["content"]["state_before"] == "closed"


def test_a_published_poll_is_not_voided(world: World) -> None:
    poll = poll_that_is(world, "published")
    refused = call(world, poll, "void", world.officer(), **REASON)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "impossible-transition")
    assert refused.get_json()["state"] == "published"
    assert (world.count("approval"), world.count("notice")) == (0, 0)


def test_the_receipt_of_a_ballot_in_a_poll_that_was_voided_is_given_again(world: World) -> None:
    poll, voter, key = world.open_poll(), world.citizen(), new_key()
    first = world.cast(poll, voter, key=key)
    both(world, poll, "void", **REASON)
    again = world.cast(poll, voter, key=key)
    assert (first.status_code, first.get_data()) == (again.status_code, again.get_data())


# publishing against the accounting


def test_a_count_that_does_not_add_up_is_not_published_and_the_exact_figures_are_shown(
    world: World,
) -> None:
    poll = counted_against_its_accounting(world)
    answer = world.client.get(f"/v1/polls/{poll['id']}/results")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "results-not-available")
    assert answer.get_json()["accounting"] == {
        "participations": 3, "entries": 2, "records": 2, "quarantined": 0, "unopenable": 0,
        "recounted": True, "log_agrees": True, "accounting_holds": False,
        "roll": None,
    }  # fmt: skip
    assert "votes" not in answer.get_data(as_text=True)


def test_two_officers_publish_against_the_accounting_with_the_figures_shown(world: World) -> None:
    poll = counted_against_its_accounting(world)
    assert both(world, poll, "publish").get_json()["status"] == "published"
    result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    figures = result["accounting"]
    assert (figures["participations"], figures["entries"]) == (3, 2)
    assert figures["accounting_holds"] is False
    assert sum(option["votes"] for option in result["options"]) == 2
    [notice] = notices(world, poll)
    said = {name: figure for name, figure in figures.items() if figure is not None}
    assert (notice["kind"], notice["content"]["accounting"]) == ("publication", said)


def test_the_csv_of_a_result_against_its_accounting_says_so_too(world: World) -> None:
    poll = counted_against_its_accounting(world)
    both(world, poll, "publish")
    shown = world.client.get(f"/v1/polls/{poll['id']}/results", headers={"Accept": "text/csv"})
    assert "(participations),,,3," in shown.get_data(as_text=True)
    assert "(accounting_holds),,,False," in shown.get_data(as_text=True)


def test_a_result_whose_accounting_holds_says_so_as_well(world: World) -> None:
    poll = poll_that_is(world, "published")
    result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    assert result["accounting"]["accounting_holds"] is True


@pytest.mark.parametrize("when", ["open", "closed", "published"])
def test_nothing_is_published_by_officers_but_a_count_that_does_not_add_up(
    world: World, when: str
) -> None:
    poll = poll_that_is(world, when)
    refused = call(world, poll, "publish", world.officer())
    assert (refused.status_code, refused.get_json()["code"]) == (409, "impossible-transition")
    assert (status(world, poll), world.count("approval")) == (when, 0)


def test_a_count_that_does_not_add_up_is_voided_instead(world: World) -> None:
    poll = counted_against_its_accounting(world)
    both(world, poll, "void", **REASON)
    hidden = world.client.get(f"/v1/polls/{poll['id']}/results")
    assert hidden.status_code == 409
    assert call(world, poll, "publish", world.officer()).status_code == 409
