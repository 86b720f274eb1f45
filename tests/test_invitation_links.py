"""The personal link of an invitation: it opens a poll, names nobody, and admits nobody."""

from __future__ import annotations

import pytest

from tests.support.hostile import check_problem
from tests.support.inviting import PEOPLE, Campaign, campaign_in
from tests.support.rolls import bearer, e164
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
