"""The main job, end to end: find a poll near me, vote on the spot, read the result."""

from __future__ import annotations

from tests.support.world import GWANGHWAMUN, World, position

CIRCLE = {"rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 1000}}


def test_a_citizen_finds_a_poll_nearby_votes_on_the_spot_and_reads_the_result(
    world: World,
) -> None:
    poll = world.open_poll(presence=CIRCLE, publish_from=2)
    here = position(GWANGHWAMUN["lat"] + 0.001, GWANGHWAMUN["lon"])
    nearby = world.client.post("/v1/polls/nearby", json={"position": here, "radius_m": 3000})
    assert [item["id"] for item in nearby.get_json()["items"]] == [poll["id"]]

    voters = world.citizens(3)
    for voter, choice in zip(voters, ("yes", "yes", "no"), strict=True):
        assert world.cast(poll, voter, [choice], position=here).status_code == 201
    world.finish(poll)

    result = world.client.get(f"/v1/polls/{poll['id']}/results").get_json()
    assert {option["key"]: option["votes"] for option in result["options"]} == {"yes": 2, "no": 1}
    assert result["turnout"] == {"ballots": 3, "blank": 0}
