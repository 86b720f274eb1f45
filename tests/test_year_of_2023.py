"""2023 from the first idea to what the plenary decides, on the numbers of that year."""

from __future__ import annotations

import random
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from mvote.budget.applying import PSEUDONYM_KEY, apply_for_seat
from mvote.budget.drawing.lots import commitment_to
from tests.support.applicants import RESERVES, SEATS
from tests.support.code import ROOT
from tests.support.committees import SECRET, SEED, VALUE, draw_by, let_days_pass
from tests.support.deciding import change
from tests.support.hostile import no_trace
from tests.support.plain_rules import counted
from tests.support.pool_of_2023 import BANDS, people_with_groups, targets
from tests.support.proposals import refused
from tests.support.seasons import Season
from tests.support.world import Person, World

PROPOSALS, FEASIBLE, PROJECTS, FIELDS, MARKS, VOTERS = 626, 36, 29, 6, 5, 50
SURE = range(PROPOSALS - FEASIBLE, PROPOSALS)
"""Which of the ideas are feasible."""
ON_BALLOT = SURE[:PROJECTS]
OUT = PROPOSALS - PROJECTS
TOGETHER = 18_300_000_000
NONE: dict[str, object] = {"organisations": [], "points": [], "text": None}
WHY = {"ko": "구가 먼저 짓기로 했습니다.", "en": "The district builds it before."}


def field(n: int) -> str:
    return f"s{n % FIELDS + 1}"


def drawn(year: Season, folder: Path) -> tuple[str, list[Person]]:
    """The committee of 120, drawn from 826 with 60 in reserve; a stranger gets the same."""
    path = f"cycles/{year.cycle['id']}/committees"
    formed = year.done(
        "POST", path, year.officer, status=201, name="시민참여예산위원회", kind="plenary",
        age_bands=BANDS, draw=draw_by(targets()),
    )  # fmt: skip
    committee = str(formed["id"])
    assert formed["draw"]["commitment"] == commitment_to(SECRET).hex()
    (first, groups), *others = people = people_with_groups(year.world)
    year.done("POST", f"committees/{committee}/applications", first, status=201, declared=groups)
    with year.session() as session:
        for person, groups in others:
            apply_for_seat(
                session, committee_id=uuid.UUID(committee), citizen_id=person.id,
                key=year.world.wiring.keystore.get(PSEUDONYM_KEY), declared=groups,
                interests=NONE, preferences=[],
            )  # fmt: skip
    let_days_pass(year.world, committee, 13)
    body = {"seed": SEED, "public_value": VALUE, "targets": targets()}
    shown = year.done("POST", f"committees/{committee}/draw", year.officer, status=201, **body)
    assert shown["draw"]["applicants"] == len(people)
    names = [each["pseudonym"] for each in (*shown["seats"], *shown["reserves"])]
    assert len(names) == SEATS + RESERVES
    assert repeated(year, shown["draw"]["files"], folder) == names
    chair = shown["seats"][0]["id"]
    year.done("PUT", f"committees/{committee}/chair", year.officer, seat_id=chair)
    return committee, sitting(year, committee)


