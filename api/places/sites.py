"""Sites: real places where codes hang and where people vote."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
from flask import Response, request

from api.access import access, caller
from api.blueprint import Blueprint, may_raise, needs_version
from api.db import db, transaction
from api.etags import check_if_match, tagged
from api.idempotency import idempotent
from api.pages import cut_page, page_of, place_of
from api.places.negotiating import GEOJSON, JSON, also_as, preferred
from api.places.schemas import FreeingRequest, NewSite, SiteChanges, SiteSchema, SitesQuery
from api.problems import InvalidParameter, NotAcceptable
from api.wiring import wiring
from geo.sites import Site, add_site, list_sites, revise_site, site_of
from mvote.errors import ImpossibleTransition, NotFound
from mvote.polls.onsite.freeing import free_site
from mvote.wording import say

blp = Blueprint("sites", "sites", description="Real places where codes hang.")
FEATURES = {
    "type": "object",
    "description": "RFC 7946, with `next_cursor`",
    "required": ["type", "features", "next_cursor"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": {"type": "object"}},
        "next_cursor": {"type": ["string", "null"]},
    },
}


def shown_site(site: Site) -> dict[str, Any]:
    """The site as JSON."""
    dumped: dict[str, Any] = SiteSchema().dump(site)
    return dumped


@blp.post("/sites")
@access("officer")
@idempotent
@blp.arguments(NewSite)
@blp.response(201, SiteSchema)
def add_a_site(facts: dict[str, Any]) -> Response:
    """Add a site; by an officer."""
    with transaction() as session:
        site = shown_site(add_site(session, facts=facts, created_by=caller().id))
    response = tagged(site, status=201)
    response.headers["Location"] = f"{request.path}/{site['id']}"
    return response


@blp.get("/sites")
@access("public")
@may_raise(NotAcceptable)
@blp.arguments(SitesQuery, location="query")
@blp.response(200, page_of(SiteSchema, "SitePage"))
@also_as(blp, GEOJSON, FEATURES)
def list_of_sites(query: dict[str, Any]) -> Response:
    """All sites, the oldest first, or those within an area; also as GeoJSON."""
    media_type = preferred(JSON, GEOJSON)
    sites, more = cut_page(_found(query), query["limit"])
    items = [shown_site(site) for site in sites]
    page: dict[str, Any] = {"next_cursor": more}
    if media_type == GEOJSON:
        page |= {"type": "FeatureCollection", "features": [_feature(item) for item in items]}
    else:
        page["items"] = items
    return Response(orjson.dumps(page), content_type=media_type, headers={"Vary": "Accept"})


@blp.get("/sites/<uuid:site_id>")
@access("public")
@blp.response(200, SiteSchema)
@blp.alt_response(304, description="Not modified")
def show_site(site_id: uuid.UUID) -> Response:
    """One site."""
    return tagged(shown_site(site_of(db.session(), site_id)))


@blp.patch("/sites/<uuid:site_id>")
@access("officer")
@needs_version
@may_raise(ImpossibleTransition)
@blp.arguments(SiteChanges)
@blp.response(200, SiteSchema)
def revise_a_site(changes: dict[str, Any], site_id: uuid.UUID) -> Response:
    """Change a site; by an officer. Members that are not sent stay."""
    with transaction() as session:
        known = site_of(session, site_id, to_revise=True)
        check_if_match(shown_site(known))
        revise_site(session, site=known, changes=changes, actor_id=caller().id)
        revised = shown_site(known)
    return tagged(revised)


@blp.post("/sites/<uuid:site_id>/free")
@access("officer")
@idempotent
@blp.arguments(FreeingRequest)
@blp.response(200, SiteSchema)
def free_a_site(body: dict[str, Any], site_id: uuid.UUID) -> Response:
    """Revoke all codes here of private polls that the caller may not know of; by an officer.

    Whether there were any is not said, and nothing of the polls. Their authors are told, with the
    reason. Codes of other polls are revoked one by one.
    """
    with transaction() as session:
        site = site_of(session, site_id)
        free_site(
            session, site_id=site_id, name=site.name, by=caller(), sites=wiring().places, **body
        )
        return tagged(shown_site(site))


def _found(query: dict[str, Any]) -> list[Site]:
    after = place_of(query["cursor"])
    try:
        return list_sites(
            db.session(),
            limit=query["limit"] + 1,
            after=after,
            area_code=query["area"],
        )
    except NotFound:
        raise InvalidParameter(("query", "area", say("There is no such area."))) from None


def _feature(site: dict[str, Any]) -> dict[str, Any]:
    properties = {name: value for name, value in site.items() if name not in ("lat", "lon")}
    point = {"type": "Point", "coordinates": [site["lon"], site["lat"]]}
    return {"type": "Feature", "id": site["id"], "properties": properties, "geometry": point}
