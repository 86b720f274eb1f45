"""The council's amounts, by two officers; what is dropped lets the reserve list move up."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from psycopg.errors import Error as DatabaseError
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.db import transaction
from mvote.budget.deciding.enacting import enact
from mvote.errors import DomainError
from mvote.people.citizens import Citizen
from tests.support.deciding import WHY, Council, change, decided, held
from tests.support.governing import twin
from tests.support.hostile import no_trace
from tests.support.proposals import as_owner, refused
from tests.support.racing import race
from tests.support.waiting import wait_until_blocked
from tests.support.world import World


@pytest.fixture
def year(world: World) -> Council:
    """Of 80, 40 + 30 + 10 are funded; projects of 50 and of 20 are in reserve."""
    return decided(world)


def states(year: Council) -> list[str]:
    return [year.state_of(each) for each in year.references]


def test_the_whole_amount_enacts_less_reduces_and_nothing_drops_a_project(
    world: World, year: Council
) -> None:
    first, second, _, _, fifth = year.references
    whole = year.enact(first, 40)
    assert (whole["state"], whole["moved_up"], whole["text"]) == ("enacted", [], None)
    assert year.enact(fifth, 4, text=WHY)["state"] == "reduced"
    dropped = year.enact(second, 0, text=WHY)
    assert (dropped["state"], dropped["funded_amount"], dropped["text"]) == ("dropped", 30, WHY)
    shown = year.call("GET", f"proposals/{year.proposal_id(second)}/enactment", None)
    assert shown.get_json() == dropped
    notices = world.client.get(f"/v1/cycles/{year.cycle['id']}").get_json()["notices"]
    assert [each["kind"] for each in notices] == ["enacted", "reduced", "dropped"]
    assert notices[1]["facts"] == {"reference": fifth, "amount": 4, "amount_before": 10}
    assert notices[1]["text"] == WHY


def test_a_dropped_project_lets_the_reserve_list_move_up_in_its_order_if_it_fits(
    year: Council,
) -> None:
    first, second, third, fourth, fifth = year.references
    assert year.enact(second, 0, text=WHY)["moved_up"] == [fourth]  # 50 do not fit into 30
    assert states(year) == ["funded", "dropped", "reserve", "funded", "funded"]
    decided = {each["reference"]: each for each in year.allocation()["decisions"]}
    assert (decided[fourth]["decision"], decided[fourth]["moved_up_with"]) == ("reserve", 20)
    assert year.enact(first, 0, text=WHY)["moved_up"] == [third]  # 10 were left, and 40 are freed
    assert year.enact(third, 50)["state"] == "enacted"
    assert year.enact(fourth, 0, text=WHY)["moved_up"] == []
    assert year.enact(fifth, 10)["state"] == "enacted"


def test_what_the_council_cuts_from_a_project_is_not_given_to_others(year: Council) -> None:
    assert year.enact(year.references[0], 10, text=WHY)["moved_up"] == []
    assert states(year).count("funded") == 2


def test_without_a_limit_the_reserves_share_what_was_freed(world: World) -> None:
    year = held(world, limit=None)
    year.allocated()
    first, second, third, fourth, _ = year.references
    year.carried(change(first, "funded"), change(second, "funded"))
    assert year.enact(second, 0, text=WHY)["moved_up"] == [fourth, year.references[4]]
    assert year.state_of(third) == "reserve"


def test_one_officer_alone_enacts_nothing_and_two_must_mean_the_same(year: Council) -> None:
    first = year.references[0]
    for _ in range(2):
        assert year.try_enact(first, 40).status_code == 202
    assert year.try_enact(first, 39, year.second, text=WHY).status_code == 202
    assert year.state_of(first) == "funded"


@pytest.mark.parametrize(
    ("amount", "more", "pointer"),
    [(41, {}, "/amount"), (39, {}, "/text"), (0, {}, "/text"), (-1, {}, "/amount")],
    ids=["more than funded", "less without a reason", "nothing without a reason", "below 0"],
)
def test_an_amount_that_cannot_be_is_refused(
    world: World, year: Council, amount: int, more: dict[str, Any], pointer: str
) -> None:
    with no_trace(world):
        answer = year.try_enact(year.references[0], amount, **more)
    assert refused(answer) == (422, "invalid-request")
    assert answer.get_json()["errors"][0]["pointer"] == pointer


def test_only_what_is_funded_is_enacted_and_only_by_officers(world: World, year: Council) -> None:
    first, _, third, *_ = year.references
    stranger = world.citizen()
    with no_trace(world):
        assert refused(year.try_enact(third, 5)) == (409, "impossible-transition")
        assert refused(year.try_enact(first, 40, stranger)) == (403, "not-allowed")
        shown = year.call("GET", f"proposals/{year.proposal_id(first)}/enactment", None)
        assert refused(shown) == (404, "not-found")
    year.enact(first, 40)
    with no_trace(world):
        assert refused(year.try_enact(first, 40)) == (409, "impossible-transition")


def test_it_is_enacted_while_the_city_decides_or_delivers(world: World, year: Council) -> None:
    first, second, *_ = year.references
    year.enter("balloting")
    with no_trace(world):
        assert refused(year.try_enact(first, 40)) == (409, "phase-not-open")
    year.enter("delivering")
    assert year.enact(first, 40)["state"] == "enacted"
    assert year.enact(second, 0, text=WHY)["state"] == "dropped"


def granting(year: Council, reference: str) -> Any:
    """What a second officer does to drop the project, for which a first has asked."""
    assert year.try_enact(reference, 0, text=WHY).status_code == 202
    proposal_id = uuid.UUID(year.proposal_id(reference))

    def act(session: Session) -> None:
        officer = session.get_one(Citizen, year.second.id)
        enact(session, proposal_id=proposal_id, by=officer, amount=0, why=WHY)

    return act


def test_of_officers_who_grant_at_once_one_does_it(world: World, year: Council) -> None:
    done = race(world.engines["api"], 3, granting(year, year.references[1]))
    assert sum(isinstance(each, DomainError) for each in done) == 2
    assert (world.count("enactment"), world.count("reserve_move")) == (1, 1)


def together(world: World, year: Council, *, waits: bool = True) -> list[Any]:
    """Two projects are dropped in transactions of which the second begins within the first."""
    first, second, *_ = year.references
    acts = [granting(year, first), granting(year, second)]
    failures: list[Any] = []

    def later() -> None:
        try:
            with Session(world.engines["api"]) as session, transaction(session):
                acts[1](session)
        except DomainError as error:
            failures.append(error)

    other = threading.Thread(target=later)
    with Session(world.engines["api"]) as session, transaction(session):
        acts[0](session)
        session.flush()
        other.start()
        if waits:
            wait_until_blocked(world.admin_url, "pg_advisory_xact_lock")
    other.join()
    return failures


def spent(world: World) -> int:
    """The money of all that is funded now."""
    [(amount,)] = world.rows(
        "SELECT sum(coalesce(m.amount, d.amount)) FROM proposal p"
        " JOIN project_decision d ON d.proposal_id = p.id"
        " LEFT JOIN reserve_move m ON m.proposal_id = p.id WHERE p.state = 'funded'"
    )
    return int(amount)


def test_projects_that_are_dropped_at_once_free_their_money_one_after_the_other(
    world: World, year: Council
) -> None:
    assert together(world, year) == []
    assert states(year) == ["dropped", "dropped", "funded", "funded", "funded"]
    assert spent(world) == 80


def test_a_deviation_after_the_plenary_has_confirmed_is_refused_while_the_council_enacts(
    world: World, year: Council
) -> None:
    first, *_ = year.references
    assert year.try_enact(first, 40).status_code == 202
    with no_trace(world):
        late = year.lay(change(first, "not_funded", text=WHY))
        assert refused(late) == (409, "motion-pending")
    assert year.try_enact(first, 40, year.second).status_code == 200


def test_a_twin_that_grants_without_looking_at_the_state_enacts_what_is_in_reserve(
    world: World, year: Council, owner: Session
) -> None:
    third = year.references[2]
    approval = ask_directly(world, year, third)
    assert enact_directly(world, year, third, approval) is False
    guarded = "IF project.state IS DISTINCT FROM 'funded' THEN"
    with (
        twin(owner, "enact_project", guarded, "IF false THEN"),
        pytest.raises(Exception, match=r"enactment|never goes"),
    ):
        enact_directly(world, year, third, approval)


def ask_directly(world: World, year: Council, reference: str) -> Any:
    call = text("SELECT ask_approval(gen_random_uuid(), 'proposal:enact', :id, :said, :by)")
    bound = {"id": year.proposal_id(reference), "said": b'{"amount":0,"text":{"ko":"x"}}'}
    with Session(world.engines["api"]) as session, transaction(session):
        return session.execute(call, bound | {"by": year.officer.id}).scalar_one()


def enact_directly(world: World, year: Council, reference: str, approval: Any) -> bool:
    call = text("SELECT enact_project(:id, :approval, :by)")
    bound = {"id": year.proposal_id(reference), "approval": approval, "by": year.second.id}
    with Session(world.engines["api"]) as session, transaction(session):
        return bool(session.execute(call, bound).scalar_one())


AGAINST_THE_RULES = {
    "nobody dropped": "INSERT INTO reserve_move SELECT r.id, f.id, 5, now()"
    " FROM proposal r, proposal f WHERE r.state = 'reserve' AND f.state = 'funded' LIMIT 1",
    "moved up by nobody": "UPDATE proposal SET state = 'funded' WHERE state = 'reserve'",
    "enacted by nobody": "UPDATE proposal SET state = 'enacted' WHERE state = 'funded'",
}


@pytest.mark.parametrize("statement", AGAINST_THE_RULES.values(), ids=AGAINST_THE_RULES)
def test_the_database_lets_no_project_move_without_what_it_rests_on(
    world: World, year: Council, statement: str
) -> None:
    with as_owner(world) as connection, pytest.raises(DatabaseError):
        connection.execute(statement.encode())
    assert states(year) == ["funded", "funded", "reserve", "reserve", "funded"]