def repeated(year: Season, files: list[str], folder: Path) -> list[str]:
    """What the published script draws from the published files."""
    for path in files:
        published = year.world.client.get(path).get_data()
        (folder / path.rpartition("/")[2]).write_bytes(published)
    script = ROOT / "docs" / "examples" / "repeat_draw.py"
    words = [sys.executable, str(script), str(folder)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


def sitting(year: Season, committee: str) -> list[Person]:
    """Who sits in it, by number."""
    rows = year.world.rows(
        "SELECT citizen_id FROM seat WHERE committee_id = %s ORDER BY number", uuid.UUID(committee)
    )
    return [year.world.person(citizen_id) for (citizen_id,) in rows]


def divided(year: Season, plenary: str) -> list[str]:
    """Six subcommittees of twenty each, the first of each in its chair."""
    path, bodies = f"cycles/{year.cycle['id']}/committees", []
    for n in range(FIELDS):
        body = {"name": f"{n + 1}분과", "kind": "subcommittee", "headings": [field(n)]}
        bodies.append(str(year.done("POST", path, year.officer, status=201, **body)["id"]))
    division = year.done("POST", f"committees/{plenary}/divisions", year.officer, status=201)
    assert len(division["members"]) == SEATS
    for each in bodies:
        seats = year.done("GET", f"committees/{each}", None)["seats"]
        assert len(seats) == SEATS // FIELDS
        year.done("PUT", f"committees/{each}/chair", year.officer, seat_id=seats[0]["id"])
    return bodies


def test_626_ideas_become_29_projects_that_citizens_rank_and_the_plenary_decides_on(
    world: World, tmp_path: Path
) -> None:
    chance = random.Random(2023)
    year = Season(world, 2023)
    costs = costs_of_all()
    year.propose([{"heading": field(n), "amount": costs[n]} for n in range(PROPOSALS)])
    plenary, members = drawn(year, tmp_path)
    bodies = divided(year, plenary)
    majority = members[: SEATS // 2 + 1]
    year.enter_by_officers("assessing")
    year.assess_all(costs, infeasible=set(range(PROPOSALS)) - set(SURE))
    judge_field_by_field(year, bodies, plenary, majority)

    year.enter_by_officers("balloting")
    poll = year.open("citizens")
    price = {each["key"]: each["amount"] for each in poll["question"]["options"]}
    assert (len(price), sum(price.values())) == (PROJECTS, TOGETHER)
    voters = year.citizens(VOTERS)
    with no_trace(world):
        four = world.cast(poll, voters[0], sorted(price)[: MARKS - 1])
    assert refused(four) == (422, "invalid-selection")
    ballots = {each: chance.sample(sorted(price), MARKS) for each in voters}
    year.cast_all(poll, ballots)
    year.finish(poll)

    votes = counted(ballots.values())
    order = sorted(price, key=lambda each: (-votes[each], price[each]))
    binding = year.allocated()["binding"]
    assert binding["order"] == order
    assert {each["decision"] for each in binding["projects"]} == {"ranked"}  # no binding limit
    confirm_but_for_the_fourth(year, majority, order, price)


def costs_of_all() -> list[int]:
    """The last of the 29 projects takes what the others leave of the 18.3 billion."""
    costs = [400_000_000 + 10**6 * n for n in range(PROPOSALS)]
    *others, last = ON_BALLOT
    for n, place in enumerate(others):
        costs[place] = 500_000_000 + 7_000_000 * n
    costs[last] = TOGETHER - sum(costs[each] for each in others)
    return costs


def judge_field_by_field(
    year: Season, bodies: Sequence[str], plenary: str, majority: Sequence[Person]
) -> None:
    """Each subcommittee by one list of what is feasible in its field; then the plenary."""
    year.enter_by_officers("reviewing")
    year.read_all()
    chosen = {year.ids[each] for each in ON_BALLOT}
    for n, body in enumerate(bodies):
        of_field = [year.ids[place] for place in SURE if field(place) == field(n)]
        ranked = [each for each in of_field if each in chosen]
        others = [each for each in of_field if each not in chosen]
        year.judge_list(body, sitting(year, body), ranked, others)
    year.judge_list(plenary, majority, sorted(chosen))
    year.let_appeals_lapse()
    assert year.count_states() == {"approved": PROJECTS, "rejected": OUT}


def confirm_but_for_the_fourth(
    year: Season, majority: Sequence[Person], order: Sequence[str], price: Mapping[str, int]
) -> None:
    """The plenary passes one over, which it may not do without a word."""
    fourth, reserve = order[3], order[20]
    taken = [change(each, "funded") for each in order[:20] if each != fourth]
    with no_trace(year.world):
        assert refused(year.lay(*taken)) == (422, "invalid-request")
    why = change(fourth, "not_funded", text=WHY)
    year.confirm(majority, *taken, why, change(reserve, "reserve"))
    states = year.count_states()
    assert (states["funded"], states["rejected"]) == (19, OUT)
    assert states["not_funded"] + states.get("reserve", 0) == PROJECTS - 19
    spent = sum(price[each["reference"]] for each in taken)
    assert year.sums()["funded"] == {"projects": 19, "amount": spent}
