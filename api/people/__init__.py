"""People over HTTP: signing in, one's own account, departments and roles; text messages."""

from __future__ import annotations

from flask import Flask

import geo.areas
from api import approvals
from api.keys import make_missing_keys
from api.people import administering, me, own_sessions, signing_in, well_known
from api.people.messages import messages_of
from mvote.people.deleting import after_the_longest_poll
from mvote.people.phones import Phones
from mvote.people.signing_in import FrontDesk

BLUEPRINTS = [signing_in.blp, me.blp, own_sessions.blp, administering.blp, approvals.blp]


def register(app: Flask) -> None:
    """Give *app* what people need of the world, and the public keys of access tokens."""
    settings, keystore = app.extensions["settings"], app.extensions["keystore"]
    if settings.environment != "production":  # there, `flask keys init` does it, in the open
        make_missing_keys(keystore)
    phones = Phones(keystore)
    app.extensions["phones"] = phones
    app.extensions["front_desk"] = FrontDesk(
        keystore=keystore, phones=phones, messages=messages_of(settings)
    )
    app.extensions.setdefault("areas", geo.areas)
    app.extensions.setdefault("last_poll_ends", after_the_longest_poll)
    well_known.register(app)
