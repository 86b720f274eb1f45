"""Site codes: they link a place to a poll, and never admit anyone by themselves."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import zxingcpp
from PIL import Image
from pyzbar import pyzbar

from mvote.base import utc_now
from mvote.languages import moment_in
from tests.support.world import CITY_HALL, GWANGHWAMUN, Person, World, position

SITE = {
    "name": {"ko": "서울시청", "en": "Seoul City Hall"},
    "address": {"ko": "서울특별시 중구 세종대로 110"},
    "radius_m": 80,
    **CITY_HALL,
}
AT_SITE = {"rule": "site"}


@pytest.fixture
def officer(world: World) -> Person:
    return world.officer()


@pytest.fixture
def site(world: World, officer: Person) -> dict[str, Any]:
    answer = world.client.post("/v1/sites", json=SITE, headers=officer.headers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.get_json())


@pytest.fixture
def poll(world: World, officer: Person) -> dict[str, Any]:
    return world.open_poll(officer, presence=AT_SITE, publish_from=2)


def _code(
    world: World, site: dict[str, Any], poll: dict[str, Any], who: Person, **more: Any
) -> dict[str, Any]:
    body = {"poll_id": poll["id"], "kind": "link", **more}
    answer = world.client.post(f"/v1/sites/{site['id']}/codes", json=body, headers=who.headers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.get_json())


def _scan(world: World, code: str, who: Person, **body: Any) -> Any:
    return world.client.post(f"/v1/codes/{code}/scans", json=body, headers=who.headers)


def test_a_scan_at_the_site_gives_a_token_that_admits_once(
    world: World, officer: Person, site: dict[str, Any], poll: dict[str, Any]
) -> None:
    code = _code(world, site, poll, officer)
    voter = world.citizen()
    scan = _scan(world, code["code"], voter, position=position(**CITY_HALL))
    assert scan.status_code == 201
    token = scan.get_json()["presence_token"]
    assert world.cast(poll, voter, presence_token=token).status_code == 201
    assert world.count("spent_token") == 1
    assert token not in str(world.rows("SELECT token_hash FROM spent_token"))


def test_a_photographed_code_admits_nobody(
    world: World, officer: Person, site: dict[str, Any], poll: dict[str, Any]
) -> None:
    code = _code(world, site, poll, officer)
    voter = world.citizen()
    without = _scan(world, code["code"], voter)
    assert (without.status_code, without.get_json()["code"]) == (403, "presence-required")
    assert "위치 사용" in without.get_json()["next_step"]
    away = _scan(world, code["code"], voter, position=position(**GWANGHWAMUN))
    assert (away.status_code, away.get_json()["code"]) == (403, "outside-area")
    old = _scan(world, code["code"], voter, position=position(**CITY_HALL, age_s=90))
    assert (old.status_code, old.get_json()["code"]) == (403, "position-stale")
    there = world.cast(poll, voter, position=position(**CITY_HALL)).get_json()
    assert there["code"] == "presence-required"
    assert "스캔할 때" in there["next_step"]  # a position alone does not do in this poll
    assert world.count("participation") == 0


def test_a_token_of_another_voter_or_another_poll_admits_nobody(
    world: World, officer: Person, site: dict[str, Any], poll: dict[str, Any]
) -> None:
    code = _code(world, site, poll, officer)
    other_poll = world.open_poll(officer, presence=AT_SITE)
    friend, voter = world.citizens(2)
    scan = _scan(world, code["code"], friend, position=position(**CITY_HALL))
    token = scan.get_json()["presence_token"]
    for who, where in ((voter, poll), (friend, other_poll)):
        refused = world.cast(where, who, presence_token=token)
        assert (refused.status_code, refused.get_json()["code"]) == (403, "presence-token-invalid")
    assert world.count("participation") == 0


def test_a_spent_token_is_refused_but_a_replay_with_it_gives_the_receipt_again(
    world: World, officer: Person, site: dict[str, Any], poll: dict[str, Any]
) -> None:
    code = _code(world, site, poll, officer)
    voter, key = world.citizen(), "k" * 22
    token = _scan(world, code["code"], voter, position=position(**CITY_HALL)).get_json()[
        "presence_token"
    ]
    first = world.cast(poll, voter, key=key, presence_token=token)
    again = world.cast(poll, voter, key=key, presence_token=token)
    assert first.get_data() == again.get_data()
    with psycopg.connect(world.admin_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM participation")
    spent = world.cast(poll, voter, presence_token=token)
    assert (spent.status_code, spent.get_json()["code"]) == (403, "presence-token-invalid")


def test_a_position_inside_the_area_of_an_area_poll_or_a_token_of_a_site_in_it_admits(
    world: World, officer: Person, site: dict[str, Any]
) -> None:
    around = {"rule": "area", "area": {"center": CITY_HALL, "radius_m": 300}}
    inside = world.open_poll(officer, presence=around)
    away = {"rule": "area", "area": {"center": GWANGHWAMUN, "radius_m": 300}}
    outside = world.open_poll(officer, presence=away)
    for poll, status in ((inside, 201), (outside, 403)):
        code = _code(world, site, poll, officer)
        voter = world.citizen()
        scan = _scan(world, code["code"], voter, position=position(**CITY_HALL))
        token = scan.get_json()["presence_token"]
        assert world.cast(poll, voter, presence_token=token).status_code == status


def test_a_revoked_an_expired_and_a_future_code_prove_nothing(
    world: World, officer: Person, site: dict[str, Any], poll: dict[str, Any]
) -> None:
    now = utc_now()
    ago, ahead = (now + dt.timedelta(hours=hours) for hours in (-1, 1))
    expired = _code(
        world, site, poll, officer,
        valid_from=(ago - dt.timedelta(hours=1)).isoformat(), valid_until=ago.isoformat(),
    )  # fmt: skip
    future = _code(world, site, poll, officer, valid_from=ahead.isoformat())
    revoked = _code(world, site, poll, officer)
    gone = world.client.delete(f"/v1/codes/{revoked['code']}", headers=officer.headers)
    assert gone.status_code == 204
    voter = world.citizen()
    for code in (expired, future, revoked):
        scan = _scan(world, code["code"], voter, position=position(**CITY_HALL))
        assert (scan.status_code, scan.get_json()["code"]) == (404, "not-found")
        assert not world.client.get(f"/v1/codes/{code['code']}").get_json()["active"]


def test_a_poll_stays_findable_at_a_site_as_long_as_one_of_its_codes_is_active(
    world: World, officer: Person, site: dict[str, Any], poll: dict[str, Any]
) -> None:
    first, second = (_code(world, site, poll, officer)["code"] for _ in range(2))

    def found() -> int:
        body = {"position": position(**CITY_HALL), "radius_m": 500}
        return len(world.client.post("/v1/polls/nearby", json=body).get_json()["items"])

    assert found() == 1
    world.client.delete(f"/v1/codes/{first}", headers=officer.headers)
    assert found() == 1
    world.client.delete(f"/v1/codes/{second}", headers=officer.headers)
    assert found() == 0


def test_a_token_that_proved_nothing_is_not_spent(
    world: World, officer: Person, site: dict[str, Any]
) -> None:
    around = {"rule": "area", "area": {"center": CITY_HALL, "radius_m": 300}}
    poll = world.open_poll(officer, presence=around)
    code = _code(world, site, poll, officer)["code"]
    voter, friend = world.citizens(2)
    scan = _scan(world, code, friend, position=position(**CITY_HALL))
    token = scan.get_json()["presence_token"]
    here = position(**CITY_HALL)
    assert world.cast(poll, voter, position=here, presence_token=token).status_code == 201
    assert world.count("spent_token") == 0
    assert world.cast(poll, friend, presence_token=token).status_code == 201


def test_a_site_at_which_a_poll_is_held_is_neither_moved_nor_widened(
    world: World, officer: Person, site: dict[str, Any], poll: dict[str, Any]
) -> None:
    _code(world, site, poll, officer)
    path = f"/v1/sites/{site['id']}"

    def change(**changes: Any) -> int:
        tag = world.client.get(path).headers["ETag"]
        headers = officer.headers | {"If-Match": tag}
        return world.client.patch(path, json=changes, headers=headers).status_code

    assert change(radius_m=9_000) == 409
    assert change(lat=37.0) == 409
    assert change(name={"ko": "새 이름"}) == 200
    assert world.client.get(path).get_json()["radius_m"] == site["radius_m"]


def test_only_officers_and_the_author_make_and_revoke_codes(
    world: World, officer: Person, site: dict[str, Any]
) -> None:
    author, stranger = world.citizens(2)
    poll = world.open_poll(author, presence=AT_SITE)
    body = {"poll_id": poll["id"], "kind": "link"}
    path = f"/v1/sites/{site['id']}/codes"
    refused = world.client.post(path, json=body, headers=stranger.headers)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "not-allowed")
    assert world.count("site_code") == 0
    code = _code(world, site, poll, author)
    denied = world.client.delete(f"/v1/codes/{code['code']}", headers=stranger.headers)
    assert denied.status_code == 403
    assert world.client.get(f"/v1/codes/{code['code']}").get_json()["active"]
    assert (
        world.client.delete(f"/v1/codes/{code['code']}", headers=officer.headers).status_code == 204
    )


def test_the_printed_code_is_read_by_two_independent_decoders_and_leads_to_its_poll(
    world: World, officer: Person, site: dict[str, Any], poll: dict[str, Any]
) -> None:
    code = _code(world, site, poll, officer)
    picture = world.client.get(f"/v1/codes/{code['code']}/image.png")
    assert picture.mimetype == "image/png"
    image = Image.open(io.BytesIO(picture.get_data()))
    read = {
        pyzbar.decode(image.convert("L"))[0].data.decode(),
        zxingcpp.read_barcodes(image.convert("L"))[0].text,
    }
    assert read == {code["url"]}
    path = code["url"].partition(world.settings.host)[2]
    landed = world.client.get(path, headers={"Accept": "application/json"})
    assert landed.get_json()["poll"]["id"] == poll["id"]
    svg = world.client.get(f"/v1/codes/{code['code']}/image.svg")
    assert svg.mimetype == "image/svg+xml"


def test_the_code_is_understood_as_people_type_it(
    world: World, officer: Person, site: dict[str, Any], poll: dict[str, Any]
) -> None:
    code = _code(world, site, poll, officer)["code"]
    typed = "-".join((code[:4], code[4:8], code[8:])).lower()
    assert world.client.get(f"/v1/codes/{typed}").get_json()["code"] == code


@pytest.mark.parametrize(
    ("language", "texts"),
    [("ko", ("광장에 나무를 심을까요?", "서울시청", "앱에서 참여하기")),
     ("en", ("Plant trees on the square?", "Seoul City Hall", "Open the app"))],
)  # fmt: skip
def test_the_landing_page_shows_title_site_and_dates_as_its_reader_speaks_and_opens_the_app(
    world: World, officer: Person, site: dict[str, Any], poll: dict[str, Any],
    language: str, texts: tuple[str, ...],
) -> None:  # fmt: skip
    code = _code(world, site, poll, officer)["code"]
    wanted = {"Accept": "text/html", "Accept-Language": language}
    page = world.client.get(f"/q/{code}", headers=wanted)
    html = page.get_data(as_text=True)
    closes = dt.datetime.fromisoformat(poll["closes_at"])
    assert moment_in(language, closes.astimezone(ZoneInfo("Asia/Seoul"))) in html
    for text in (*texts, f'<html lang="{language}">'):
        assert text in html
    assert f"mvote://polls/{poll['id']}?code={code}" in html
    assert "script" not in html
    differs_by = {"Accept", "Accept-Language", "Authorization", "Room-Pass"}
    assert differs_by == {*page.headers["Vary"].split(", ")}
    assert page.headers["Cache-Control"] == "no-store"
    missing = world.client.get("/q/000000000000", headers=wanted)
    assert (missing.status_code, missing.mimetype) == (404, "text/html")
    assert missing.headers["Content-Language"] == language


def test_a_title_with_markup_is_text_on_the_landing_page(
    world: World, officer: Person, site: dict[str, Any]
) -> None:
    poll = world.open_poll(officer, title="<script>alert(1)</script>", presence=AT_SITE)
    code = _code(world, site, poll, officer)["code"]
    html = world.client.get(f"/q/{code}", headers={"Accept": "text/html"}).get_data(as_text=True)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_the_code_of_a_draft_is_nobodys_business_yet(
    world: World, officer: Person, site: dict[str, Any]
) -> None:
    draft = world.draft(officer, presence=AT_SITE)
    code = _code(world, site, draft, officer)["code"]
    for path in (f"/v1/codes/{code}", f"/v1/codes/{code}/image.png"):
        assert world.client.get(path).status_code == 404
        assert world.client.get(path, headers=officer.headers).status_code == 200
    assert world.client.get(f"/q/{code}", headers={"Accept": "text/html"}).status_code == 404
