"""The shape of what is asked: a question and its options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from api.fields import Integer, LocalText, Strict, String
from mvote.budget.definition.ballots import MOST_POINTS
from mvote.polls.definition import METHODS, Kind
from mvote.wording import say

MAX_OPTIONS = 100
KEY = Regexp(r"^[A-Za-z0-9_-]{1,40}\Z", error=say("1 to 40 letters, digits, - or _."))


HASH = Regexp(r"^[0-9a-f]{64}\Z", error=say("64 hexadecimal digits."))
MOST_IMAGES = 10


class ImageSchema(Strict):
    """A picture that was sent with `POST /images`, and the words for whoever cannot see it."""

    url = String(required=True, validate=Length(1, 200))
    sha256 = String(required=True, validate=HASH)
    alt = LocalText(max_length=500, required=True)


class OptionSchema(Strict):
    key = String(required=True, validate=KEY)
    title = LocalText(max_length=200, required=True)
    description = LocalText(max_length=2000)
    image = ma.fields.Nested(ImageSchema)


EVERY_METHOD = [method for methods in METHODS.values() for method in methods]
ONLY_POINTS = ("points", "max_points")


class QuestionSchema(Strict):
    text = LocalText(max_length=500, required=True)
    kind = String(
        load_default="single",
        validate=OneOf(get_args(Kind)),
        metadata={
            "description": "`single` and `multiple`: selections are option keys. `ranking`: option"
            " keys, the first choice first; as many as one likes from `min_selections` to"
            ' `max_selections`. `points`: `{"key", "points"}`.'
        },
    )
    options = ma.fields.List(
        ma.fields.Nested(OptionSchema), required=True, validate=Length(1, MAX_OPTIONS)
    )
    min_selections = Integer(load_default=1, validate=Range(0, MAX_OPTIONS))
    max_selections = Integer(load_default=None, allow_none=True, validate=Range(1, MAX_OPTIONS))
    method = String(
        validate=OneOf(EVERY_METHOD),
        metadata={
            "description": "How ballots are counted. `ranking`: `schulze` (default),"
            " `instant_runoff` or `borda`; of the other kinds there is one: `plurality`,"
            " `approval`, `points`."
        },
    )
    points = Integer(
        validate=Range(1, MOST_POINTS),
        metadata={"description": "Of `points`, required: how many a ballot gives at most."},
    )
    max_points = Integer(
        validate=Range(1, MOST_POINTS),
        metadata={"description": "Of `points`: how many one option gets at most; else all."},
    )

    @ma.post_load
    def completed(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """A single choice takes one, any other kind takes all, unless it says otherwise."""
        if data["max_selections"] is None:
            data["max_selections"] = 1 if data["kind"] == "single" else len(data["options"])
        return {"method": METHODS[data["kind"]][0]} | data

    @ma.validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        keys = [option["key"] for option in data.get("options", [])]
        if len(set(keys)) < len(keys):
            raise ma.ValidationError(say("Two options have the same key."), "options")
        most = data.get("max_selections")
        if data.get("kind") == "single" and most not in (None, 1):
            raise ma.ValidationError(
                say("A single choice has at most one selection."), "max_selections"
            )
        if most is not None and data.get("min_selections", 1) > most:
            raise ma.ValidationError(say("More than max_selections."), "min_selections")

    @ma.validates_schema(skip_on_field_errors=True)
    def of_its_kind(self, data: dict[str, Any], **_: Any) -> None:
        for member, problem in _against_its_kind(data):
            raise ma.ValidationError(problem, member)


def _against_its_kind(question: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind, points = question["kind"], question.get("points")
    methods = METHODS[kind]
    if question.get("method", methods[0]) not in methods:
        yield (
            "method",
            say("Counts no ballots of this kind; one of: {methods}.", methods=[*methods]),
        )
    if kind != "points":
        yield from (
            (member, say("Only of kind points.")) for member in ONLY_POINTS if member in question
        )
    elif points is None:
        yield "points", say("Needed: how many points a ballot gives at most.")
    elif points < question["min_selections"]:
        yield "points", say("Fewer than min_selections: each selected option gets at least one.")
    elif question.get("max_points", 0) > points:
        yield "max_points", say("More than points.")
