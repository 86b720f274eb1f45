"""What of the demo not everybody may enter: a private room, a list, a site with its slips."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.demo.named_polls import IN_A_ROOM, ON_A_LIST
from api.demo.polls import AT_LIBRARIES, POLLS
from tests.support.city import City, a_city
from tests.support.database import TestCluster
from tests.test_demo import eligibility, shown
from tests.test_readme_walk import DOORS, served, walk


@pytest.fixture(scope="module")
def seoul(
    cluster: TestCluster, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[City]:
    """The demo, loaded."""
    with a_city(cluster, f"doors_{worker_id}", tmp_path_factory.mktemp("doors")) as city:
        assert city.run("demo", "load").exit_code == 0
        yield city


def why_not(city: City, key: str, headers: dict[str, str], **evidence: Any) -> list[Any]:
    reasons = eligibility(city, key, headers, **evidence)["reasons"]
    return [(each["code"], each["rule"]) for each in reasons]


def test_the_private_room_opens_by_what_is_printed_and_to_nobody_else(seoul: City) -> None:
    room, voter = shown(seoul)["room"], seoul.headers()
    asked = {"number": room["room_number"], "password": room["room_password"]}
    found = seoul.client().post("/v1/rooms/lookup", json=asked, headers=voter).get_json()
    assert found["id"] == shown(seoul)["polls"][IN_A_ROOM.key]["id"]
    assert all(set(found[text]) == {"ko", "en"} for text in ("title", "description"))
    assert seoul.client().get(f"/v1/polls/{found['id']}").status_code == 404
    password = room["room_password"]
    assert eligibility(seoul, IN_A_ROOM.key, voter, room_password=password)["may_vote"]
    guessed = why_not(seoul, IN_A_ROOM.key, voter, room_password="guessed")
    assert guessed == [("not-eligible", "room_password")]


def test_who_is_on_the_list_may_vote_and_nobody_else(seoul: City) -> None:
    token = json.loads(seoul.run("demo", "tokens").stdout)["on_the_list"]
    listed = {"Authorization": f"Bearer {token}"}
    assert eligibility(seoul, ON_A_LIST.key, listed)["may_vote"]
    assert why_not(seoul, ON_A_LIST.key, seoul.headers()) == [("not-eligible", "roll")]


def test_the_libraries_have_posters_a_screen_and_slips_that_wait_to_be_printed(seoul: City) -> None:
    assert seoul.run("demo", "screen").exit_code == 0
    hanging = dict(
        seoul.rows(
            "SELECT kind, count(*) FROM site_code WHERE poll_id = %s GROUP BY kind",
            shown(seoul)["polls"][AT_LIBRARIES.key]["id"],
        )
    )
    assert hanging == {"link": len(AT_LIBRARIES.sites), "rotating": 1, "steward": 1}
    package_id = shown(seoul)["slips"]["id"]
    packages = seoul.rows("SELECT id::text, size, exported_at FROM slip_package")
    assert packages == [(package_id, AT_LIBRARIES.slips, None)]


def test_the_demo_has_every_kind_of_ballot() -> None:
    kinds = {poll.content["question"].get("kind", "single") for poll in POLLS}
    assert kinds == {"single", "multiple", "ranking", "points"}


def test_room_list_posters_and_slips_open_as_the_readme_says(seoul: City, tmp_path: Path) -> None:
    with served(seoul) as address:
        walked = walk(seoul, address, DOORS, tmp_path)
    assert walked.returncode == 0, walked.stdout[-2000:] + walked.stderr[-2000:]
    answers = [json.loads(each) for each in walked.stdout.replace("}{", "}\n{").splitlines()]
    assert [each["may_vote"] for each in answers] == [True, True, False]
    files = [(tmp_path / name).read_bytes()[:4] for name in ("posters.pdf", "slips.pdf")]
    assert files == [b"%PDF", b"%PDF"]
    assert seoul.rows("SELECT exported_at IS NOT NULL FROM slip_package") == [(True,)]
