"""Equal shares needs every ballot, and few ballots are never shown one by one: it is said so."""

from __future__ import annotations

from mvote.budget.deciding.allocating import TOO_FEW_SHOWN
from mvote.languages import said
from tests.support.deciding import Council
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.world import World


def test_with_few_ballots_equal_shares_is_refused_with_the_reason(world: World) -> None:
    year = Council(world, 2023, budget_limit=1_000_000_000)
    year.definition["headings"] = [{"key": "city", "limit": 1_000_000_000}]
    [contest] = year.definition["contests"]
    contest["allocation"] = {"rule": "equal_shares", "step": 1000, "ties": ["lower_cost", "lot"]}
    contest["sources"][0]["records"] = "full"
    projects = year.projects(6)
    poll = year.open(year.source)
    year.vote(poll, [projects[:5]] * 6, year.citizens(6))
    year.finish(poll)
    with no_trace(world):
        answer = year.allocate()
    assert refused(answer) == (422, "allocation-impossible")
    assert answer.get_json()["detail"] == said(TOO_FEW_SHOWN, "ko")
