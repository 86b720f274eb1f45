"""People over HTTP: signing in, one's own account, departments and roles; text messages."""

from __future__ import annotations

from flask import Flask

import geo.areas
from api import approvals
from api.keys import make_missing_keys
from api.people import (
    administering,
    identity,
    me,
    own_devices,
    own_number,
    own_sessions,
    signing_in,
    well_known,
)
from api.people.messages import messages_of
from api.people.provider_keys import KeySet
from api.settings import Settings
from mvote.people.id_tokens import Provider
from mvote.people.phones import Phones
from mvote.people.signing_in import FrontDesk

BLUEPRINTS = [
    signing_in.blp,
    me.blp,
    own_sessions.blp,
    own_devices.blp,
    own_number.blp,
    identity.blp,
    administering.blp,
    approvals.blp,
]


def register(app: Flask) -> None:
    """Give *app* what people need of the world, and the public keys of access tokens."""
    settings, keystore = app.extensions["settings"], app.extensions["keystore"]
    if settings.environment != "production":  # there, `flask keys init` does it, in the open
        make_missing_keys(keystore)
    phones = Phones(keystore)
    app.extensions["phones"] = phones
    app.extensions["front_desk"] = FrontDesk(
        language=settings.city_language,
        keystore=keystore,
        phones=phones,
        messages=messages_of(settings),
    )
    app.extensions["identity_provider"] = provider_of(settings)
    app.extensions["areas"] = geo.areas
    well_known.register(app)


def provider_of(settings: Settings) -> Provider | None:
    """The identity provider that the settings name, if they name one."""
    if not settings.identity_issuer:
        return None
    return Provider(
        issuer=settings.identity_issuer,
        audience=settings.identity_audience,
        keys=KeySet(settings.identity_jwks),
        claims=dict(settings.identity_claims),
        verified_by=frozenset(() if "*" in settings.identity_acr else settings.identity_acr),
    )
