"""The shapes of proposals. They check shape; rules are the domain's."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from api.fields import (
    Boolean,
    CleanObject,
    Flag,
    Instant,
    Integer,
    LocalText,
    ShownText,
    Strict,
    String,
    Uuid,
    Verbatim,
)
from api.pages import PageQuery
from api.places.shapes import PLACE
from api.polls.question_schemas import KEY
from api.polls.schemas import CODE
from geo.geojson import is_finite_number
from mvote.budget.proposal import STATES
from mvote.budget.revision import DEAREST
from mvote.wording import say

SHA256 = Regexp(r"^[0-9a-f]{64}\Z", error=say("64 hexadecimal digits."))
MOST_ITEMS, MOST_PLACES, MOST_FILES, MOST_PARTS = 100, 20, 10, 10
SHAPES = ("Point", "Polygon", "MultiPolygon")


class Place(CleanObject):
    """A place: `{lat, lon}`, a GeoJSON geometry, or `{area_code}`."""

    default_error_messages = {"shape": say("Not a place.")}  # noqa: RUF012

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(PLACE, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        place = super()._deserialize(value, *args, **kwargs)
        if not (_is_point(place) or _is_shape(place) or _is_area(place)):
            raise self.make_error("shape")
        return place


def _is_point(place: dict[str, Any]) -> bool:
    return set(place) == {"lat", "lon"} and all(map(is_finite_number, place.values()))


def _is_shape(place: dict[str, Any]) -> bool:
    return (
        {"type", "coordinates"} <= set(place) <= {"type", "coordinates", "bbox", "crs"}
        and place["type"] in SHAPES
        and isinstance(place["coordinates"], list)
    )


def _is_area(place: dict[str, Any]) -> bool:
    return set(place) == {"area_code"} and isinstance(place["area_code"], str)


class CostItemSchema(Strict):
    item = LocalText(max_length=200, required=True)
    quantity = Integer(required=True, validate=Range(1, 1_000_000_000))
    unit_price = Integer(required=True, validate=Range(0, DEAREST))
    amount = Integer(required=True, validate=Range(0, DEAREST), metadata={
        "description": "Won: exactly the quantity times the price of a unit."
    })  # fmt: skip


class PictureSchema(Strict):
    sha256 = String(required=True, validate=SHA256)
    alt = LocalText(max_length=500, required=True)


class AttachmentSchema(Strict):
    sha256 = String(required=True, validate=SHA256)
    title = LocalText(max_length=200, required=True)


class ProposalFields(Strict):
    problem = LocalText(max_length=3_000, allow_none=True)
    description = LocalText(max_length=10_000, allow_none=True)
    beneficiaries = LocalText(max_length=2_000, allow_none=True)
    easy_read = LocalText(max_length=300, allow_none=True, metadata={
        "description": "What it is in short and simple words, for the catalogue of the ballot."
    })  # fmt: skip
    organisation = LocalText(max_length=200, allow_none=True)
    heading = String(allow_none=True, validate=KEY)
    kind = String(allow_none=True, validate=KEY)
    cost_items = ma.fields.List(
        ma.fields.Nested(CostItemSchema), allow_none=True, validate=Length(0, MOST_ITEMS)
    )
    running_cost_per_year = Integer(allow_none=True, validate=Range(0, DEAREST))
    places = ma.fields.List(Place(), allow_none=True, validate=Length(0, MOST_PLACES))
    pictures = ma.fields.List(
        ma.fields.Nested(PictureSchema), allow_none=True, validate=Length(0, MOST_FILES)
    )
    attachments = ma.fields.List(
        ma.fields.Nested(AttachmentSchema), allow_none=True, validate=Length(0, MOST_FILES)
    )
    contact = String(validate=Length(1, 200), metadata={
        "description": "For the officers who check the proposal; never shown to anybody else."
    })  # fmt: skip


class NewProposal(ProposalFields):
    title = LocalText(max_length=200, required=True)
    carried_from = Uuid(metadata={
        "description": "An own proposal of an earlier cycle, whose text this one begins with."
    })  # fmt: skip
    split_from = Uuid(metadata={"description": "An own proposal that this will be a part of."})


class ProposalChanges(ProposalFields):
    title = LocalText(max_length=200)


class ShownPicture(PictureSchema):
    url = ma.fields.String(required=True)


class ShownAttachment(AttachmentSchema):
    url = ma.fields.String(required=True)


class ShownCostItem(ma.Schema):
    item = ShownText(required=True)
    quantity = ma.fields.Integer(required=True)
    unit_price = ma.fields.Integer(required=True)
    amount = ma.fields.Integer(required=True)


class ShownPlace(ma.fields.Field[dict[str, Any]]):
    json_schema = PLACE


class ReturnSchema(ma.Schema):
    missing = ShownText(required=True)
    due_at = Instant(required=True)


class StrikeSchema(ma.Schema):
    text = ShownText(required=True)
    at = Instant(required=True)


class ProposalSchema(ma.Schema):
    """A proposal as everyone sees it; its authors see the text they write at."""

    id = ma.fields.UUID(required=True)
    cycle_id = ma.fields.UUID(required=True)
    reference = ma.fields.String(required=True, allow_none=True)
    state = ma.fields.String(required=True, validate=OneOf(STATES))
    state_since = Instant(required=True)
    due_at = Instant(required=True, allow_none=True, metadata={
        "description": "Until when: assessed, if submitted; sent again, if returned; appealed, if"
        " rejected; judged, if appealed."
    })  # fmt: skip
    overdue = ma.fields.Boolean(required=True)
    revision = ma.fields.Integer(required=True)
    title = ShownText(required=True)
    problem = ShownText(required=True, allow_none=True)
    description = ShownText(required=True, allow_none=True)
    beneficiaries = ShownText(required=True, allow_none=True)
    easy_read = ShownText(required=True, allow_none=True)
    organisation = ShownText(required=True, allow_none=True)
    heading = ma.fields.String(required=True, allow_none=True)
    kind = ma.fields.String(required=True, allow_none=True)
    cost_items = ma.fields.List(Verbatim(ShownCostItem), required=True)
    amount = ma.fields.Integer(required=True)
    running_cost_per_year = ma.fields.Integer(required=True, allow_none=True)
    places = ma.fields.List(ShownPlace(), required=True)
    area_codes = ma.fields.List(ma.fields.String(), required=True)
    pictures = ma.fields.List(ma.fields.Nested(ShownPicture), required=True)
    attachments = ma.fields.List(ma.fields.Nested(ShownAttachment), required=True)
    authors = ma.fields.Integer(required=True)
    supports = ma.fields.Integer(required=True)
    on_paper = ma.fields.Boolean(required=True, metadata={
        "description": "It came on paper, and its department acts for its author."
    })  # fmt: skip
    department_id = ma.fields.UUID(required=True, allow_none=True)
    returned = ma.fields.Nested(ReturnSchema, required=True, allow_none=True)
    struck = ma.fields.Nested(StrikeSchema, required=True, allow_none=True)
    carried_from = ma.fields.UUID(required=True, allow_none=True)
    split_from = ma.fields.UUID(required=True, allow_none=True)
    merged_into = ma.fields.UUID(required=True, allow_none=True)
    created_at = Instant(required=True)
    submitted_at = Instant(required=True, allow_none=True)


class ProposalsQuery(PageQuery):
    state = String(load_default=None, validate=OneOf([s for s in STATES if s != "draft"]))
    heading = String(load_default=None, validate=KEY)
    kind = String(load_default=None, validate=KEY)
    area = String(load_default=None, validate=CODE)
    department = Uuid(load_default=None)
    q = String(load_default=None, validate=Length(1, 100))
    overdue = Flag(load_default=False, metadata={
        "description": "true: only what the city is late with."
    })  # fmt: skip


class AppealRequest(Strict):
    grounds = LocalText(max_length=5_000, required=True)


class SimilarSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    cycle_id = ma.fields.UUID(required=True)
    reference = ma.fields.String(required=True)
    title = ShownText(required=True)
    state = ma.fields.String(required=True, validate=OneOf(STATES))
    amount = ma.fields.Integer(required=True)
    likeness = ma.fields.Float(required=True, metadata={"description": "Of the titles, 0 to 1."})
    distance_m = ma.fields.Float(required=True, allow_none=True)


class SupportSchema(ma.Schema):
    supported = Boolean(required=True)
    supports = ma.fields.Integer(required=True)


class OwnProposalSchema(ProposalSchema):
    accepted = ma.fields.Boolean(required=True, metadata={
        "description": "False: you are asked to be a co-author, and have not answered."
    })  # fmt: skip
