"""A survey's statement is bound by its hash before anybody votes, and read only afterwards."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import rfc8785
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from mvote.budget.cycle import PhaseKind
from mvote.budget.drawing.lots import seed_of
from tests.support.balloting import field
from tests.support.deciding import Council
from tests.support.governing import twin
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.world import World

NOT_SEALED = ("statement-not-sealed", "/contests/0/sources/2")


@pytest.fixture
def year(world: World) -> Council:
    """2015, with three approved projects and no poll yet."""
    council = Council(world)
    council.projects(3, heading=field)
    council.plenary(5)
    return council


def values(year: Council, *counts: int) -> dict[str, int]:
    return dict(zip(year.references, counts or (470, 220, 460), strict=True))


def shown(year: Council) -> dict[str, Any]:
    answer = year.call("GET", f"cycles/{year.cycle['id']}/blend/survey", None)
    assert answer.status_code == 200
    return dict(answer.get_json())


def counted(year: Council) -> None:
    """Let both polls be held, counted and released."""
    citizens, committee = year.open("citizens"), year.open("committee")
    year.vote(citizens, [year.references[:2]] * 5, year.citizens(5))
    year.vote(committee, [year.references[1:]] * 5, year.members)
    year.finish(citizens, committee)


def test_the_hash_is_public_at_once_and_the_values_with_all_other_results(
    world: World, year: Council
) -> None:
    assert year.try_seal(values(year)).status_code == 202
    assert shown(year)["seals"] == []
    [waiting] = world.client.get("/v1/approvals", headers=year.officer.headers).get_json()["items"]
    assert waiting["arguments"].keys() == {"contest", "source", "n", "sha256"}
    sealed = year.try_seal(values(year), year.second)
    assert sealed.status_code == 200
    [seal] = sealed.get_json()["seals"]
    assert (seal["sha256"], seal["statement"]) == (waiting["arguments"]["sha256"], None)
    [notice] = world.client.get(f"/v1/cycles/{year.cycle['id']}").get_json()["notices"]
    assert (notice["kind"], notice["facts"]["sha256"]) == ("statement", seal["sha256"])
    assert shown(year)["seals"] == [seal]
    counted(year)
    [released] = shown(year)["seals"]
    assert released["statement"]["values"] == values(year)
    content = rfc8785.dumps(released["statement"])
    assert hashlib.sha256(content).hexdigest() == seal["sha256"]


def test_one_officer_alone_seals_nothing_and_another_who_says_something_else_neither(
    year: Council,
) -> None:
    for _ in range(2):
        assert year.try_seal(values(year)).status_code == 202
    assert year.try_seal(values(year, 1, 2, 3), year.second).status_code == 202
    assert shown(year)["seals"] == []


def test_a_mistake_is_sealed_anew_until_anybody_votes_and_the_last_one_counts(
    year: Council,
) -> None:
    year.seal(values(year, 1, 2, 3))
    year.seal(values(year))
    hashes = [each["sha256"] for each in shown(year)["seals"]]
    assert len(set(hashes)) == 2
    counted(year)
    assert [each["statement"]["values"] for each in shown(year)["seals"]] == [
        values(year, 1, 2, 3), values(year),
    ]  # fmt: skip
    [*_, survey] = year.allocated()["inputs"]["sources"]
    assert (survey["key"], survey["votes"]) == ("survey", values(year))


def test_once_a_poll_has_opened_nothing_is_sealed(world: World, year: Council) -> None:
    year.seal(values(year, 1, 2, 3))
    assert year.try_seal(values(year)).status_code == 202
    assert year.open("citizens")["warnings"] == []
    with no_trace(world):
        assert refused(year.try_seal(values(year), year.second)) == (409, "sealing-over")


@pytest.mark.parametrize("now", ["balloting", "reviewing"])
def test_without_the_statement_that_it_cannot_do_without_a_contest_opens_no_poll(
    world: World, now: PhaseKind
) -> None:
    """Nor is one frozen ahead: voting begins by the clock, and then nothing can be sealed."""
    year = Council(world, now=now)
    year.projects(3, heading=field)
    with no_trace(world):
        answer = year.try_open("citizens")
    assert refused(answer) == (409, "not-ready-to-open")
    [hindrance] = answer.get_json()["hindrances"]
    assert (hindrance["code"], hindrance["pointer"]) == NOT_SEALED
    year.seal(values(year))
    opened = year.try_open("citizens")
    assert (opened.status_code, opened.get_json()["warnings"]) == (201, [])


def test_until_voting_begins_another_statement_may_follow_the_frozen_ballot(world: World) -> None:
    year = Council(world, now="reviewing")
    year.projects(3, heading=field)
    year.seal(values(year, 1, 2, 3))
    assert year.open("citizens")["status"] == "scheduled"
    assert len(year.seal(values(year))["seals"]) == 2


def test_where_the_weights_present_suffice_it_is_only_warned_of(world: World) -> None:
    year = Council(world)
    year.definition["contests"][0]["blend"]["missing"] = "redistribute"
    year.projects(3, heading=field)
    opened = year.try_open("citizens")
    assert opened.status_code == 201
    warned = [(each["code"], each["pointer"]) for each in opened.get_json()["warnings"]]
    assert warned == [NOT_SEALED]


@pytest.mark.parametrize(
    ("path", "said", "expected", "pointer"),
    [
        ("blend/survey", {"values": {"2016-9999": 1}}, (422, "invalid-request"), "/values/2016-9"),
        ("blend/survey", {"unit": "percent"}, (422, "invalid-request"), "/unit"),
        ("blend/survey", {"sample_size": 400}, (422, "invalid-request"), "/values/2016-0001"),
        ("blend/citizens", {}, (404, "not-found"), None),
        ("blend/survey?contest=gu", {}, (404, "not-found"), None),
    ],
    ids=["unknown project", "other unit", "more than asked", "a poll", "no contest"],
)
def test_what_is_no_statement_of_the_contest_is_refused(
    world: World,
    year: Council,
    path: str,
    said: dict[str, Any],
    expected: tuple[int, str],
    pointer: str | None,
) -> None:
    body = year.statement(values(year)) | said
    with no_trace(world):
        answer = year.of_cycle("PUT", path, **body)
    assert refused(answer) == expected
    if pointer:
        assert answer.get_json()["errors"][0]["pointer"].startswith(pointer)


def test_nobody_but_officers_seals(world: World, year: Council) -> None:
    stranger = world.citizen()
    with no_trace(world):
        assert refused(year.try_seal(values(year), stranger)) == (403, "not-allowed")


@pytest.mark.parametrize(
    "statement", ["SELECT content FROM source_statement", "SELECT secret FROM cycle_lot"]
)
def test_the_webs_login_reads_neither_values_nor_secrets_before_the_release(
    world: World, year: Council, statement: str
) -> None:
    year.seal(values(year))
    with (
        Session(world.engines["api"]) as session,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        session.execute(text(statement))
    with Session(world.engines["api"]) as session:
        here = {"cycle": year.cycle["id"]}
        released = text("SELECT count(*) FROM released_statements(:cycle, 'city', 'survey')")
        assert session.execute(released, here).scalar_one() == 0
        secret = text("SELECT revealed_lot(:cycle, 'city')")
        assert session.execute(secret, here).scalar_one() is None


def test_a_twin_that_waits_for_no_release_tells_the_values(
    world: World, year: Council, owner: Session
) -> None:
    year.seal(values(year))
    held = "AND NOT EXISTS (SELECT unreleased_sources(p_cycle_id, p_contest))"
    with twin(owner, "released_statements", held, ""):
        [seal] = shown(year)["seals"]
    assert seal["statement"]["values"] == values(year)


def seal_directly(session: Session, year: Council, approval: str, content: bytes) -> None:
    """What the second officer lets the database do."""
    call = text("SELECT seal_statement(:cycle, 'city', 'survey', :content, :approval, :by)")
    bound = {"cycle": year.cycle["id"], "content": content, "approval": approval}
    session.execute(call, bound | {"by": year.second.id})


def test_the_database_seals_only_what_was_asked_for(world: World, year: Council) -> None:
    approval = year.try_seal(values(year)).get_json()["approval_id"]
    with (
        Session(world.engines["api"]) as session,
        pytest.raises(Exception, match="another statement was asked for"),
    ):
        seal_directly(session, year, approval, b"{}")
    assert world.count("source_statement") == 0


def test_the_lot_is_bound_when_the_cycle_begins_and_revealed_with_the_allocation(
    world: World, year: Council
) -> None:
    [bound] = world.client.get(f"/v1/cycles/{year.cycle['id']}").get_json()["lots"]
    assert bound["contest"] == "city"
    year.seal(values(year))
    counted(year)
    lot = year.allocated()["lot"]
    secret = bytes.fromhex(lot["secret"])
    assert lot["commitment"] == bound["commitment"] == hashlib.sha256(secret).hexdigest()
    mixed = [each.partition("=") for each in lot["public_value"].split()]
    assert [source for source, _, _ in mixed] == ["citizens", "committee", "survey"]
    assert mixed[2][2] == shown(year)["seals"][0]["sha256"]
    commitment = bytes.fromhex(lot["commitment"])
    seed = seed_of(secret, commitment=commitment, public_value=lot["public_value"])
    assert lot["seed"] == seed.hex()
