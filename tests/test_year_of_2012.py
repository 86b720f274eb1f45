"""2012 from the first idea to the confirmed allocation, on the numbers of that year."""

from __future__ import annotations

import random

from tests.support.hostile import no_trace
from tests.support.plain_rules import counted, within
from tests.support.seasons import Season
from tests.support.world import World

BILLION = 10**9
PROPOSALS, UNLAWFUL, ON_BALLOT, MEMBERS, MARKS = 402, 157, 240, 250, 72
MONEY = 50 * BILLION
BENCH, QUORUM = 5, 3
"""Who sits in the subcommittee, and how many of them vote on each project."""


def test_402_ideas_become_240_projects_on_which_250_members_spend_50_billion(world: World) -> None:
    chance = random.Random(2012)
    year = Season(world, 2012)
    costs = [50_000_000 + 1_000 * n + chance.randrange(0, 800_000) * 1_000 for n in range(402)]
    year.propose([{"heading": "city", "kind": "project", "amount": each} for each in costs])
    year.enter_by_officers("assessing")
    unlawful = set(chance.sample(range(PROPOSALS), UNLAWFUL))
    year.assess_all(costs, infeasible=unlawful)
    assert year.count_states() == {"assessed": PROPOSALS - UNLAWFUL, "rejected": UNLAWFUL}

    members = year.citizens(MEMBERS)
    plenary = year.body("plenary", members)
    year.body("subcommittee", members[:BENCH])
    year.enter_by_officers("reviewing")
    year.read_all()
    left = [year.ids[n] for n in range(PROPOSALS) if n not in unlawful]
    refused = set(left[::49])
    assert len(left) - len(refused) == ON_BALLOT
    year.judge_each(left, members[:QUORUM], no=refused)
    chosen = [each for each in left if each not in refused]
    year.judge_list(plenary, members[: MEMBERS // 2 + 1], chosen)
    assert year.count_states() == {"approved": ON_BALLOT, "rejected": UNLAWFUL + len(refused)}

    year.let_appeals_lapse()
    year.enter_by_officers("balloting")
    poll = year.open("committee")
    references = [each["key"] for each in poll["question"]["options"]]
    assert len(references) == ON_BALLOT
    ballots = {each: chance.sample(references, MARKS) for each in members}
    with no_trace(world):
        wrong = world.cast(poll, members[0], references[: MARKS - 1])
        assert (wrong.status_code, wrong.get_json()["code"]) == (422, "invalid-selection")
    year.cast_all(poll, ballots)
    year.finish(poll)

    binding = year.allocated()["binding"]
    price = {each["reference"]: each["amount"] for each in poll["question"]["options"]}
    votes = counted(ballots.values())
    order = sorted(references, key=lambda each: (-votes[each], price[each]))
    funded = within(order, price, MONEY)
    assert binding["order"] == order
    assert {each["reference"] for each in binding["funded"]} == funded
    assert binding["spent"] == sum(price[each] for each in funded) <= MONEY

    year.confirm(members[: MEMBERS // 2 + 1])
    assert year.count_states() == {
        "funded": len(funded), "reserve": ON_BALLOT - len(funded),
        "rejected": PROPOSALS - ON_BALLOT,
    }  # fmt: skip
    stages = year.sums()
    assert stages["proposed"]["projects"] == PROPOSALS
    assert stages["funded"] == {"projects": len(funded), "amount": binding["spent"]}
