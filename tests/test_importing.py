"""An election that was held elsewhere comes in as a .pb file: whole, or not at all."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mvote.budget.pabulib.rows import MOST_BYTES
from tests.support.budgets import definition_of, plan, read, running
from tests.support.elections import allocation, funded, imported, send_pb
from tests.support.hostile import check_problem, no_trace
from tests.support.inventing import invented
from tests.support.pb import pb_text
from tests.support.world import World, new_key
from tests.test_pabulib_broken import BROKEN, LINES
from tests.test_pabulib_files import FILES

SMALL = pb_text({"a": "60.50", "b": 50, "c": 30}, ["a,b", "a,b", "a", "c"], 100, currency="PLN")


@pytest.mark.parametrize("name", FILES)
def test_the_published_winners_of_a_real_election_are_funded(
    world: World, shared_data: Path, name: str
) -> None:
    folder = shared_data / "pabulib"
    expected = json.loads((folder / "expected.json").read_text())[f"{name}.pb"]
    found = allocation(world, imported(world, (folder / f"{name}.pb").read_bytes()))
    winners = "greedy" if expected["rule"] == "unknown" else "published_selected"
    assert found["binding"]["rule"] == expected["rule"]
    assert funded(found["binding"]) == expected[winners]
    votes = {each["reference"]: each["votes"] for each in found["binding"]["funded"]}
    assert votes == {reference: expected["tally"][reference][0] for reference in votes}


def test_what_is_imported_keeps_its_currency_and_its_amounts_in_the_smallest_unit(
    world: World,
) -> None:
    cycle = imported(world, SMALL)
    assert cycle["title"] == {"en": "a made-up election"}
    assert (cycle["currency"], cycle["budget_year"], cycle["budget_limit"]) == ("PLN", 2024, 10_000)
    assert (cycle["status"], cycle["phase"], cycle["phases"]) == ("imported", None, [])
    assert (cycle["imported"]["rule"], cycle["imported"]["ballots"]) == ("greedy", 4)
    found = allocation(world, cycle)
    assert (found["contest"], found["currency"]) == ("all", "PLN")
    assert found["binding"]["funded"] == [
        {"reference": "a", "amount": 6_050, "votes": 3},
        {"reference": "c", "amount": 3_000, "votes": 1},
    ]
    why = {each["reference"]: each["decision"] for each in found["binding"]["projects"]}
    assert why == {"a": "funded", "b": "does_not_fit", "c": "funded"}


def test_other_rules_stand_beside_the_binding_one(world: World) -> None:
    found = allocation(world, imported(world, SMALL))
    assert [each["rule"] for each in found["comparisons"]] == ["equal_shares"]
    shares = SMALL.replace("rule;greedy", "rule;equalshares")
    assert [each["rule"] for each in allocation(world, imported(world, shares))["comparisons"]] == [
        "greedy"
    ]
    by_points = pb_text({"a": 5}, ["a"], 9, points=["3"], vote_type="cumulative")
    assert allocation(world, imported(world, by_points))["comparisons"] == []


def test_where_ballots_give_points_votes_are_ballots_and_the_score_is_points(world: World) -> None:
    content = pb_text({"a": 5, "b": 5}, ["a,b", "b"], 9, points=["1,2", "4"], vote_type="scoring")
    [first] = allocation(world, imported(world, content))["binding"]["funded"]
    assert first == {"reference": "b", "amount": 500, "votes": 2, "score": 6}


def test_a_file_that_names_neither_currency_nor_year_gets_none(world: World) -> None:
    content = pb_text(
        {"a": 5}, ["a"], 9, "unknown", instance="autumn", date_begin=None, date_end=None,
        description=None, language="ko",
    )  # fmt: skip
    cycle = imported(world, content)
    assert (cycle["currency"], cycle["budget_year"]) == (None, None)
    assert cycle["title"] == {"ko": "Poland Nowhere autumn"}
    [note] = allocation(world, cycle)["notes"]
    assert "does not say by which rule" in note


def test_imported_cycles_are_listed_with_their_currency_among_the_others(world: World) -> None:
    planned = plan(world, definition_of(2015), world.officer())
    mine = imported(world, SMALL)
    items = world.client.get("/v1/cycles").get_json()["items"]
    assert [(each["id"], each["status"], each["currency"]) for each in items] == [
        (mine["id"], "imported", "PLN"),
        (planned["id"], "draft", "KRW"),
    ]
    [same] = world.client.get("/v1/cycles?budget_year=2024").get_json()["items"]
    assert same["id"] == mine["id"]
    assert read(world, mine) == mine


@pytest.mark.parametrize("case", list(BROKEN)[::5])  # all of them: tests/test_pabulib_broken.py
def test_a_broken_row_is_named_and_nothing_is_imported(world: World, case: str) -> None:
    content, _, problem = BROKEN[case]
    by = world.administrator()
    with no_trace(world):
        answer = send_pb(world, content, by, **{"Accept-Language": "en"})
    said = check_problem(answer, 422, "broken-pb-file", "en")
    assert problem in said["problem"]
    assert said["row"] >= 1
    assert world.count("cycle") == world.count("imported_ballots") == 0


def test_a_voter_who_votes_twice_at_the_very_end_undoes_all_that_was_read(world: World) -> None:
    votes = ["a"] * 2_500
    twice = pb_text({"a": 60}, votes, 100).replace("\nv2499;", "\nv0;")
    by = world.administrator()
    with no_trace(world):
        answer = send_pb(world, twice, by)
    assert answer.get_json()["row"] == len(twice.splitlines())
    assert world.count("cycle") == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 50, b"\xff\xfe" + SMALL.encode("utf-16-le"), b"PK\x03\x04" + b"x" * 90,
     b"META\n" * 9, b'META\nkey;value\nrule;"' + b"a\n" * 99, SMALL[:-30].encode() + b"\xff\n",
     b"META\nkey;value\n" + b"a" * (2**20 + 9), "\n".join(LINES[:3]).encode()],
    ids=["empty", "nul", "utf-16", "archive", "titles", "open quote", "no utf-8", "long row",
         "cut off"],
)  # fmt: skip
def test_what_is_no_pb_file_is_refused(world: World, content: bytes) -> None:
    by = world.administrator()
    with no_trace(world):
        answer = send_pb(world, content, by)
    check_problem(answer, 422, "broken-pb-file", "ko")


def test_a_file_may_have_64_mebibytes_and_no_more(world: World) -> None:
    by = world.administrator()
    with no_trace(world):
        answer = send_pb(world, b"a\n" * (MOST_BYTES // 2) + b"\n", by)
        assert (answer.status_code, answer.get_json()["code"]) == (413, "too-large")
        within = send_pb(world, b"HEAD\n".ljust(MOST_BYTES, b"x"), by)
        assert (within.status_code, within.get_json()["code"]) == (422, "broken-pb-file")


@pytest.mark.parametrize(
    "media_type", ["application/json", "text/csv", "text/plain; charset=iso-8859-2", ""]
)
def test_another_type_or_another_encoding_is_not_taken(world: World, media_type: str) -> None:
    by = world.administrator()
    with no_trace(world):
        answer = send_pb(world, SMALL, by, media_type)
    check_problem(answer, 415, "unsupported-media-type", "ko")


def test_only_administrators_import(world: World) -> None:
    officer = world.officer()
    with no_trace(world):
        assert send_pb(world, SMALL, officer).status_code == 403
        answer = world.client.post("/v1/cycles/import", data=SMALL, content_type="text/plain")
        assert answer.status_code == 401


def test_the_same_file_with_the_same_key_is_imported_once(world: World) -> None:
    by, key = world.administrator(), new_key()
    first, again = (send_pb(world, SMALL, by, **{"Idempotency-Key": key}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_data() == again.get_data()
    other = send_pb(world, SMALL.replace(";100", ";99"), by, **{"Idempotency-Key": key})
    check_problem(other, 422, "idempotency-key-reused", "ko")
    assert world.count("cycle") == 1


def test_many_ballots_lie_in_few_rows_without_their_voters(world: World) -> None:
    imported(world, pb_text({"a": 60, "b": 50}, ["a,b"] * 2_001, 100))
    rows = world.rows("SELECT n, ballots, octet_length(packed) FROM imported_ballots ORDER BY n")
    assert rows == [(0, 1_000, 6_000), (1, 1_000, 6_000), (2, 1, 6)]


def test_who_imported_which_file_stands_in_the_journal(world: World) -> None:
    by = world.administrator()
    cycle = send_pb(world, SMALL, by).get_json()
    [(actor, kind, facts)] = world.rows(
        "SELECT actor_id, kind, facts FROM journal WHERE subject_id = %s", cycle["id"]
    )
    assert (actor, kind) == (by.id, "cycle:imported")
    assert facts == {"sha256": cycle["imported"]["sha256"], "ballots": 4}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cycle SET definition = definition || '{\"budget_limit\": 1}'",
        "UPDATE cycle SET state = 'running'",
        "UPDATE cycle SET state = 'draft'",
        "UPDATE imported_project SET votes = votes + 1",
        "UPDATE imported_ballots SET ballots = ballots + 1",
        "DELETE FROM imported_ballots",
        "UPDATE imported_election SET num_votes = 0",
        "UPDATE cycle_allocation SET document = '{\"binding\": {}}'",
        "DELETE FROM cycle_allocation",
    ],
)
def test_what_was_imported_never_changes_not_even_by_the_owner(
    world: World, owner: Session, statement: str
) -> None:
    imported(world, SMALL)
    with no_trace(world), pytest.raises(IntegrityError):
        owner.execute(text(statement))


def test_no_cycle_that_was_planned_becomes_an_imported_one(world: World, owner: Session) -> None:
    plan(world, definition_of(2015), world.officer())
    with pytest.raises(IntegrityError, match="nothing becomes so later"):
        owner.execute(text("UPDATE cycle SET state = 'imported'"))


def test_nothing_happens_in_an_imported_cycle_any_more(world: World) -> None:
    cycle, officer = imported(world, SMALL), world.officer()
    path = f"/v1/cycles/{cycle['id']}"
    proposal = {"title": "그늘막"}
    version = world.client.get(path).headers["ETag"]
    headed = officer.headers | {"If-Match": version}
    with no_trace(world):
        answers = [
            world.client.post(f"{path}/phase", json={}, headers=officer.headers),
            world.client.patch(path, json={"budget_limit": 1}, headers=headed),
            world.client.post(f"{path}/proposals", json=proposal, headers=officer.headers),
        ]
    assert [each.status_code for each in answers] == [403, 409, 409]
    assert world.client.get(f"{path}/proposals").get_json()["items"] == []


def test_there_is_no_allocation_of_a_contest_that_is_not_over(world: World) -> None:
    cycle = running(world)
    answer = world.client.get(f"/v1/cycles/{cycle['id']}/allocation")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "results-not-available")


@pytest.mark.parametrize("path", ["allocation", "export.pb"])
def test_a_contest_is_asked_for_by_its_key(world: World, path: str) -> None:
    cycle = imported(world, SMALL)
    statuses = {
        contest: world.client.get(
            f"/v1/cycles/{cycle['id']}/{path}", query_string={"contest": contest}
        ).status_code
        for contest in ("all", "citizens", "x" * 41)
    }
    assert statuses == {"all": 200, "citizens": 404, "x" * 41: 422}
    assert world.client.get(f"/v1/cycles/{uuid.uuid4()}/{path}").status_code == 404


def test_of_several_contests_one_must_be_named(world: World) -> None:
    definitions = (invented(seed) for seed in range(100))
    several = next(each for each in definitions if len(each.get("contests", ())) > 1)
    cycle = plan(world, several, world.officer())
    answer = world.client.get(f"/v1/cycles/{cycle['id']}/allocation")
    assert (answer.status_code, answer.get_json()["errors"][0]["name"]) == (422, "contest")
