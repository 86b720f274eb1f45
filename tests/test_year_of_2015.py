"""2015 from the first idea to the confirmed allocation, on the numbers of that year."""

from __future__ import annotations

import random
from collections import Counter

from tests.support.balloting import field
from tests.support.deciding import change
from tests.support.hostile import no_trace
from tests.support.plain_rules import blended, counted, within
from tests.support.proposals import refused
from tests.support.seasons import Season
from tests.support.world import World

PROPOSALS, UNLAWFUL, ON_BALLOT, FIELDS, MOST = 64, 4, 54, 8, 5
MONEY = 37_500_000_000
BENCH, CITIZENS, SURVEYED = 5, 60, 1_000
WHY = {"ko": "같은 자리에 다른 공사가 있습니다.", "en": "Other works are planned there."}


def test_54_projects_in_8_fields_are_decided_by_citizens_committee_and_survey(
    world: World,
) -> None:
    chance = random.Random(2015)
    year = Season(world, 2015)
    costs = [300_000_000 + 1_000 * n + chance.randrange(0, 2_000) * 10**6 for n in range(PROPOSALS)]
    ideas = [{"heading": field(n), "amount": costs[n], "kind": "works"} for n in range(PROPOSALS)]
    year.propose(ideas)
    year.enter_by_officers("assessing")
    year.assess_all(costs, infeasible=range(UNLAWFUL))
    members = year.citizens(BENCH * FIELDS)
    benches = [members[BENCH * n : BENCH * (n + 1)] for n in range(FIELDS)]
    plenary = year.body("plenary", members)
    bodies = [year.body("subcommittee", each, field(n)) for n, each in enumerate(benches)]

    year.enter_by_officers("reviewing")
    year.read_all()
    chosen: list[str] = []
    for n, (body, bench) in enumerate(zip(bodies, benches, strict=True)):
        of_field = year.ids[n:PROPOSALS:FIELDS][1 if n < UNLAWFUL else 0 :]
        ranked, others = of_field[:7], of_field[7:]
        if n < UNLAWFUL - 2:  # 6 of two fields: 54 together
            ranked, others = of_field[:6], of_field[6:]
        year.judge_list(body, bench, ranked, others, pull_out=ranked[0] if n == 0 else None)
        chosen += ranked
    assert len(chosen) == ON_BALLOT
    year.judge_each(chosen[:1], benches[0], no=())  # what was pulled out, by itself
    year.judge_list(plenary, members, chosen)
    year.let_appeals_lapse()
    rejected = PROPOSALS - ON_BALLOT
    assert year.count_states() == {"approved": ON_BALLOT, "rejected": rejected}

    references = [
        str(each) for each, state in year.of_each("reference, state") if state == "approved"
    ]
    surveyed = {each: chance.randrange(50, 600) for each in references}
    year.seal(surveyed)
    year.enter_by_officers("balloting")
    citizens, committee = year.open("citizens"), year.open("committee")
    options = {each["key"]: each for each in citizens["question"]["options"]}
    assert sorted(options) == references
    by_field = [[each for each in references if options[each]["heading"] == field(n)]
                for n in range(FIELDS)]  # fmt: skip

    def marks() -> list[str]:
        return [chance.choice(by_field[n]) for n in chance.sample(range(FIELDS), MOST)]

    voters = year.citizens(CITIZENS)
    of_citizens = {each: marks() for each in voters}
    with no_trace(world):
        twice = world.cast(citizens, voters[0], by_field[0][:2])
        six = world.cast(citizens, voters[0], [each[0] for each in by_field[: MOST + 1]])
        early = world.cast(committee, members[0], marks())
        stranger = year.call("GET", f"polls/{citizens['id']}/results", None)
    assert {refused(twice), refused(six)} == {(422, "invalid-selection")}
    assert refused(early) == (409, "poll-not-open")  # the committee's window is the last day
    assert refused(stranger) == (409, "results-not-available")
    year.cast_all(citizens, of_citizens)
    of_members = {each: marks() for each in members}
    year.cast_all(committee, of_members)
    world.close(citizens)
    world.run_counter()
    assert refused(year.call("GET", f"polls/{citizens['id']}/results", None)) == (
        409, "results-not-available",
    )  # fmt: skip
    year.finish(committee)

    binding = year.allocated()["binding"]
    first, second = counted(of_citizens.values()), counted(of_members.values())
    scores = blended([(45, first), (45, second), (10, surveyed)])
    price = {each: options[each]["amount"] for each in references}
    order = sorted(
        references, key=lambda each: (-scores[each], -first[each], -second[each], price[each])
    )
    assert binding["order"] == order
    funded = within(order, price, MONEY)
    assert {each["reference"] for each in binding["funded"]} == funded
    assert binding["spent"] == sum(price[each] for each in funded) <= MONEY

    [last, *_] = [each for each in reversed(order) if each in funded]
    with no_trace(world):
        without_reason = year.lay(change(last, "not_funded"))
        assert refused(without_reason) == (422, "invalid-request")
    year.confirm(members, change(last, "not_funded", text=WHY))
    states = Counter({"funded": len(funded) - 1, "reserve": ON_BALLOT - len(funded)})
    assert year.count_states() == {**states, "not_funded": 1, "rejected": rejected}
    stages = year.sums()
    assert stages["funded"] == {
        "projects": len(funded) - 1, "amount": binding["spent"] - price[last]
    }  # fmt: skip
