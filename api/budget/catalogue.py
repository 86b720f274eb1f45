"""The catalogue of the projects on the ballot, to print and to read: a tagged PDF in large type."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from functools import partial

import orjson
from flask import Response
from sqlalchemy.orm import Session

from api.access import access
from api.blueprint import Blueprint, may_raise
from api.bodies import BINARY
from api.budget.proposals import known_cycle
from api.db import db
from api.etags import tagged_body
from api.languages import language
from api.made_once import MadeOnce
from api.rendering import render
from api.wiring import wiring
from geo.areas import names_of
from mvote.budget.cataloguing import CatalogueNotAvailable, catalogue_of
from mvote.budget.files import PDF
from mvote.errors import Overloaded
from mvote.languages import best_of

blp = Blueprint("catalogue", "catalogue", description="The catalogue of a ballot.")
catalogues = MadeOnce(pattern="*.pdf", most_bytes=256 * 1024**2, patience_s=5.0)
EDITION = b"2"
"""Another one when the look of catalogues changes: what was kept is then made anew."""
PROGRAM = "qr.catalogue"


@blp.get("/cycles/<uuid:cycle_id>/catalogue.pdf")
@access("public")
@may_raise(CatalogueNotAvailable, Overloaded)
@blp.response(200, BINARY, content_type=PDF)
@blp.alt_response(304, description="Not modified")
def download_catalogue(cycle_id: uuid.UUID) -> Response:
    """All projects on the ballot with their numbers, in easy words and large type.

    Tagged (PDF/UA-1), so that it can be read aloud. Made once for each state of the ballot.
    """
    session = db.session()
    cycle = known_cycle(session, cycle_id)
    document = orjson.dumps(
        catalogue_of(session, cycle, partial(_area_names, session), language=language())
    )
    session.close()  # the connection goes back: who waits for the PDF must not keep it
    name = hashlib.sha256(EDITION + document).hexdigest()[:24]
    path = wiring().settings.var / "catalogues" / f"{cycle_id}-{name}.pdf"
    made = catalogues.at_hand(path, partial(render, PROGRAM, document, path))
    return tagged_body(made.read_bytes(), PDF)


def _area_names(session: Session, codes: Sequence[str]) -> dict[str, str]:
    found = names_of(session, codes)
    return {
        each.area_code: best_of(each.name, language())[0]
        for each in found
        if each.kind in ("gu", "dong")
    }
