"""Departments, roles and verification: who may give and take them, and what the journal says."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from mvote.journal import JournalEntry
from mvote.people.attributes import Attribute
from mvote.people.citizens import Department, RoleGrant
from mvote.people.granting import add_department
from tests.support.contract import CheckedClient
from tests.support.people import (
    DEPARTMENT,
    Person,
    a_citizen,
    an_administrator,
    an_officer,
    problem,
)


@pytest.fixture
def administrator(app: Flask, session: Session) -> Person:
    return an_administrator(app, session)


@pytest.fixture
def citizen(app: Flask, session: Session) -> Person:
    return a_citizen(app, session)


@pytest.fixture
def department(session: Session) -> uuid.UUID:
    id_ = add_department(session, name=DEPARTMENT, by=None).id
    session.commit()
    return id_


def officer_of(department: uuid.UUID) -> dict[str, str]:
    return {"role": "officer", "department_id": str(department)}


def give(
    client: CheckedClient, by: Person, to: Person, *roles: dict[str, Any], **headers: str
) -> Any:
    url = f"/v1/citizens/{to.id}/roles"
    return client.put(url, json={"roles": list(roles)}, headers=by.headers | headers)


def roles_of(client: CheckedClient, person: Person) -> list[tuple[str, str | None]]:
    shown = client.get("/v1/me", headers=person.headers).get_json()["roles"]
    return [(role["role"], role["department_id"]) for role in shown]


def last_entry(session: Session) -> JournalEntry:
    session.rollback()
    return session.scalars(select(JournalEntry).order_by(JournalEntry.id.desc()).limit(1)).one()


def test_an_administrator_makes_departments_and_lists_them_in_pages(
    client: CheckedClient, administrator: Person
) -> None:
    made = [
        client.post("/v1/departments", json={"name": name}, headers=administrator.headers)
        for name in ("공원과", {"ko": "교통과", "en": "Transport"}, {"en": "Budget"})
    ]
    assert [response.status_code for response in made] == [201, 201, 201]
    assert made[0].get_json()["name"] == {"ko": "공원과"}
    url = "/v1/departments?limit=2"
    first = client.get(url, headers=administrator.headers).get_json()
    url = f"{url}&cursor={first['next_cursor']}"
    last = client.get(url, headers=administrator.headers).get_json()
    ids = [item["id"] for item in first["items"] + last["items"]]
    assert ids == [response.get_json()["id"] for response in made]
    assert (len(first["items"]), last["next_cursor"]) == (2, None)


def test_anybody_learns_the_name_of_a_department_that_a_report_names(
    client: CheckedClient, administrator: Person
) -> None:
    body = {"name": {"ko": "공원과", "en": "Parks"}}
    made = client.post("/v1/departments", json=body, headers=administrator.headers).get_json()
    assert client.get(f"/v1/departments/{made['id']}").get_json() == made
    unknown = client.get(f"/v1/departments/{uuid.uuid4()}")
    assert problem(unknown) == (404, "not-found")


@pytest.mark.parametrize("cursor", ["x", "WyJub3QgYW4gaWQiXQ", "WzFd"])
def test_a_cursor_that_is_not_ours_is_refused(
    client: CheckedClient, administrator: Person, cursor: str
) -> None:
    response = client.get(f"/v1/departments?cursor={cursor}", headers=administrator.headers)
    assert problem(response) == (422, "invalid-request")
    assert response.get_json()["errors"][0]["name"] == "cursor"


@pytest.mark.parametrize("name", ["", "  ", {}, {"fr": "Parcs"}, None, 7, "x" * 101])
def test_a_department_has_a_name(
    client: CheckedClient, session: Session, administrator: Person, name: Any
) -> None:
    response = client.post("/v1/departments", json={"name": name}, headers=administrator.headers)
    assert problem(response) == (422, "invalid-request")
    assert session.scalars(select(Department)).all() == []


def test_an_administrator_gives_and_takes_roles(
    client: CheckedClient,
    session: Session,
    administrator: Person,
    citizen: Person,
    department: uuid.UUID,
) -> None:
    response = give(client, administrator, citizen, officer_of(department))
    assert response.status_code == 200
    assert roles_of(client, citizen) == [("officer", str(department))]
    give(client, administrator, citizen, {"role": "administrator"}, officer_of(department))
    assert set(roles_of(client, citizen)) == {
        ("officer", str(department)),
        ("administrator", None),
    }
    give(client, administrator, citizen)
    assert roles_of(client, citizen) == []
    entry = last_entry(session)
    assert (entry.kind, entry.actor_id, entry.subject_id) == (
        "roles:set",
        administrator.id,
        citizen.id,
    )
    assert entry.facts == {"given": [], "taken": ["administrator", f"officer:{department}"]}


def test_setting_the_same_roles_again_changes_and_journals_nothing(
    client: CheckedClient,
    session: Session,
    administrator: Person,
    citizen: Person,
    department: uuid.UUID,
) -> None:
    give(client, administrator, citizen, officer_of(department))
    before = last_entry(session).id
    give(client, administrator, citizen, officer_of(department), officer_of(department))
    assert last_entry(session).id == before


@pytest.mark.parametrize(
    "role",
    [
        {"role": "officer"},
        {"role": "administrator", "department_id": str(uuid.uuid4())},
        {"role": "officer", "department_id": str(uuid.uuid4())},
        {"role": "mayor"},
        {"role": "officer", "department_id": "{urn}"},
    ],
)
def test_a_role_that_makes_no_sense_is_refused(
    client: CheckedClient,
    session: Session,
    administrator: Person,
    citizen: Person,
    role: dict[str, str],
) -> None:
    response = give(client, administrator, citizen, {"role": "administrator"}, role)
    assert problem(response) == (422, "invalid-request")
    assert response.get_json()["errors"][0]["pointer"].startswith("/roles")
    assert roles_of(client, citizen) == []


def test_an_administrator_cannot_give_up_their_own_role(
    client: CheckedClient, administrator: Person, department: uuid.UUID
) -> None:
    response = give(client, administrator, administrator, officer_of(department))
    assert problem(response) == (403, "not-allowed")
    assert roles_of(client, administrator) == [("administrator", None)]


def test_roles_change_only_from_the_version_that_was_read(
    app: Flask, client: CheckedClient, session: Session, citizen: Person, department: uuid.UUID
) -> None:
    both = an_officer(app, session, department=department)
    administrator = an_administrator(app, session)
    give(client, administrator, both, officer_of(department), {"role": "administrator"})
    url = f"/v1/citizens/{citizen.id}"
    tag = client.get(url, headers=both.headers).headers["ETag"]
    given = {"If-Match": tag}
    assert give(client, both, citizen, officer_of(department), **given).status_code == 200
    assert problem(give(client, both, citizen, **given)) == (412, "stale-version")
    assert roles_of(client, citizen) == [("officer", str(department))]


def test_an_officer_verifies_attributes_and_the_journal_keeps_their_names_only(
    app: Flask, client: CheckedClient, session: Session, citizen: Person
) -> None:
    officer = an_officer(app, session)
    response = client.put(
        f"/v1/citizens/{citizen.id}/attributes",
        json={"attributes": {"birth_year": 1950, "gender": "male"}, "verified_how": "passport"},
        headers=officer.headers,
    )
    assert response.status_code == 200
    shown = response.get_json()["attributes"]["birth_year"]
    assert (shown["value"], shown["verified_by"]) == (1950, str(officer.id))
    entry = last_entry(session)
    assert (entry.kind, entry.actor_id, entry.subject_id) == (
        "attributes:verified",
        officer.id,
        citizen.id,
    )
    assert entry.facts == {"names": ["birth_year", "gender"], "how": "passport"}


def test_an_officer_does_not_verify_their_own_attributes(
    app: Flask, client: CheckedClient, session: Session
) -> None:
    officer = an_officer(app, session)
    response = client.put(
        f"/v1/citizens/{officer.id}/attributes",
        json={"attributes": {"birth_year": 1950}},
        headers=officer.headers,
    )
    assert problem(response) == (403, "not-allowed")
    assert session.scalars(select(Attribute)).all() == []


@pytest.mark.parametrize("what", ["roles", "attributes", ""])
def test_a_citizen_that_does_not_exist_is_not_found(
    app: Flask, client: CheckedClient, session: Session, administrator: Person, what: str
) -> None:
    caller = administrator if what == "roles" else an_officer(app, session)
    url = f"/v1/citizens/{uuid.uuid4()}"
    body: dict[str, Any] = {"roles": []} if what == "roles" else {"attributes": {}}
    if what:
        response = client.put(f"{url}/{what}", json=body, headers=caller.headers)
    else:
        response = client.get(url, headers=caller.headers)
    assert problem(response) == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "who"),
    [
        ("GET", "/v1/departments", "administrator"),
        ("POST", "/v1/departments", "administrator"),
        ("PUT", "/v1/citizens/{id}/roles", "administrator"),
        ("PUT", "/v1/citizens/{id}/attributes", "officer"),
        ("GET", "/v1/citizens/{id}", "officer"),
    ],
)
def test_only_the_role_that_is_named_may(
    app: Flask, client: CheckedClient, session: Session, method: str, path: str, who: str
) -> None:
    people = {
        "citizen": a_citizen(app, session),
        "officer": an_officer(app, session),
        "administrator": an_administrator(app, session),
    }
    url = path.format(id=people["citizen"].id)
    assert problem(client.open(url, method=method, json={})) == (401, "token-missing")
    for role, person in people.items():
        response = client.open(url, method=method, json={}, headers=person.headers)
        assert (response.status_code == 403) is (role != who), role
        assert response.status_code in (200, 403, 422)


def test_the_database_refuses_an_officer_without_a_department(
    session: Session, citizen: Person, department: uuid.UUID
) -> None:
    session.add(RoleGrant(citizen_id=citizen.id, role="officer"))
    with pytest.raises(IntegrityError, match="ck_role_grant_officer_of_one"):
        session.flush()
    session.rollback()
    session.add(RoleGrant(citizen_id=citizen.id, role="administrator", department_id=department))
    with pytest.raises(IntegrityError, match="ck_role_grant_officer_of_one"):
        session.flush()


@pytest.mark.parametrize("change", [update(JournalEntry).values(kind="x"), delete(JournalEntry)])
def test_nobody_changes_the_journal_not_even_the_owner(
    session: Session, owner: Session, department: uuid.UUID, change: Any
) -> None:
    for someone in (session, owner):
        with pytest.raises(DBAPIError):
            someone.execute(change)
        someone.rollback()
    with pytest.raises(DBAPIError, match="append-only"):
        owner.execute(text("TRUNCATE journal"))
    assert last_entry(session).kind == "department:added"
