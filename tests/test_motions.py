"""The plenary confirms an allocation by recorded vote, and says in public where it deviates."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from psycopg.errors import Error as DatabaseError
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from api.budget.recusals import AROUND
from api.db import transaction
from mvote.budget.deciding.confirming import judge_motion
from mvote.budget.deciding.motion import Motion
from mvote.errors import DomainError
from mvote.people.citizens import Citizen
from tests.support.deciding import WHY, Council, change, held
from tests.support.governing import twin
from tests.support.hostile import no_trace
from tests.support.proposals import as_owner, refused
from tests.support.racing import race
from tests.support.waiting import wait_until_blocked
from tests.support.world import World


@pytest.fixture
def year(world: World) -> Council:
    """An allocation that is to be confirmed by a plenary of five."""
    council = held(world)
    council.allocated()
    return council


def test_who_voted_how_is_public_once_the_chair_has_judged(year: Council) -> None:
    motion = year.laid()
    chair, *others = year.members
    for member, vote in zip(year.members, ("yes", "no", "yes", "abstain"), strict=False):
        answer = year.say(motion, member, vote)
        assert (answer.status_code, answer.get_json()["votes"]) == (200, None)
    assert year.say(motion, others[0], "yes").status_code == 200  # another opinion, before the end
    judged = year.judge(motion, chair).get_json()
    assert judged["state"] == "carried"
    assert [judged[each] for each in ("entitled", "yes", "no", "abstain")] == [5, 3, 0, 1]
    taken = year.world.client.get("/v1/me/export", headers=others[0].headers).get_json()
    assert [(each["motion_id"], each["vote"]) for each in taken["motion_votes"]] == [
        (motion, "yes")
    ]
    recorded = {each["pseudonym"]: each["vote"] for each in judged["votes"]}
    assert recorded == {"p1": "yes", "p2": "yes", "p3": "yes", "p4": "abstain"}
    [listed] = year.of_cycle("GET", "motions").get_json()["items"]
    assert listed == judged


def test_without_a_quorum_nothing_is_judged_and_the_motion_stays_open(
    world: World, year: Council
) -> None:
    motion = year.laid()
    for member in year.members[:2]:
        year.say(motion, member)
    year.enter("delivering")
    with no_trace(world):
        assert refused(year.judge(motion)) == (409, "phase-not-open")
    year.enter("deciding")
    with no_trace(world):
        answer = year.judge(motion)
    assert refused(answer) == (409, "quorum-not-reached")
    facts = answer.get_json()
    assert (facts["entitled"], facts["present"], facts["needed"]) == (5, 2, 3)


def test_a_motion_that_finds_no_majority_is_lost_and_another_may_be_laid(year: Council) -> None:
    motion = year.laid()
    for n, member in enumerate(year.members):
        year.say(motion, member, "yes" if n < 2 else "no")
    assert year.judge(motion).get_json()["state"] == "lost"
    assert year.states() == {"on_ballot"}
    assert year.allocation()["decisions"] is None
    year.carried()
    assert year.states() == {"funded", "reserve"}


def test_a_deviation_stands_in_public_with_its_reason(year: Council) -> None:
    first, second, third, fourth, fifth = year.references
    year.carried(
        change(second, "not_funded", text=WHY), change(fourth, "funded", text=WHY),
        change(first, "funded", amount=35, text=WHY),
    )  # fmt: skip
    decided = {each["reference"]: each for each in year.allocation()["decisions"]}
    assert {n: (each["decision"], each["amount"]) for n, each in decided.items()} == {
        first: ("funded", 35), second: ("not_funded", 0), third: ("reserve", 0),
        fourth: ("funded", 20), fifth: ("funded", 10),
    }  # fmt: skip
    assert {n for n, each in decided.items() if each["deviates"]} == {first, second, fourth}
    assert decided[fourth]["text"] == WHY
    assert {n: year.state_of(n) for n in year.references} == {
        n: each["state"] for n, each in decided.items()
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([{"decision": "not_funded"}], "deviation-without-reason"),
        ([{"reference": "2024-9999", "decision": "funded"}], "project-unknown"),
        ([{"reference": "2024-0003", "decision": "funded", "text": WHY}], "limit-overspent"),
        ([{"decision": "funded", "amount": 41, "text": WHY}], "more-than-it-costs"),
    ],
    ids=["no reason", "unknown", "too dear", "more than it costs"],
)
def test_a_motion_that_cannot_be_is_refused_with_what_is_wrong(
    world: World, year: Council, changes: list[dict[str, Any]], code: str
) -> None:
    named = [{"reference": year.references[0]} | each for each in changes]
    with no_trace(world):
        answer = year.lay(*named)
    assert refused(answer) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["code"] == code


def test_a_motion_is_laid_once_by_the_department_and_judged_by_the_chair(
    world: World, year: Council
) -> None:
    with no_trace(world):
        assert refused(year.lay(who=year.second)) == (403, "not-allowed")
    motion = year.laid()
    stranger = world.citizen()
    with no_trace(world):
        assert refused(year.lay()) == (409, "motion-pending")
        assert refused(year.allocate()) == (409, "motion-pending")
        assert refused(year.say(motion, stranger)) == (403, "not-allowed")
        assert refused(year.judge(motion, year.members[1])) == (403, "not-allowed")
        assert refused(year.judge(str(uuid.uuid4()))) == (404, "not-found")
    withdrawn = year.call("POST", f"motions/{motion}/withdraw", year.officer)
    assert withdrawn.get_json()["state"] == "withdrawn"
    for late in (year.say(motion, year.members[0]), year.judge(motion)):
        assert refused(late) == (409, "impossible-transition")
    year.carried()
    with no_trace(world):
        assert refused(year.lay()) == (409, "motion-pending")


def test_without_a_body_that_decides_nothing_is_laid(world: World, year: Council) -> None:
    with as_owner(world) as connection:
        connection.execute("RESET ROLE")
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE committee SET kind = 'appeals'")
    with no_trace(world):
        answer = year.lay()
    assert (refused(answer), answer.get_json()["body"]) == ((409, "no-deciding-body"), "plenary")


def recuse(year: Council, reference: str, member: Any) -> None:
    with as_owner(year.world) as connection:
        connection.execute("RESET ROLE")
        connection.execute(
            "INSERT INTO recusal (proposal_id, seat_id, ground, how, at)"
            " SELECT %s, id, 'household', 'declared', now() FROM seat WHERE citizen_id = %s",
            [year.proposal_id(reference), member.id],
        )


def test_whoever_is_recused_from_a_project_that_is_changed_is_in_no_quorum(
    world: World, year: Council
) -> None:
    """A vote from before the recusal was found does not count either."""
    _, second, *_ = year.references
    recused = year.members[4]
    recuse(year, second, recused)
    plain = year.laid()
    assert year.say(plain, recused).status_code == 200  # it changes nothing of that project
    year.call("POST", f"motions/{plain}/withdraw", year.officer)
    motion = year.laid(change(second, "not_funded", text=WHY))
    with no_trace(world):
        assert refused(year.say(motion, recused)) == (403, "recused")
    year.say(motion, year.members[3])
    recuse(year, second, year.members[3])
    for member in year.members[:3]:
        year.say(motion, member)
    answer = year.judge(motion)
    assert refused(answer) == (409, "quorum-not-reached")
    [body] = answer.get_json()["bodies"]  # of five two are out: no quorum is possible
    assert (body["filled"], len(body["recused"]), body["missing"]) == (5, 2, 2)


def judged_by_chair(year: Council, motion: str) -> Any:
    def act(session: Session) -> Motion:
        chair = session.get_one(Citizen, year.members[0].id)
        return judge_motion(session, motion_id=uuid.UUID(motion), by=chair, around=AROUND)

    return act


def test_a_motion_that_is_judged_twice_at_once_decides_once(world: World, year: Council) -> None:
    motion = year.laid()
    for member in year.members:
        year.say(motion, member)
    done = race(world.engines["api"], 3, judged_by_chair(year, motion))
    assert sum(isinstance(each, DomainError) for each in done) == 2
    assert world.count("project_decision") == 5


def test_a_vote_that_comes_while_the_motion_is_judged_is_refused_not_lost(
    world: World, year: Council
) -> None:
    motion = year.laid()
    for member in year.members:
        year.say(motion, member)
    assert refused(while_judged(world, year, motion)) == (409, "impossible-transition")
    assert world.rows("SELECT count(*) FROM motion_vote WHERE vote = 'no'") == [(0,)]


def while_judged(world: World, year: Council, motion: str, *, waits: bool = True) -> TestResponse:
    """The answer to a vote that is sent while the chair's transaction is under way."""
    answers: list[TestResponse] = []
    voting = threading.Thread(
        target=lambda: answers.append(year.say(motion, year.members[1], "no"))
    )
    with Session(world.engines["api"]) as session, transaction(session):
        judged_by_chair(year, motion)(session)
        session.flush()
        voting.start()
        if waits:
            wait_until_blocked(world.admin_url, "INSERT INTO motion_vote")
        else:
            voting.join()
    voting.join()
    return answers[0]


