"""Slips: single use, printed once, known by keyed hashes only, revocable by the package."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from api import rendering
from api.codes import slips as views
from api.rendering import rendered
from mvote.polls.onsite.errors import ScanValueUsed, SlipsGone
from mvote.polls.onsite.slips import (
    Slip,
    SlipPackage,
    finish_export,
    make_package,
    package_of,
    slips_to_print,
    use_slip,
)
from mvote.polls.site_codes import site_code
from qr.codes import new_site_code
from tests.support.hostile import no_trace
from tests.support.proposals import refused
from tests.support.racing import meeting_of, race
from tests.support.sites import AT_SITE, Place
from tests.support.world import World


@pytest.fixture
def place(world: World) -> Place:
    return Place(world)


@pytest.fixture
def code(place: Place) -> str:
    return str(place.code("steward")["code"])


def values(urls: list[str]) -> list[str]:
    return [url.partition("#")[2] for url in urls]


def packages(place: Place, code: str) -> list[dict[str, Any]]:
    answer = place.world.client.get(f"/v1/codes/{code}/slips", headers=place.officer.headers)
    return list(answer.get_json()["items"])


def test_a_slip_admits_one_ballot(place: Place, code: str) -> None:
    _, urls = place.slips(code)
    voter = place.world.citizen()
    answer = place.scan(code, voter, value=values(urls)[0].lower())
    assert answer.status_code == 201
    token = answer.get_json()["presence_token"]
    assert place.world.cast(place.poll, voter, presence_token=token).status_code == 201


def test_a_slip_is_good_once_for_anybody(place: Place, code: str) -> None:
    _, urls = place.slips(code)
    first, second = place.world.citizens(2)
    value = values(urls)[0]
    assert place.scan(code, first, value=value).status_code == 201
    for who in (first, second):
        with no_trace(place.world):
            answer = place.scan(code, who, value=value)
        assert refused(answer) == (409, "scan-value-used")
    assert [(each["size"], each["used"]) for each in packages(place, code)] == [(3, 1)]


def _use(session: Session, place: Place, code: str, value: str) -> bool:
    secrets = place.world.wiring.gate.secrets
    return use_slip(session, code=site_code(session, code), value=value, secrets=secrets)


def test_of_many_with_one_slip_at_the_same_moment_one_gets_through(
    place: Place, code: str, engines: dict[str, Engine]
) -> None:
    value = values(place.slips(code)[1])[0]
    outcomes = race(engines["api"], 8, lambda session: _use(session, place, code, value))
    assert outcomes.count(True) == 1
    assert sum(isinstance(each, ScanValueUsed) for each in outcomes) == 7


def _carelessly(session: Session, looked: threading.Barrier) -> bool:
    """Looks whether the only slip was used, and only then marks it."""
    unused = session.scalars(select(Slip.slip_hash).where(~Slip.used)).one()
    looked.wait()
    session.execute(update(Slip).where(Slip.slip_hash == unused).values(used=True))
    return True


@pytest.mark.parametrize(("guard", "admitted"), [("ENABLE", 1), ("DISABLE", 2)])
def test_the_database_keeps_careless_code_from_using_a_slip_twice_and_without_its_guard_it_does_not(
    place: Place, code: str, engines: dict[str, Engine], guard: str, admitted: int
) -> None:
    place.slips(code, 1)
    looked = meeting_of(2)
    with psycopg.connect(place.world.admin_url, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE slip {guard} TRIGGER slip_guard")
        try:
            outcomes = race(engines["api"], 2, lambda session: _carelessly(session, looked))
        finally:
            connection.execute("ALTER TABLE slip ENABLE TRIGGER slip_guard")
    assert outcomes.count(True) == admitted
    assert sum(isinstance(each, ScanValueUsed) for each in outcomes) == 2 - admitted


def test_a_package_is_printed_once_and_its_slips_are_then_forgotten(
    place: Place, code: str
) -> None:
    package, urls = place.slips(code)
    assert len(set(urls)) == 3
    with no_trace(place.world):
        assert refused(place.print_slips(package)) == (409, "slips-gone")
    kept = str(place.world.rows("SELECT * FROM slip_package")) + str(
        place.world.rows("SELECT * FROM slip")
    )
    assert not [value for value in values(urls) if value in kept]
    assert place.world.rows("SELECT sealed_slips FROM slip_package") == [(None,)]
    assert packages(place, code)[0]["exported_at"]


def test_slips_lie_wrapped_until_they_are_printed(place: Place, code: str) -> None:
    place.post(f"/v1/codes/{code}/slips", {"count": 2})
    with Session(place.world.engines["api"]) as session:
        package = session.scalars(select(SlipPackage)).one()
        secrets = place.world.wiring.gate.secrets
        slips = slips_to_print(package, secrets)
        assert slips[0].encode() not in (package.sealed_slips or b"")
    assert len(slips) == 2
    answer = place.scan(code, place.world.citizen(), value=slips[0])
    assert refused(answer) == (403, "scan-value-invalid")  # nobody can have it in hand yet
    assert place.world.rows("SELECT count(*) FROM slip WHERE used") == [(0,)]


def test_while_a_package_is_printed_nobody_else_prints_it(
    place: Place, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = place.post(f"/v1/codes/{code}/slips", {"count": 1})
    others: list[tuple[int, str]] = []

    def meanwhile(program: str, document: bytes) -> bytes:
        others.append(refused(place.print_slips(package)))
        return rendered(program, document)

    monkeypatch.setattr(views, "rendered", meanwhile)
    assert place.print_slips(package).status_code == 200
    assert others == [(429, "too-many-requests")]
    assert refused(place.print_slips(package)) == (409, "slips-gone")


def test_of_two_who_have_printed_at_the_same_moment_one_gets_the_slips(
    place: Place, code: str, engines: dict[str, Engine]
) -> None:
    package = place.post(f"/v1/codes/{code}/slips", {"count": 1})

    def finish(session: Session) -> bool:
        found = package_of(session, uuid.UUID(package["id"]))
        finish_export(session, package=found, actor_id=place.officer.id)
        return True

    outcomes = race(engines["api"], 2, finish)
    assert outcomes.count(True) == 1
    assert sum(isinstance(each, SlipsGone) for each in outcomes) == 1


def test_who_finds_another_pdf_being_set_leaves_and_may_print_later(
    place: Place, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = place.post(f"/v1/codes/{code}/slips", {"count": 1})
    monkeypatch.setattr(rendering.setting, "patience_s", 0.01)
    with rendering.setting.one(), no_trace(place.world, but="allowance"):
        assert refused(place.print_slips(package)) == (503, "overloaded")
    assert place.print_slips(package).status_code == 200


@pytest.mark.parametrize("printed", [True, False])
def test_a_revoked_package_admits_nobody_and_is_not_printed(
    place: Place, code: str, printed: bool
) -> None:
    if printed:
        package, urls = place.slips(code)
    else:
        package, urls = place.post(f"/v1/codes/{code}/slips", {"count": 3}), []
    _, others = place.slips(code)
    path = f"/v1/slips/{package['id']}"
    for _ in range(2):
        gone = place.world.client.delete(path, headers=place.officer.headers)
        assert gone.status_code == 204
    assert refused(place.print_slips(package)) == (409, "slips-gone")
    voter = place.world.citizen()
    for value in values(urls)[:1]:
        answer = place.scan(code, voter, value=value)
        assert refused(answer) == (403, "scan-value-invalid")
    assert place.scan(code, voter, value=values(others)[0]).status_code == 201
    assert [bool(each["revoked_at"]) for each in packages(place, code)] == [True, False]


def test_a_slip_of_another_site_or_poll_proves_nothing(place: Place, code: str) -> None:
    other_site = place.code("steward", site=place.new_site())["code"]
    other_poll = place.code("steward", poll=place.world.open_poll(place.officer, presence=AT_SITE))
    for other in (other_site, other_poll["code"]):
        value = values(place.slips(other, 1)[1])[0]
        answer = place.scan(code, place.world.citizen(), value=value)
        assert refused(answer) == (403, "scan-value-invalid")
    assert [each["used"] for each in packages(place, other_site)] == [0]


def test_only_stewards_codes_have_slips_and_only_their_people_make_them(
    place: Place, code: str
) -> None:
    link, stranger = place.code("link")["code"], place.world.citizen()
    package = place.post(f"/v1/codes/{code}/slips", {"count": 1})
    client, body = place.world.client, {"count": 1}
    with no_trace(place.world):
        wrong = client.post(f"/v1/codes/{link}/slips", json=body, headers=place.officer.headers)
        assert refused(wrong) == (409, "impossible-transition")
        for method, path in (
            ("POST", f"/v1/codes/{code}/slips"),
            ("GET", f"/v1/codes/{code}/slips"),
            ("POST", f"/v1/slips/{package['id']}/print"),
            ("DELETE", f"/v1/slips/{package['id']}"),
        ):
            sent = body if path.endswith("slips") and method == "POST" else None
            answer = client.open(path, method=method, json=sent, headers=stranger.headers)
            assert refused(answer) == (403, "not-allowed"), path
        unknown = client.delete(f"/v1/slips/{uuid.uuid4()}", headers=place.officer.headers)
        assert refused(unknown) == (404, "not-found")
    assert package["number"] == 1


def test_packages_are_numbered_also_when_they_are_made_at_the_same_moment(
    place: Place, code: str, engines: dict[str, Engine]
) -> None:
    secrets, actor = place.world.wiring.gate.secrets, place.officer.id

    def make(session: Session) -> int:
        found = site_code(session, code)
        return make_package(session, code=found, slips=[new_site_code()], secrets=secrets,
                            actor_id=actor).number  # fmt: skip

    numbers = race(engines["api"], 4, make)
    assert sorted(each for each in numbers if isinstance(each, int)) == [1, 2, 3, 4]


def test_the_order_of_the_hashes_tells_no_number(place: Place, code: str) -> None:
    place.slips(code, 20)
    kept = [bytes(row[0]) for row in place.world.rows("SELECT slip_hash FROM slip ORDER BY ctid")]
    assert kept == sorted(kept)


@pytest.mark.parametrize("count", [0, -1, 1_001, 10**9])
def test_a_package_has_one_to_a_thousand_slips(place: Place, code: str, count: int) -> None:
    path = f"/v1/codes/{code}/slips"
    with no_trace(place.world):
        answer = place.world.client.post(path, json={"count": count}, headers=place.officer.headers)
    assert refused(answer) == (422, "invalid-request")
