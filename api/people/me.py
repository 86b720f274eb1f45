"""One's own account: reading, changing, taking away, deleting."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app
from sqlalchemy.orm import Session

from api.access import access, caller, caller_id
from api.blueprint import Blueprint, needs_version
from api.db import db, transaction
from api.etags import check_if_match, tagged
from api.people.export_schemas import ExportSchema
from api.people.schemas import AccountChangesSchema, AccountSchema
from api.wiring import wiring
from mvote.base import utc_now
from mvote.errors import TokenInvalid
from mvote.moderation.forgetting import forget_texts, reports_of
from mvote.people.accounts import Export, account_of, count_export, export_of, locked
from mvote.people.citizens import Citizen
from mvote.people.declaring import consent, declare
from mvote.people.deleting import delete_account
from mvote.people.phones import Phones
from mvote.polls.integrity.devices import devices_of, forget_devices_of
from mvote.polls.participations import all_polls_took_part_in, last_poll_ends

blp = Blueprint("me", "me", description="The caller's own account.")


def _phones() -> Phones:
    phones: Phones = current_app.extensions["phones"]
    return phones


def shown(session: Session, citizen: Citizen) -> dict[str, Any]:
    """The account as its owner sees it."""
    account = account_of(session, citizen=citizen, phones=_phones())
    dumped: dict[str, Any] = AccountSchema().dump(account)
    return dumped


def _alone_with_my_account(session: Session) -> Citizen:
    citizen = locked(session, caller_id())
    if citizen is None:
        raise TokenInvalid
    return citizen


@blp.get("/me")
@access("citizen")
@blp.response(200, AccountSchema)
@blp.alt_response(304, description="Not modified")
def show_me() -> Response:
    """The caller's account: roles, attributes and who verified them, consents."""
    return tagged(shown(db.session(), caller()))


@blp.patch("/me")
@access("citizen")
@needs_version
@blp.arguments(AccountChangesSchema)
@blp.response(200, AccountSchema)
def change_me(changes: dict[str, Any]) -> Response:
    """Declare attributes (null removes), give or withdraw consents, choose a language.

    A verified attribute that is changed is no longer verified.
    """
    now = utc_now()
    with transaction() as session:
        citizen = _alone_with_my_account(session)
        check_if_match(shown(session, citizen))
        areas, values = current_app.extensions["areas"], changes["attributes"]
        declare(session, citizen_id=citizen.id, values=values, areas=areas, now=now)
        given = {each["purpose"]: each["given"] for each in changes["consents"]}
        versions = {each["purpose"]: each["text_version"] for each in changes["consents"]}
        consent(session, citizen_id=citizen.id, given=given, versions=versions, now=now)
        citizen.language = changes.get("language", citizen.language)
        session.flush()
        view = shown(session, citizen)
    return tagged(view)


@blp.get("/me/export")
@access("citizen")
@blp.response(200, ExportSchema)
def export_me() -> Export:
    """All that is kept of the caller, the number in full; never what they voted. Ten an hour."""
    with transaction() as session:
        count_export(session, citizen_id=caller_id(), now=utc_now())
    session, citizen = db.session(), caller()
    took_part = all_polls_took_part_in(session, citizen_id=citizen.id, keyring=wiring().box.keys)
    devices = devices_of(session, wiring().owners.tag(citizen.id))
    reports = reports_of(session, citizen_id=citizen.id, key=wiring().moderation.key)
    return export_of(
        session,
        citizen=citizen,
        phones=_phones(),
        took_part=took_part,
        devices=devices,
        reports=reports,
    )


@blp.delete("/me")
@access("citizen")
@blp.response(204)
def delete_me() -> Response:
    """Delete the account at once. While polls of its time live, its number cannot vote anew."""
    with transaction() as session:
        citizen = caller()
        forget_texts(session, citizen_id=citizen.id, key=wiring().moderation.key)
        delete_account(session, citizen=citizen, last_poll_ends=last_poll_ends)
        forget_devices_of(session, wiring().owners.tag(citizen.id))
    return Response(status=204)
