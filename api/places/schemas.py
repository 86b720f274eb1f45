"""The shapes of areas and sites."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import Range, Regexp

from api.fields import Float, Instant, LocalText, ShownText, Strict, String
from api.pages import PageQuery
from geo.areas import AREA_CODE, KIND
from geo.sites import LARGEST_RADIUS_M, SMALLEST_RADIUS_M
from mvote.wording import say

CODE = Regexp(rf"^{AREA_CODE.pattern}\Z", error=say("Not an area's code."))


class AreasQuery(PageQuery):
    kind = String(
        load_default=None,
        validate=Regexp(rf"^{KIND.pattern}\Z", error=say("Not a kind of areas.")),
        metadata={"description": "`sido`, `gu`, `legal_dong`, `dong`, or another of the city's."},
    )
    parent = String(
        load_default=None,
        validate=CODE,
        metadata={"description": "Only areas directly within the area with this code."},
    )


class AreaSchema(ma.Schema):
    """An area without its boundary."""

    area_code = ma.fields.String(required=True)
    kind = ma.fields.String(required=True)
    name = ShownText(required=True)
    parent_code = ma.fields.String(required=True, allow_none=True)


class AreaProperties(AreaSchema):
    valid_from = ma.fields.Date(required=True)
    valid_to = ma.fields.Date(required=True, allow_none=True)
    source = ma.fields.String(required=True)
    boundary_sha256 = ma.fields.String(
        required=True,
        metadata={"description": "Of the boundary as little-endian WKB of a MultiPolygon."},
    )


class AreaFeature(ma.Schema):
    """RFC 7946."""

    type = ma.fields.String(required=True)
    id = ma.fields.String(required=True)
    properties = ma.fields.Nested(AreaProperties, required=True)
    geometry = ma.fields.Dict(required=True)


class FreeingRequest(Strict):
    reason = LocalText(max_length=2_000, required=True, metadata={
        "description": "Told to the authors of the private polls whose codes end."
    })  # fmt: skip


class NewSite(ma.Schema):
    class Meta:
        unknown = ma.RAISE

    name = LocalText(max_length=200, required=True)
    address = LocalText(max_length=300, required=True)
    lat = Float(required=True, validate=Range(-90, 90))
    lon = Float(required=True, validate=Range(-180, 180))
    radius_m = Float(
        required=True,
        validate=Range(SMALLEST_RADIUS_M, LARGEST_RADIUS_M),
        metadata={"description": "How far from its point one is still at the site, in metres."},
    )
    opening_hours = LocalText(max_length=500, allow_none=True)


class SiteChanges(NewSite):
    """What to change; what is left out stays."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"partial": True} | kwargs)


class SitesQuery(PageQuery):
    area = String(
        load_default=None,
        validate=CODE,
        metadata={"description": "Only sites within the area with this code."},
    )


class SiteSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    name = ShownText(required=True)
    address = ShownText(required=True)
    lat = ma.fields.Float(required=True)
    lon = ma.fields.Float(required=True)
    radius_m = ma.fields.Float(required=True)
    opening_hours = ShownText(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)
