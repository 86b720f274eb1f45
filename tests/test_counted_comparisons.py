"""Comparisons that need ballots nobody gets to see: promised before, the outcome alone after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session

from mvote.budget.allocating.allocation import allocate
from mvote.budget.allocating.model import Contest, Project, Rule, Source, Tally
from tests.support.balloting import field
from tests.support.budgets import definition_of
from tests.support.deciding import Council
from tests.support.governing import twin
from tests.support.world import World

MILLION = 10**6
MARKED = [*[(0,)] * 31, *[(1, 2)] * 20, *[(2,)] * 3, *[(1,)] * 2]
"""By votes the first project alone is funded; by shares, which the ballots decide, the others."""
PRICES = (60 * MILLION, 12 * MILLION, 12 * MILLION)


class Compared(Council):
    """Citizens choose among three projects; 60 million won are there."""

    def __init__(self, world: World, *, asked: Sequence[str] = ("equal_shares",)) -> None:
        [contest] = definition_of(2015)["contests"]
        citizens = {"key": "citizens", "kind": "poll", "records": "totals"}
        contest |= {
            "sources": [citizens],
            "allocation": {"rule": "greedy", "ties": ["lot"], "compare": ["no_skip", *asked]},
        }
        super().__init__(world, 2015, contests=[contest], budget_limit=110 * MILLION)
        city, local = self.definition["headings"][:2]
        city["limit"], local["limit"] = 60 * MILLION, 50 * MILLION
        self.names = self.projects(3, heading=field, amount=lambda n: PRICES[n])
        self.poll = self.open("citizens")

    def voted(self, marked: Sequence[Sequence[int]] = MARKED) -> Compared:
        ballots = [[self.names[n] for n in marks] for marks in marked]
        self.vote(self.poll, ballots, self.citizens(len(ballots)))
        self.finish(self.poll)
        return self

    def compared(self, rule: str = "equal_shares") -> dict[str, Any]:
        [found] = [each for each in self.allocation()["comparisons"] if each["rule"] == rule]
        return dict(found)


def by_equal_shares(names: Sequence[str]) -> list[str]:
    """What the rule gives on these ballots, worked out here from all of them."""
    votes = {name: sum(n in marks for marks in MARKED) for n, name in enumerate(names)}
    approvals = {tuple(names[n] for n in marks): MARKED.count(marks) for marks in {*MARKED}}
    projects = tuple(Project(name, price) for name, price in zip(names, PRICES, strict=True))
    sources = (Source("citizens", Tally(votes, len(MARKED))),)
    rule = Rule("equal_shares")
    made = Contest(projects, sources, 60 * MILLION, rule, approvals=approvals)
    return [each.reference for each in allocate(made).funded]


def test_the_counter_works_out_what_equal_shares_would_have_given(world: World) -> None:
    year = Compared(world).voted()
    found = year.allocated()
    assert [each["reference"] for each in found["binding"]["funded"]] == year.names[:1]
    [before] = [each for each in found["comparisons"] if each["rule"] == "equal_shares"]
    assert (before["funded"], before["recountable"]) == (None, False)
    assert "counter" in before["reason"]
    world.run_counter()
    after = year.compared()
    assert sorted(each["reference"] for each in after["funded"]) == year.names[1:]
    assert [each["reference"] for each in after["funded"]] == by_equal_shares(year.names)
    assert (after["spent"], after["recountable"]) == (24 * MILLION, False)
    assert year.compared("no_skip")["recountable"] is True


def test_nothing_but_its_outcome_leaves_the_counter(world: World) -> None:
    year = Compared(world).voted()
    year.allocated()
    world.run_counter()
    answer = world.client.get(f"/v1/polls/{year.poll['id']}/records")
    assert answer.get_json()["items"] == []
    [(kept,)] = world.rows("SELECT document FROM counted_comparison")
    assert kept.keys() == {"rule", "recountable", "funded", "spent"}
    assert {name for each in kept["funded"] for name in each} == {"reference", "amount", "votes"}


def test_voters_are_shown_before_what_the_counter_will_work_out(world: World) -> None:
    year = Compared(world, asked=["equal_shares/add1", "greedy"])
    content = world.client.get(f"/v1/polls/{year.poll['id']}/definition").get_json()
    assert content["question"]["comparisons"] == ["equal_shares/add1"]


def test_what_was_not_promised_before_is_never_worked_out(world: World) -> None:
    year = Compared(world, asked=[]).voted()
    year.allocated()
    assert world.count("counted_comparison") == 0
    wanted = (
        "INSERT INTO counted_comparison (cycle_id, contest, n, name, poll_id)"
        " SELECT cycle_id, contest, n, 'equal_shares', %(poll)s FROM cycle_allocation"
    )
    given = "SELECT records_to_compare(%(poll)s)"
    for login, statement in (("api", wanted), ("counter", wanted), ("api", given)):
        with (
            world.engines[login].connect() as connection,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            connection.exec_driver_sql(statement, {"poll": year.poll["id"]})
    with world.engines["counter"].connect() as connection:
        assert connection.exec_driver_sql(given, {"poll": year.poll["id"]}).all() == []


def test_of_few_ballots_not_even_the_outcome_is_worked_out(world: World) -> None:
    year = Compared(world).voted(MARKED[-49:])
    year.allocated()
    world.run_counter()
    found = year.compared()
    assert (found["funded"], found["recountable"]) == (None, False)
    assert "fewer than 50" in found["reason"]


def test_without_the_least_number_a_few_would_be_told_of(world: World, owner: Session) -> None:
    """The sabotaged twin: the database gives the counter whatever there is."""
    year = Compared(world).voted(MARKED[-49:])
    year.allocated()
    with twin(owner, "records_to_compare", "greatest(50", "greatest(1"):
        world.run_counter()
    assert year.compared()["funded"] is not None


def test_it_is_found_once_and_never_changes(world: World) -> None:
    year = Compared(world).voted()
    year.allocated()
    world.run_counter()
    with (
        Session(world.engines["counter"]) as session,
        pytest.raises(DBAPIError, match="written once"),
    ):
        session.execute(text("UPDATE counted_comparison SET document = document"))
    with world.engines["counter"].connect() as connection:
        given = connection.exec_driver_sql(
            "SELECT records_to_compare(%(poll)s)", {"poll": year.poll["id"]}
        )
        assert given.all() == []  # the box stays shut once it is found


def test_a_project_that_is_struck_is_left_out_of_the_comparison_beside_the_next_allocation(
    world: World,
) -> None:
    year = Compared(world).voted()
    year.allocated()
    year.strike(year.names[2])
    assert year.allocated()["n"] == 1
    world.run_counter()
    assert [each["reference"] for each in year.compared()["funded"]] == [year.names[1]]
    with psycopg.connect(world.admin_url) as connection:
        names = connection.execute("SELECT n, name FROM counted_comparison ORDER BY n").fetchall()
    assert names == [(0, "equal_shares"), (1, "equal_shares")]
