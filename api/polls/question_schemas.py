"""The shape of what is asked: a question and its options."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from api.fields import Integer, LocalText, Strict, String
from mvote.wording import say

MAX_OPTIONS = 100
KEY = Regexp(r"^[A-Za-z0-9_-]{1,40}\Z", error=say("1 to 40 letters, digits, - or _."))


class OptionSchema(Strict):
    key = String(required=True, validate=KEY)
    title = LocalText(max_length=200, required=True)
    description = LocalText(max_length=2000)


class QuestionSchema(Strict):
    text = LocalText(max_length=500, required=True)
    kind = String(load_default="single", validate=OneOf(["single", "multiple"]))
    options = ma.fields.List(
        ma.fields.Nested(OptionSchema), required=True, validate=Length(1, MAX_OPTIONS)
    )
    min_selections = Integer(load_default=1, validate=Range(0, MAX_OPTIONS))
    max_selections = Integer(load_default=None, allow_none=True, validate=Range(1, MAX_OPTIONS))

    @ma.post_load
    def completed(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """A single choice takes one; a multiple choice takes all, unless it says otherwise."""
        if data["max_selections"] is None:
            data["max_selections"] = 1 if data["kind"] == "single" else len(data["options"])
        return data

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
