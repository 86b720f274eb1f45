"""One's own data: an export that leaves nothing out, and a deletion that leaves nothing behind."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Uuid
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import mvote.tables  # noqa: F401 - every table there is
from api.people.export_schemas import ExportSchema
from mvote.base import Base
from mvote.people.accounts import EXPORTS
from mvote.people.citizens import Consent
from tests.support.people import problem
from tests.support.world import Person, World

EXPORTED = {
    "anchor.citizen_id": "anchors",
    "application.citizen_id": "applications",
    "attribute.citizen_id": "account",
    "authors_consent.citizen_id": "agreed",
    "consent.citizen_id": "account",
    "cycle_follower.citizen_id": "follows",
    "inbox_item.citizen_id": "inbox",
    "journal.actor_id": "acts",
    "poll.author_id": "polls",
    "proposal_author.citizen_id": "proposals",
    "proposal_contact.citizen_id": "proposals",
    "proposal_support.citizen_id": "supports",
    "role_grant.citizen_id": "account",
    "seat.citizen_id": "seats",
    "seat_interests.citizen_id": "interests",
    "sign_in.citizen_id": "sign_ins",
    "stored_file.kept_by": "files",
}
"""Where a citizen is named, and the member of the export that tells it."""
NOT_EXPORTED = {
    "cycle.author_id": "an officer's act; the journal of acts tells it",
    "kept_answer.citizen_id": "answers given again for a day; what they tell is elsewhere",
}
NAMES = ("citizen_id", "author_id", "actor_id", "kept_by")


def naming_citizens() -> set[str]:
    """Every column that names a citizen by a reference or by its name."""
    return {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Uuid)
        and (
            column.name in NAMES
            or any(key.column.table.name == "citizen" for key in column.foreign_keys)
        )
    }


def test_whatever_names_a_citizen_is_exported_or_said_not_to_be() -> None:
    assert naming_citizens() == set(EXPORTED) | set(NOT_EXPORTED)
    assert set(EXPORTED.values()) <= set(ExportSchema().fields)


def test_the_database_lets_no_reference_to_an_account_outlive_it(world: World) -> None:
    found = world.rows(
        "SELECT conrelid::regclass::text, confdeltype FROM pg_constraint"
        " WHERE confrelid = 'citizen'::regclass AND contype = 'f'"
    )
    assert found
    assert {kind.decode() if isinstance(kind, bytes) else kind for _, kind in found} <= {"c", "n"}


def export(world: World, person: Person) -> dict[str, Any]:
    answer = world.client.get("/v1/me/export", headers=person.headers)
    assert answer.status_code == 200
    return dict(answer.get_json())


def test_a_citizen_exports_ten_times_an_hour(world: World) -> None:
    person, other = world.citizens(2)
    for _ in range(EXPORTS.most):
        export(world, person)
    refused = world.client.get("/v1/me/export", headers=person.headers)
    assert problem(refused) == (429, "too-many-requests")
    export(world, other)


def test_an_export_tells_in_which_polls_one_took_part_and_not_what_one_chose(world: World) -> None:
    person, other = world.citizens(2)
    poll, missed = world.open_poll(), world.open_poll()
    assert world.cast(poll, person, ["no"]).status_code == 201
    assert world.cast(missed, other).status_code == 201
    found = export(world, person)
    assert found["participations"] == [{"poll_id": poll["id"]}]
    own = world.draft(world.citizen())
    assert own["id"] not in str(found)
    assert "selections" not in str(found)


def test_an_export_tells_what_one_made_and_did(world: World) -> None:
    person = world.citizen(birth_year=1990)
    poll = world.open_poll(person)
    found = export(world, person)
    assert [(each["poll_id"], each["state"]) for each in found["polls"]] == [(poll["id"], "open")]
    assert [each["kind"] for each in found["acts"]][-1] == "poll:opened"
    assert found["account"]["attributes"]["birth_year"]["value"] == 1990
    assert len(found["anchors"]) == 1


def consents(world: World, person: Person, *changes: dict[str, Any]) -> list[dict[str, Any]]:
    etag = world.client.get("/v1/me", headers=person.headers).headers["ETag"]
    answer = world.client.patch(
        "/v1/me", json={"consents": list(changes)}, headers=person.headers | {"If-Match": etag}
    )
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["consents"])


def test_consent_is_to_one_version_of_a_text(world: World) -> None:
    person = world.citizen()
    news = {"purpose": "news", "given": True}
    [first] = consents(world, person, news | {"text_version": "2026-01"})
    assert (first["text_version"], first["withdrawn_at"]) == ("2026-01", None)
    assert consents(world, person, news | {"text_version": "2026-01"}) == [first]
    assert consents(world, person, news) == [first]
    old, new = consents(world, person, news | {"text_version": "2026-02"})
    assert old["withdrawn_at"] == new["given_at"]
    assert (new["text_version"], new["withdrawn_at"]) == ("2026-02", None)
    ended = consents(world, person, {"purpose": "news", "given": False})
    assert [each["withdrawn_at"] is None for each in ended] == [False, False]


def test_a_version_of_a_text_has_a_short_name(world: World, owner: Session) -> None:
    person = world.citizen()
    etag = world.client.get("/v1/me", headers=person.headers).headers["ETag"]
    wrong = {"purpose": "news", "given": True, "text_version": "x" * 41}
    answer = world.client.patch(
        "/v1/me", json={"consents": [wrong]}, headers=person.headers | {"If-Match": etag}
    )
    assert problem(answer) == (422, "invalid-request")
    owner.add(Consent(citizen_id=person.id, purpose="news", text_version="x" * 41))
    with pytest.raises(IntegrityError, match="version_short"):
        owner.flush()


def test_of_a_deleted_account_no_row_is_left_but_its_tombstone(world: World) -> None:
    person = world.citizen(birth_year=1990)
    consents(world, person, {"purpose": "news", "given": True})
    poll = world.open_poll()
    assert world.cast(poll, person).status_code == 201
    assert world.client.delete("/v1/me", headers=person.headers).status_code == 204
    for place in sorted(naming_citizens() - {"journal.actor_id"}):
        table, column = place.split(".")
        left = world.rows(f"SELECT 1 FROM {table} WHERE {column} = %s", person.id)  # noqa: S608
        assert left == [], place
    assert world.count("tombstone") == 1
