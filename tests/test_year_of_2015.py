"""2015 from the first idea to the confirmed allocation, on the numbers of that year."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.balloting import field
from tests.support.deciding import change
from tests.support.hostile import no_trace
from tests.support.plain_rules import blended, counted, within
from tests.support.proposals import refused
from tests.support.seasons import Season
from tests.support.world import Person, World

PROPOSALS, UNLAWFUL, ON_BALLOT, FIELDS, MOST = 64, 4, 54, 8, 5
REJECTED = PROPOSALS - ON_BALLOT
MONEY = 37_500_000_000
BENCH, CITIZENS = 5, 60
WHY = {"ko": "같은 자리에 다른 공사가 있습니다.", "en": "Other works are planned there."}
Marks = list[str]


@dataclass(frozen=True)
class Paper:
    """What both polls ask of a voter: five projects at most, of as many fields."""

    price: dict[str, int]
    by_field: list[list[str]]

    @classmethod
    def of(cls, poll: Mapping[str, Any]) -> Paper:
        options = sorted(poll["question"]["options"], key=lambda each: str(each["key"]))
        return cls(
            price={each["key"]: each["amount"] for each in options},
            by_field=[
                [each["key"] for each in options if each["heading"] == field(n)]
                for n in range(FIELDS)
            ],
        )

    def marked(self, chance: random.Random) -> Marks:
        return [chance.choice(self.by_field[n]) for n in chance.sample(range(FIELDS), MOST)]


def test_54_projects_in_8_fields_are_decided_by_citizens_committee_and_survey(
    world: World,
) -> None:
    chance = random.Random(2015)
    year = Season(world, 2015)
    propose_and_assess(year, chance)
    members = year.citizens(BENCH * FIELDS)
    judge_field_by_field(year, members)
    surveyed = seal_the_survey(year, chance)
    year.enter_by_officers("balloting")
    citizens, committee = year.open("citizens"), year.open("committee")
    paper = Paper.of(citizens)
    assert sorted(paper.price) == sorted(surveyed)

    voters = year.citizens(CITIZENS)
    of_citizens = {each: paper.marked(chance) for each in voters}
    of_members = {each: paper.marked(chance) for each in members}
    check_wrong_marks_are_refused(world, paper, citizens, voters[0])
    # the committee's window is the last day
    check_nobody_votes_yet(world, committee, members[0], of_members[members[0]])
    check_nothing_is_told_of(year, citizens)
    year.cast_all(citizens, of_citizens)
    year.cast_all(committee, of_members)
    world.close(citizens)
    world.run_counter()
    check_nothing_is_told_of(year, citizens)
    year.finish(committee)

    first, second = counted(of_citizens.values()), counted(of_members.values())
    scores = blended([(45, first), (45, second), (10, surveyed)])
    order = sorted(
        paper.price,
        key=lambda each: (-scores[each], -first[each], -second[each], paper.price[each]),
    )
    funded = check_the_allocation(year, order, paper.price)
    confirm_all_but_the_last(year, members, [each for each in order if each in funded], paper.price)


def propose_and_assess(year: Season, chance: random.Random) -> None:
    costs = [300_000_000 + 1_000 * n + chance.randrange(0, 2_000) * 10**6 for n in range(PROPOSALS)]
    ideas = [{"heading": field(n), "amount": costs[n], "kind": "works"} for n in range(PROPOSALS)]
    year.propose(ideas)
    year.enter_by_officers("assessing")
    year.assess_all(costs, infeasible=range(UNLAWFUL))


def judge_field_by_field(year: Season, members: Sequence[Person]) -> None:
    """Each bench by one list, and one of them also what a member pulled out; then all together."""
    benches = [members[BENCH * n : BENCH * (n + 1)] for n in range(FIELDS)]
    plenary = year.body("plenary", members)
    bodies = [year.body("subcommittee", each, field(n)) for n, each in enumerate(benches)]
    year.enter_by_officers("reviewing")
    year.read_all()
    chosen: list[str] = []
    for n, (body, bench) in enumerate(zip(bodies, benches, strict=True)):
        of_field = year.ids[n:PROPOSALS:FIELDS][1 if n < UNLAWFUL else 0 :]
        most = 6 if n < UNLAWFUL - 2 else 7  # 6 of two fields: 54 together
        ranked, others = of_field[:most], of_field[most:]
        year.judge_list(body, bench, ranked, others, pull_out=ranked[0] if n == 0 else None)
        chosen += ranked
    assert len(chosen) == ON_BALLOT
    year.judge_each(chosen[:1], benches[0], no=())  # what was pulled out, by itself
    year.judge_list(plenary, members, chosen)
    year.let_appeals_lapse()
    assert year.count_states() == {"approved": ON_BALLOT, "rejected": REJECTED}


def seal_the_survey(year: Season, chance: random.Random) -> dict[str, int]:
    """How many of those who were asked want which project; sealed before anybody votes."""
    approved = [
        str(each) for each, state in year.of_each("reference, state") if state == "approved"
    ]
    surveyed = {each: chance.randrange(50, 600) for each in approved}
    year.seal(surveyed)
    return surveyed


def check_wrong_marks_are_refused(
    world: World, paper: Paper, poll: dict[str, Any], voter: Person
) -> None:
    """Two of one field; six in all."""
    with no_trace(world):
        twice = world.cast(poll, voter, paper.by_field[0][:2])
        six = world.cast(poll, voter, [each[0] for each in paper.by_field[: MOST + 1]])
    assert {refused(twice), refused(six)} == {(422, "invalid-selection")}


def check_nobody_votes_yet(world: World, poll: dict[str, Any], voter: Person, marks: Marks) -> None:
    with no_trace(world):
        early = world.cast(poll, voter, marks)
    assert refused(early) == (409, "poll-not-open")


def check_nothing_is_told_of(year: Season, poll: Mapping[str, Any]) -> None:
    told = year.call("GET", f"polls/{poll['id']}/results", None)
    assert refused(told) == (409, "results-not-available")


def check_the_allocation(year: Season, order: Sequence[str], price: Mapping[str, int]) -> set[str]:
    """The projects in this order, as long as there is money; those that are funded."""
    binding = year.allocated()["binding"]
    funded = within(order, price, MONEY)
    assert binding["order"] == order
    assert {each["reference"] for each in binding["funded"]} == funded
    assert binding["spent"] == sum(price[each] for each in funded) <= MONEY
    return funded


def confirm_all_but_the_last(
    year: Season, members: Sequence[Person], funded: Sequence[str], price: Mapping[str, int]
) -> None:
    """The plenary may decide otherwise, with a reason that is public."""
    last = funded[-1]
    with no_trace(year.world):
        without_reason = year.lay(change(last, "not_funded"))
        assert refused(without_reason) == (422, "invalid-request")
    year.confirm(members, change(last, "not_funded", text=WHY))
    states = Counter({"funded": len(funded) - 1, "reserve": ON_BALLOT - len(funded)})
    assert year.count_states() == {**states, "not_funded": 1, "rejected": REJECTED}
    assert year.sums()["funded"] == {
        "projects": len(funded) - 1, "amount": sum(price[each] for each in funded[:-1])
    }  # fmt: skip
