"""Live results: interim figures where the definition says so, a new one with a new batch only."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mvote.polls.cautions import cautions_of
from tests.support.operations import operations_of
from tests.support.world import World

K = 50
ENOUGH = 2 * K
"""So many envelopes wait when a batch is taken; K of them stay."""


def _live_poll(world: World, **content: Any) -> dict[str, Any]:
    return world.open_poll(results="live", **content)


def _cast_many(world: World, poll: Mapping[str, Any], ballots: int) -> None:
    """One ballot in three for the first option."""
    for place, voter in enumerate(world.citizens(ballots)):
        answer = world.cast(poll, voter, ["no" if place % 3 else "yes"])
        assert answer.status_code == 201


def _work(world: World) -> None:
    world.run_shuffler()
    world.run_counter()


def _results(world: World, poll: Mapping[str, Any], **headers: str) -> Any:
    return world.client.get(f"/v1/polls/{poll['id']}/results", headers=headers)


def _votes(result: Mapping[str, Any]) -> dict[str, int]:
    return {option["key"]: option["votes"] for option in result["options"]}


def test_a_live_figure_changes_with_a_shuffled_batch_only(world: World) -> None:
    poll = _live_poll(world)
    _cast_many(world, poll, ENOUGH - 1)
    _work(world)
    before = _results(world, poll)
    assert before.status_code == 200
    empty = before.get_json()
    assert (empty["live"], empty["as_of"], empty["too_few"], empty["options"]) == (
        True,
        0,
        True,
        [],
    )
    assert (empty["statement"], empty["published_at"]) == (None, None)
    _cast_many(world, poll, 1)
    assert _results(world, poll).get_data() == before.get_data()
    _work(world)
    first = _results(world, poll)
    shown = first.get_json()
    assert (shown["as_of"], shown["turnout"]) == (1 + K, {"ballots": K, "blank": 0})
    assert sum(_votes(shown).values()) == K
    _cast_many(world, poll, K - 1)
    _work(world)
    assert _results(world, poll).get_data() == first.get_data()
    _cast_many(world, poll, 1)
    _work(world)
    second = _results(world, poll).get_json()
    assert (second["as_of"], second["turnout"]["ballots"]) == (1 + 2 * K, 2 * K)
    assert all(_votes(second)[key] >= votes for key, votes in _votes(shown).items())


def test_at_the_end_the_result_is_final_and_holds_every_ballot(world: World) -> None:
    poll = _live_poll(world)
    _cast_many(world, poll, ENOUGH)
    _work(world)
    live = _votes(_results(world, poll).get_json())
    world.finish(poll)
    final = _results(world, poll).get_json()
    assert (final["live"], final["as_of"], final["turnout"]["ballots"]) == (False, None, ENOUGH)
    assert all(_votes(final)[key] >= votes for key, votes in live.items())
    with Session(world.engines["api"]) as session:
        assert session.execute(text("SELECT * FROM live_result")).all() == []


def test_between_closing_and_publication_nothing_is_shown(world: World) -> None:
    poll = _live_poll(world)
    _cast_many(world, poll, ENOUGH)
    _work(world)
    world.close(poll)
    assert _results(world, poll).get_json()["code"] == "results-not-available"


def test_fewer_live_ballots_than_publish_from_show_their_number_only(world: World) -> None:
    poll = _live_poll(world, publish_from=K + 1)
    _cast_many(world, poll, ENOUGH)
    _work(world)
    shown = _results(world, poll).get_json()
    assert (shown["too_few"], shown["options"], shown["turnout"]) == (True, [], {"ballots": K})
    with Session(world.engines["api"]) as session:  # nor does the login see them
        found = session.execute(text("SELECT ballots, blank, totals FROM live_result")).all()
    assert found == [(K, None, None)]


def test_no_record_is_shown_while_a_poll_is_open(world: World) -> None:
    poll = _live_poll(world, records="full")
    _cast_many(world, poll, ENOUGH)
    _work(world)
    answer = world.client.get(f"/v1/polls/{poll['id']}/records")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "results-not-available")
    assert world.count("record") == 0


def test_live_results_as_csv_say_up_to_where_was_counted(world: World) -> None:
    poll = _live_poll(world)
    _cast_many(world, poll, ENOUGH)
    _work(world)
    answer = _results(world, poll, Accept="text/csv")
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[-1] == ["(live_as_of)", "", "", str(1 + K), ""]


def test_a_ballot_that_does_not_open_is_left_out_of_the_live_figure(world: World) -> None:
    poll = _live_poll(world)
    _cast_many(world, poll, ENOUGH)
    world.run_shuffler()
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE box SET sealed = '\\x00' WHERE idx = 1")
    world.run_counter()
    assert _results(world, poll).get_json()["turnout"]["ballots"] == K - 1


def test_voters_are_told_beforehand_what_figures_can_give_away(world: World) -> None:
    poll = _live_poll(world)
    definition = world.client.get(f"/v1/polls/{poll['id']}/definition").get_json()
    codes = [caution["code"] for caution in poll["cautions"]]
    assert codes == ["live-results", "full-records", "few-ballots"]
    assert definition["cautions"] == poll["cautions"]
    assert all(set(caution["text"]) == {"ko", "en"} for caution in poll["cautions"])
    quiet = cautions_of(results="after_close", records="totals", publish_from=12)
    assert [caution["code"] for caution in quiet] == ["few-ballots"]
    assert "12" in quiet[0]["text"]["ko"]
    assert "12" in quiet[0]["text"]["en"]


# every other poll, on every route and to every role


def _routes_with_totals(world: World, poll: Mapping[str, Any]) -> set[str]:
    """The routes to read, of all there are, that show somebody a total of the poll."""
    people = (world.citizen(), world.officer(), world.administrator())
    reading = [each for each in operations_of(world.app) if each.method == "GET"]
    assert len([each for each in reading if "poll_id" in each.template]) > 6
    found = set()
    for operation in reading:
        for headers in ({}, *(person.headers for person in people)):
            answer = operation.call(world.client, headers, poll_id=poll["id"])
            shown = answer.get_data(as_text=True)
            if '"votes"' in shown or '"totals":' in shown:
                found.add(str(operation))
    return found


def test_a_poll_without_live_results_shows_no_total_on_any_route_to_anyone(world: World) -> None:
    poll = world.open_poll()
    _cast_many(world, poll, ENOUGH)
    _work(world)
    assert world.count("box") == K  # there was something to count
    assert _routes_with_totals(world, poll) == set()
    world.close(poll)
    assert _routes_with_totals(world, poll) == set()
    assert world.count("live_count") == world.count("result") == world.count("record") == 0


def test_a_total_that_is_shown_would_be_found(world: World) -> None:
    poll = _live_poll(world)
    _cast_many(world, poll, ENOUGH)
    _work(world)
    assert _routes_with_totals(world, poll) == {"GET /v1/polls/<uuid:poll_id>/results"}


TOTALS = (
    "live_count", "live_result", "result", "record", "published_result", "published_record",
    "turnout_cell", "published_turnout",
)  # fmt: skip


@pytest.mark.parametrize("login", ["api", "shuffler", "counter", "auditor"])
@pytest.mark.parametrize("table", TOTALS)
def test_no_login_finds_a_total_of_a_poll_that_is_open(
    world: World, engines: dict[str, Engine], login: str, table: str
) -> None:
    poll = world.open_poll()
    world.cast(poll, world.citizen())
    world.run_counter()
    with Session(engines[login]) as session:
        allowed = session.execute(text(f"SELECT has_table_privilege('{table}', 'SELECT')")).scalar()
        found = session.execute(text(f"SELECT * FROM {table}")).all() if allowed else []  # noqa: S608
    assert found == []


# what the database takes as a live figure

FIGURE = "INSERT INTO live_count VALUES (:poll_id, :size, :ballots, 0, '{1,0}')"


def _put_figure(world: World, poll: Mapping[str, Any], size: int, ballots: int = 1) -> None:
    bound = {"poll_id": uuid.UUID(poll["id"]), "size": size, "ballots": ballots}
    with Session(world.engines["counter"]) as session:
        session.execute(text(FIGURE), bound)


def test_the_counter_itself_cannot_count_a_poll_live_that_did_not_say_so(world: World) -> None:
    quiet, live = world.open_poll(), _live_poll(world)
    for poll in (quiet, live):
        _cast_many(world, poll, ENOUGH)
    world.run_shuffler()
    with pytest.raises(IntegrityError, match="only a poll with live results"):
        _put_figure(world, quiet, 1 + K)
    _put_figure(world, live, 1 + K)


def test_a_live_figure_is_of_whole_batches(world: World) -> None:
    poll = _live_poll(world)
    _cast_many(world, poll, ENOUGH)
    world.run_shuffler()
    with pytest.raises(IntegrityError, match="whole batches"):
        _put_figure(world, poll, K)


def test_a_live_figure_never_goes_back(world: World) -> None:
    poll = _live_poll(world)
    _cast_many(world, poll, ENOUGH)
    _work(world)
    with (
        Session(world.engines["counter"]) as session,
        pytest.raises(IntegrityError, match="only goes on"),
    ):
        session.execute(text("UPDATE live_count SET totals = '{50,0}'"))