def test_a_twin_that_does_not_hold_the_motion_takes_a_vote_that_nobody_counts(
    world: World, year: Council, owner: Session
) -> None:
    motion = year.laid()
    for member in year.members:
        year.say(motion, member)
    with twin(
        owner, "motion_vote_guard", "WHERE id = NEW.motion_id FOR SHARE", "WHERE id = NEW.motion_id"
    ):
        assert while_judged(world, year, motion, waits=False).status_code == 200
    [(counted, cast)] = world.rows(
        "SELECT yes, (SELECT count(*) FROM motion_vote WHERE vote = 'yes') FROM motion"
    )
    assert (counted, cast) == (5, 4)


AGAINST_THE_RULES = {
    "changed": "UPDATE motion SET changes = '[]'",
    "votes nobody cast": "UPDATE motion SET state = 'carried', judged_by = laid_by,"
    " judged_at = now(), entitled = 5, yes = 5, no = 0, abstain = 0",
    "deleted": "DELETE FROM motion",
    "not carried": "INSERT INTO project_decision SELECT p.id, m.id, 1, 'funded', 5, false, NULL"
    " FROM proposal p, motion m LIMIT 1",
    "funded by nobody": "UPDATE proposal SET state = 'funded'",
    "unsaid": "DELETE FROM motion_vote",
    "without a vote": "INSERT INTO motion_vote SELECT m.id, s.id, 'yes', now()"
    " FROM motion m, seat s WHERE NOT s.has_vote",
}


@pytest.mark.parametrize("statement", AGAINST_THE_RULES.values(), ids=AGAINST_THE_RULES)
def test_the_database_keeps_the_rules_of_motions_for_its_owner_too(
    world: World, year: Council, statement: str
) -> None:
    motion = year.laid(change(year.references[1], "not_funded", text=WHY))
    year.say(motion, year.members[0])
    with as_owner(world) as connection:
        connection.execute("RESET ROLE")
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE seat SET has_vote = false WHERE citizen_id = %s", [year.members[4].id]
        )
    with as_owner(world) as connection, pytest.raises(DatabaseError):
        connection.execute(statement.encode())
    with Session(world.engines["api"]) as session:
        assert session.scalars(text("SELECT state FROM motion")).all() == ["open"]
