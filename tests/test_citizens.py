"""One's own account: what it shows, how it changes, what is left when it is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mvote.base import utc_now
from mvote.journal import JournalEntry
from mvote.people.attributes import AREA_NAMES, Attribute
from mvote.people.citizens import Anchor, Citizen, Consent, RoleGrant, Tombstone
from mvote.people.sessions import SignIn
from tests.support.contract import CheckedClient
from tests.support.people import KnownAreas, Person, a_citizen, an_officer, problem
from tests.support.world import World

AREAS = KnownAreas(["1111051500", "11110", "11"], ["11680", "11"])


@pytest.fixture
def areas(app: Flask) -> Iterator[None]:
    """A city of three areas."""
    real = app.extensions["areas"]
    app.extensions["areas"] = AREAS
    yield
    app.extensions["areas"] = real


@pytest.fixture
def citizen(app: Flask, session: Session, areas: None) -> Person:
    return a_citizen(app, session)


def account(client: CheckedClient, person: Person) -> dict[str, Any]:
    response = client.get("/v1/me", headers=person.headers)
    assert response.status_code == 200
    shown: dict[str, Any] = response.get_json()
    return shown


def change(client: CheckedClient, person: Person, **changes: Any) -> Any:
    """PATCH /me as its reader."""
    tag = client.get("/v1/me", headers=person.headers).headers["ETag"]
    return client.patch("/v1/me", json=changes, headers=person.headers | {"If-Match": tag})


def values(client: CheckedClient, person: Person) -> dict[str, Any]:
    shown = account(client, person)["attributes"]
    return {name: attribute["value"] for name, attribute in shown.items()}


def test_an_account_shows_its_id_and_hides_its_number(
    client: CheckedClient, citizen: Person
) -> None:
    response = client.get("/v1/me", headers=citizen.headers)
    assert response.get_json()["id"] == str(citizen.id)
    assert citizen.number not in response.text
    assert response.get_json()["phone"].endswith(citizen.number[-4:])


def test_what_a_citizen_says_of_themselves_is_shown_as_verified_by_nobody(
    client: CheckedClient, citizen: Person
) -> None:
    said = {
        "birth_year": 1960,
        "gender": "female",
        "occupation": "버스 기사",
        "public_body_staff": False,
        **dict.fromkeys(AREA_NAMES, "11680"),
    }
    assert change(client, citizen, attributes=said).status_code == 200
    assert values(client, citizen) == said
    for attribute in account(client, citizen)["attributes"].values():
        assert attribute["verified_by"] is attribute["verified_at"] is None


def test_an_area_is_kept_with_all_areas_around_it(
    client: CheckedClient, session: Session, citizen: Person
) -> None:
    change(client, citizen, attributes={"home_area": "1111051500"})
    lineage = session.scalars(select(Attribute.lineage)).one()
    assert lineage == ["1111051500", "11110", "11"]


def test_what_is_not_sent_stays_and_null_takes_away(client: CheckedClient, citizen: Person) -> None:
    change(client, citizen, attributes={"gender": "male", "birth_year": 1990}, language="en")
    change(client, citizen, attributes={"gender": None})
    assert values(client, citizen) == {"birth_year": 1990}
    assert account(client, citizen)["language"] == "en"
    change(client, citizen, language=None)
    assert account(client, citizen)["language"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("birth_year", 1899),
        ("birth_year", utc_now().year + 1),
        ("birth_year", "1960"),
        ("birth_year", 1960.5),
        ("gender", "f"),
        ("occupation", ""),
        ("occupation", "x" * 61),
        ("occupation", "a\x00b"),
        ("home_area", "99999"),
        ("work_area", 11110),
        ("public_body_staff", "yes"),
        ("shoe_size", 260),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_at_its_place(
    client: CheckedClient, citizen: Person, name: str, value: Any
) -> None:
    response = change(client, citizen, attributes={"study_area": "11680", name: value})
    assert problem(response) == (422, "invalid-request")
    assert [error["pointer"] for error in response.get_json()["errors"]] == [f"/attributes/{name}"]
    assert values(client, citizen) == {}


def test_all_that_is_wrong_is_said_at_once(client: CheckedClient, citizen: Person) -> None:
    response = change(client, citizen, attributes={"birth_year": 1, "home_area": "0"})
    pointers = {error["pointer"] for error in response.get_json()["errors"]}
    assert pointers == {"/attributes/birth_year", "/attributes/home_area"}


def test_an_account_changes_only_for_whoever_says_what_they_read(
    client: CheckedClient, citizen: Person
) -> None:
    body = {"attributes": {"birth_year": 1990}}
    response = client.patch("/v1/me", json=body, headers=citizen.headers)
    assert problem(response) == (428, "version-required")
    stale = citizen.headers | {
        "If-Match": client.get("/v1/me", headers=citizen.headers).headers["ETag"]
    }
    assert client.patch("/v1/me", json={"language": "en"}, headers=stale).status_code == 200
    response = client.patch("/v1/me", json=body, headers=stale)
    assert problem(response) == (412, "stale-version")
    assert values(client, citizen) == {}


def test_a_consent_keeps_its_purpose_and_dates(client: CheckedClient, citizen: Person) -> None:
    def consents(*, given: bool) -> list[dict[str, Any]]:
        response = change(client, citizen, consents=[{"purpose": "statistics", "given": given}])
        found: list[dict[str, Any]] = response.get_json()["consents"]
        return found

    [first] = consents(given=True)
    assert (first["purpose"], first["withdrawn_at"]) == ("statistics", None)
    assert consents(given=True) == [first]
    [withdrawn] = consents(given=False)
    assert withdrawn["given_at"] == first["given_at"] <= withdrawn["withdrawn_at"]
    assert consents(given=False) == [withdrawn]
    assert [each["withdrawn_at"] is None for each in consents(given=True)] == [False, True]


def test_a_changed_value_is_no_longer_verified_and_an_unchanged_one_still_is(
    app: Flask, client: CheckedClient, session: Session, citizen: Person
) -> None:
    officer = an_officer(app, session)
    proved = {"birth_year": 1950, "home_area": "11680"}
    response = client.put(
        f"/v1/citizens/{citizen.id}/attributes",
        json={"attributes": proved, "verified_how": "resident registration card"},
        headers=officer.headers,
    )
    assert response.status_code == 200
    change(client, citizen, attributes={"birth_year": 1950, "home_area": "1111051500"})
    shown = account(client, citizen)["attributes"]
    assert shown["birth_year"]["verified_by"] == str(officer.id)
    assert shown["birth_year"]["verified_how"] == "resident registration card"
    assert shown["home_area"]["verified_by"] is None


def test_an_export_holds_all_that_is_kept_and_the_whole_number(
    app: Flask, client: CheckedClient, session: Session, citizen: Person
) -> None:
    change(
        client,
        citizen,
        attributes={"birth_year": 1990},
        consents=[{"purpose": "news", "given": True}],
    )
    export = client.get("/v1/me/export", headers=citizen.headers).get_json()
    assert export["account"]["phone"] == citizen.number
    assert export["account"]["attributes"]["birth_year"]["value"] == 1990
    assert [each["purpose"] for each in export["account"]["consents"]] == ["news"]
    assert [entry["kind"] for entry in export["journal"]] == ["attributes:declared"]
    assert export["sign_ins"] == []


def test_deleting_an_account_leaves_only_what_guards_living_polls(
    app: Flask, client: CheckedClient, session: Session, world: World
) -> None:
    officer = an_officer(app, session)
    poll = world.open_poll(world.citizen())
    change(
        client,
        officer,
        attributes={"birth_year": 1990},
        consents=[{"purpose": "news", "given": True}],
    )
    assert client.delete("/v1/me", headers=officer.headers).status_code == 204
    for table, key in ((Citizen, "id"), (RoleGrant, "citizen_id"), (Anchor, "citizen_id"),
                       (Attribute, "citizen_id"), (Consent, "citizen_id")):  # fmt: skip
        theirs = select(table).where(getattr(table, key) == officer.id)
        assert session.scalars(theirs).all() == [], table
    phones = app.extensions["phones"]
    [tombstone] = session.scalars(select(Tombstone)).all()
    assert tombstone.bearer_hash == phones.hash_of(officer.number)
    assert tombstone.until.isoformat().replace("+00:00", "Z") == poll["closes_at"]
    assert problem(client.get("/v1/me", headers=officer.headers)) == (401, "token-invalid")


def test_without_a_living_poll_a_deleted_account_leaves_nothing(
    client: CheckedClient, session: Session, citizen: Person
) -> None:
    client.delete("/v1/me", headers=citizen.headers)
    for table in (Citizen, Anchor, SignIn, Tombstone):
        assert session.scalars(select(table)).all() == [], table


def test_a_deletion_is_journalled_without_anything_that_was_known(
    client: CheckedClient, session: Session, citizen: Person
) -> None:
    change(client, citizen, attributes={"occupation": "lighthouse keeper"})
    client.delete("/v1/me", headers=citizen.headers)
    entries = session.scalars(select(JournalEntry).order_by(JournalEntry.id)).all()
    assert [entry.kind for entry in entries] == ["attributes:declared", "account:deleted"]
    assert entries[-1].facts == {}
    assert not [entry for entry in entries if "lighthouse" in str(entry.facts)]


@pytest.mark.parametrize(
    "broken",
    [
        {"name": "shoe_size"},
        {"verified_at": utc_now()},
        {"verified_how": "a look"},
        {"name": "home_area"},
        {"lineage": ["11"]},
    ],
)
def test_the_database_refuses_a_half_made_attribute(
    session: Session, citizen: Person, broken: dict[str, Any]
) -> None:
    row = {"citizen_id": citizen.id, "name": "birth_year", "value": 1990} | broken
    session.add(Attribute(**row))
    with pytest.raises(IntegrityError, match="ck_attribute"):
        session.flush()


@pytest.mark.parametrize("path", ["/v1/me", "/v1/me/export"])
def test_an_account_is_shown_to_nobody_else(client: CheckedClient, path: str) -> None:
    assert problem(client.get(path)) == (401, "token-missing")
