"""Tags of versions: who follows those that answers come with is never told to be late."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, question

NAMED: dict[str, Any] = {"ko": "나무", "en": "Tree"}
SITE = {"name": NAMED, "address": NAMED, "lat": 37.5, "lon": 127, "radius_m": 50}
POLL = {"title": NAMED, "description": NAMED, "question": question("a", "b")}


@pytest.mark.parametrize(
    ("path", "made_of", "member"), [("/v1/polls", POLL, "title"), ("/v1/sites", SITE, "name")]
)
def test_the_tag_of_each_answer_is_that_of_the_thing_and_good_for_the_next_change(
    world: World, path: str, made_of: dict[str, Any], member: str
) -> None:
    officer = world.officer()
    answer = world.client.post(path, json=made_of, headers=officer.headers)
    url = f"{path}/{answer.get_json()['id']}"
    for name in ("Flower", "Grass"):
        tag = answer.headers["ETag"]
        assert world.client.get(url, headers=officer.headers).headers["ETag"] == tag
        matching = officer.headers | {"If-Match": tag}
        changes = made_of | {member: {"ko": "꽃", "en": name}}
        answer = world.client.patch(url, json=changes, headers=matching)
        assert (answer.status_code, answer.get_json()[member]["en"]) == (200, name)
