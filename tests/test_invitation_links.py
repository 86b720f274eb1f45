"""The personal link of an invitation: it opens a poll, names nobody, and admits nobody."""

from __future__ import annotations

import pytest

from tests.support.hostile import check_problem
from tests.support.inviting import PEOPLE, Campaign, campaign_in
from tests.support.rolls import bearer, e164
from tests.support.rooms import PASSWORD, looked_up
from tests.support.world import World


@pytest.fixture
def campaign(world: World) -> Campaign:
    return campaign_in(world)


def test_a_link_says_which_poll_and_whether_it_is_ones_own_and_admits_nobody(
    campaign: Campaign,
) -> None:
    campaign.call()
    campaign.messenger.do_round()
    world, path = campaign.world, f"/v1/invitations/{campaign.token()}"
    own = campaign.letters.numbers[0]
    invited = bearer(world, next(n for n in range(PEOPLE) if e164(n) == own))
    stranger = world.citizen()
    found = world.client.get(path)
    assert (found.status_code, found.get_json()["is_yours"]) == (200, None)
    assert found.get_json()["poll_id"] == campaign.poll["id"]
    for person, is_theirs in ((invited, True), (stranger, False)):
        answer = world.client.get(path, headers=person.headers)
        assert answer.get_json()["is_yours"] is is_theirs
    assert world.cast(campaign.poll, stranger).status_code == 403
    assert world.cast(campaign.poll, invited).status_code == 201
    page = world.client.get(f"/i/{campaign.token()}")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert own[3:] not in page.get_data(as_text=True)


def test_a_link_to_a_private_poll_tells_of_it_only_whoever_may_know(world: World) -> None:
    campaign = campaign_in(world, room_password=PASSWORD)
    campaign.call()
    campaign.messenger.do_round()
    path, page = f"/v1/invitations/{campaign.token()}", f"/i/{campaign.token()}"
    own = next(n for n in range(PEOPLE) if e164(n) == campaign.letters.numbers[0])
    stranger, invited = world.citizen(), bearer(world, own)
    for headers in ({}, stranger.headers):
        check_problem(world.client.get(path, headers=headers), 404, "not-found", "ko")
        door = world.client.get(page, headers=headers)
        text = door.get_data(as_text=True)
        assert (door.status_code, "mvote://rooms?invitation=" in text) == (200, True)
        for hidden in (campaign.poll["id"], "나무", "Plant trees"):
            assert hidden not in text
    room_number = campaign.poll["room_number"]
    room_pass = looked_up(world, stranger, room_number).get_json()["room_pass"]
    for headers in (invited.headers, campaign.officer.headers, {"Room-Pass": room_pass}):
        answer = world.client.get(path, headers=headers)
        assert (answer.status_code, answer.get_json()["poll_id"]) == (200, campaign.poll["id"])
        assert campaign.poll["id"] in world.client.get(page, headers=headers).get_data(as_text=True)


@pytest.mark.parametrize("token", ["x", "A" * 43, "_" * 42, "가"], ids=range(4))
def test_a_link_that_was_never_sent_is_not_known(campaign: Campaign, token: str) -> None:
    check_problem(campaign.world.client.get(f"/v1/invitations/{token}"), 404, "not-found", "ko")
    assert campaign.world.client.get(f"/i/{token}").status_code == 404


def test_the_database_keeps_neither_numbers_nor_links(campaign: Campaign) -> None:
    campaign.call()
    before = dumped(campaign)
    campaign.messenger.do_round()
    for content in (before, dumped(campaign)):
        for to, _ in campaign.letters.taken:
            assert to not in content
            assert to[3:] not in content
            assert to[3:].encode().hex() not in content
        assert campaign.token() not in content


def dumped(campaign: Campaign) -> str:
    tables = ("invitation", "invitation_run", "roll", "roll_entry", "journal", "poll", "approval")
    queries = (f"SELECT string_agg(t::text, ' ') FROM {table} t" for table in tables)  # noqa: S608
    return " ".join(str(campaign.world.rows(query)[0][0]) for query in queries)
